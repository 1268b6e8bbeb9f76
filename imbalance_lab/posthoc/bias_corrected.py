"""Bias-corrected temperature scaling, BCTS: softmax(z / T + b) (Alexandari et al. 2020, arXiv 1901.06852)."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from imbalance_lab.metrics.array_inputs import as_examples
from imbalance_lab.posthoc.activation import (
    ClassPriors,
    allow_one_error,
    cross_entropy,
    probabilities,
    validate_activation,
)
from imbalance_lab.posthoc.calibration import Calibration
from imbalance_lab.posthoc.temperature import MAX_TEMPERATURE, MIN_TEMPERATURE
from imbalance_lab.task import Activation, Logits, Target, one_hot


class BiasCorrectedScaling:
    """One temperature and one bias per class.

    The biases make the mean probability of every class equal its frequency among the held-out examples: the
    probabilities hold for *their* class priors, whatever the priors in training were, and a prior correction starts
    from them. The negative log-likelihood is convex in (1/T, b); it is minimized by L-BFGS-B with the analytic
    gradient, 1/T in [0.05, 20], from (1, 0). Under softmax b is determined up to a constant: its mean is set to 0.
    Under sigmoid one T is shared by all labels.
    """

    estimates_prior: ClassVar[bool] = True

    def validate(self, num_classes: int, train_prior: ClassPriors | None, activation: Activation) -> None:
        """Any task will do; only the held-out examples show whether every class has enough."""
        validate_activation(activation)

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None = None, activation: Activation = "softmax"
    ) -> Calibration:
        """Fit T and b on held-out examples.

        Args:
            logits: (N, C) of examples that were not trained on.
            target: class indices (N,), or 0/1 (N, C).
            train_prior: not used.
            activation: softmax or sigmoid.

        Raises:
            ValueError: for a class without a held-out example (under sigmoid, also without a negative one): its bias
                would be infinite. Use temperature scaling instead.
        """
        logits, target = as_examples(logits, target, "logits", finite=True)
        positive = one_hot(target, logits.shape[1])
        held_out_prior = positive.mean(0)
        _check_every_class(held_out_prior, len(positive))
        inverse_temperature, bias = _minimize_likelihood(logits.astype(np.float64), positive, activation)
        return Calibration(
            activation, float(1 / inverse_temperature), tuple(bias.tolist()), tuple(held_out_prior.tolist())
        )


def _check_every_class(held_out_prior: NDArray[np.float64], n: int) -> None:
    constant = np.flatnonzero((held_out_prior == 0) | (held_out_prior == 1)).tolist()
    if constant:
        raise ValueError(
            f"a bias for every class needs held-out examples with and without it, but class {constant[0]} has "
            f"{'none' if held_out_prior[constant[0]] == 0 else 'all'} of {n}: use temperature scaling"
        )


def _minimize_likelihood(
    wide: NDArray[np.float64], positive: NDArray[np.bool_], activation: Activation
) -> tuple[float, NDArray[np.float64]]:
    """(1/T, b) with the smallest negative log-likelihood of ``wide`` (N, C); see `allow_one_error`."""
    allowed = allow_one_error(positive, activation)
    if activation == "softmax":
        wide = wide - wide.mean(1, keepdims=True)
    prior = positive.mean(0)
    # In units where the curvature is about 1 in every direction, L-BFGS needs few steps for rare classes too.
    unit = 1 / np.sqrt([max(wide.var(), 1e-12), *prior * (1 - prior)])

    def cost(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = wide * (theta[0] * unit[0]) + theta[1:] * unit[1:]
        value = cross_entropy(scaled, allowed, activation)
        residual = (probabilities(scaled, activation) - allowed) / len(positive)
        return value, unit * np.concatenate([[np.vdot(residual, wide)], residual.sum(0)])

    start = np.concatenate([[1.0], np.zeros(wide.shape[1])]) / unit
    bounds = [(1 / MAX_TEMPERATURE / unit[0], 1 / MIN_TEMPERATURE / unit[0])] + [(None, None)] * wide.shape[1]
    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-15, "gtol": 1e-7}
    best = unit * minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return float(best[0]), best[1:] - (best[1:].mean() if activation == "softmax" else 0)
