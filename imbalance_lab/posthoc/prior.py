"""The class priors that a net's logits stand for after training."""

from collections.abc import Sequence

import numpy as np

from imbalance_lab.class_counts import validate_counts
from imbalance_lab.metrics.array_inputs import as_values
from imbalance_lab.posthoc.activation import ClassPriors
from imbalance_lab.validation import check_number


def implied_prior(
    counts: Sequence[float],
    sampler_power: float = 1.0,
    loss_tau: float = 0.0,
    weight: Sequence[float] | None = None,
) -> ClassPriors:
    """The class priors of a net's logits after training, so that nothing is corrected twice; (C,).

    A sampler that draws class c with q_c ∝ n_c^power shows the net p(x, c) = q_c p(x | c), and a loss weights that by
    ω_c. At the minimum of the cross-entropy of z + τ log π (π ∝ n), softmax(z + τ log π)_c ∝ ω_c q_c p(x | c), hence

        softmax(z)_c ∝ p(x | c) · ω_c n_c^(power − τ):

    softmax(z) is the posterior for class priors ∝ ω_c n_c^(power − τ). Exact for cross-entropy with weights, samplers
    and logit adjustment, in the limit of a perfect fit; an approximation for focal and poly loss, whose minimum is no
    posterior. Margins and scales of logits (LDAM, the Δ of vector scaling, Seesaw) correspond to no class priors: use
    `BiasCorrectedScaling`, which needs no prior from training.

    Args:
        counts: n, training examples of each class.
        sampler_power: 1 random, ½ square-root, 0 class-balanced sampling.
        loss_tau: τ of `LogitAdjustedLoss` or `VectorScalingLoss` (its ι), 0 for all others.
        weight: ω, the loss's weight of each class, or None for 1.

    >>> implied_prior([900, 100])
    (0.9, 0.1)
    >>> implied_prior([900, 100], sampler_power=0.5)
    (0.75, 0.25)
    >>> implied_prior([900, 100], loss_tau=1)
    (0.5, 0.5)
    """
    n = validate_counts(as_values(counts, "counts")).numpy()
    check_number("sampler_power", sampler_power)
    check_number("loss_tau", loss_tau)
    omega = np.ones(len(n)) if weight is None else np.array(as_values(weight, "weight"))
    if omega.shape != n.shape or not (omega > 0).all():
        raise ValueError(f"weight must have one number > 0 for each of {len(n)} classes, got {omega.tolist()}")
    prior = omega * n ** (sampler_power - loss_tau)
    return tuple((prior / prior.sum()).tolist())
