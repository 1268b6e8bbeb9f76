"""Class shares by maximum likelihood: EM (Saerens, Latinne & Decaestecker 2002) on bias-corrected probabilities."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from imbalance_lab.shift.calibrated import calibrated_probabilities
from imbalance_lab.shift.estimate import PriorEstimate, Samples, estimate_with_intervals
from imbalance_lab.task import Activation, Logits, Target

Array = NDArray[np.float64]


def estimate_prior_em(
    reference_logits: Logits,
    reference_target: Target,
    logits: Logits,
    *,
    activation: Activation = "softmax",
) -> PriorEstimate:
    """Estimate the class shares of an unlabelled sample by maximum likelihood, with a 95 % interval for each.

    The reference calibrates the logits (`BiasCorrectedScaling`, Alexandari et al. 2020, arXiv 1901.06852) unless they
    are calibrated already (`calibrate_if_needed`), so that p_c(x) / π_c is proportional to p(x | c). The shares w with
    the largest likelihood Σ_j log Σ_c w_c p_c(x_j) / π_c of the new rows are what EM converges to.

    It holds where only the class priors differ (label shift), see `other_shift_test`.

    Args:
        reference_logits: raw (N, C), of labelled rows that were not trained on.
        reference_target: class indices (N,), or under sigmoid 0/1 (N, C).
        logits: raw (M, C) of the new sample.
        activation: under sigmoid each label is a binary problem of its own.

    Raises:
        TypeError, ValueError: for arrays that do not fit together, or a class without reference rows.
    """
    return estimate_with_intervals("EM", _em, reference_logits, reference_target, logits, activation)


def _em(samples: Samples) -> tuple[Array, Array, Array]:
    reference, new = calibrated_probabilities(samples.reference, samples.target, samples.new)
    base = samples.reference_prior
    prior = maximum_likelihood_shares(new / base, base)
    tuned = np.maximum(prior, 1 / len(new))
    tuned /= tuned.sum()
    return prior, posterior(reference, tuned / base), posterior(new, tuned / base)


def posterior(probability: Array, ratio: Array) -> Array:
    """Probabilities (N, C) for other class priors, whose ratio to the present ones is (C,)."""
    weighted = probability * ratio
    return cast(Array, weighted / weighted.sum(1, keepdims=True))


def maximum_likelihood_shares(density: Array, start: Array, tolerance: float = 1e-9) -> Array:
    """The shares w (C,) that maximize the mean of log Σ_c w_c d_c, which is concave.

    A few steps of EM, w_c ← mean of w_c d_c / Σ w d, then Newton's steps with w ≥ 0, each a least-squares problem with
    non-negative coefficients (Kim et al. 2020, arXiv 1806.01412): EM alone takes thousands of steps near 0.

    Args:
        density: d (M, C) ≥ 0, each class's density at each row up to a factor of the row.
        start: shares > 0 (C,).
        tolerance: of the gradient.
    """
    density = density / density.max(1, keepdims=True)
    shares = start
    for _ in range(10):
        shares = shares * (density / (density @ shares)[:, None]).mean(0)
    for _ in range(100):
        ratio = density / (density @ shares)[:, None]
        gradient = 1 - ratio.mean(0)
        if (
            gradient.min() > -tolerance
            and abs(gradient @ shares) < tolerance
            and ((shares < tolerance) | (abs(gradient) < tolerance)).all()
        ):
            break
        shares = _newton_step(density, shares, ratio, gradient)
    return cast(Array, shares / shares.sum())


def _newton_step(density: Array, shares: Array, ratio: Array, gradient: Array) -> Array:
    hessian = ratio.T @ ratio / len(ratio)
    factor = np.linalg.cholesky(hessian + 1e-11 * np.trace(hessian) * np.eye(len(shares)))
    goal, _ = nnls(factor.T, factor.T @ shares - np.linalg.solve(factor, gradient))
    before = _objective(density, shares)
    for halving in range(30):
        step = 0.5**halving
        trial = shares + step * (goal - shares)
        if _objective(density, trial) <= before + 1e-15 * abs(before):
            return cast(Array, trial)
    return shares


def _objective(density: Array, shares: Array) -> float:
    mixture = density @ shares
    return float(shares.sum() - np.log(mixture).mean()) if (mixture > 0).all() else np.inf
