"""From logits to probabilities that mean what they say, and for which class shares they do."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.posthoc.activation import (
    Activation,
    ClassPriors,
    Logits,
    Target,
    negative_log_likelihood,
    one_hot,
    prior_logit,
    probability,
    validate_activation,
    validate_class_priors,
)
from imbalance_lab.posthoc.temperature import COLDEST, HOTTEST, fit_temperature


@dataclass(frozen=True)
class Calibration:
    """softmax(z / temperature + bias), or its sigmoid, are probabilities where the classes have the shares ``prior``.

    Args:
        activation: softmax or sigmoid.
        temperature: T > 0. With equal biases it changes no decision of softmax.
        bias: (C,).
        prior: the shares; None where they are not known, as after a loss with margins: then nothing can be moved to
            other shares.
    """

    activation: Activation
    temperature: float
    bias: tuple[float, ...]
    prior: ClassPriors | None

    def __post_init__(self) -> None:
        validate_activation(self.activation)
        if not 0 < self.temperature < np.inf:
            raise ValueError(f"temperature must be a number > 0, got {self.temperature!r}")
        object.__setattr__(self, "bias", tuple(float(b) for b in self.bias))
        if self.prior is not None:
            object.__setattr__(self, "prior", validate_class_priors("prior", self.prior, self.activation))
            if len(self.prior) != len(self.bias):
                raise ValueError(f"prior has {len(self.prior)} shares, but bias is of {len(self.bias)} classes")

    def __call__(self, logits: Logits) -> NDArray[np.float64]:
        """Calibrated logits z / T + bias, (N, C)."""
        logits = as_scores(logits, "logits")
        if logits.ndim != 2 or logits.shape[1] != len(self.bias):
            raise ValueError(f"logits must be (N, {len(self.bias)}), one a class, got shape {logits.shape}")
        return np.asarray(logits.astype(np.float64) / self.temperature + np.asarray(self.bias))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        prior = None if self.prior is None else list(self.prior)
        return {**asdict(self), "bias": list(self.bias), "prior": prior}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Calibration":
        """Read what `as_json` gave."""
        prior = content["prior"]
        return cls(
            content["activation"],
            content["temperature"],
            tuple(content["bias"]),
            None if prior is None else tuple(prior),
        )


def uncalibrated(num_classes: int, train_prior: ClassPriors | None, activation: Activation = "softmax") -> Calibration:
    """The logits as they are."""
    return Calibration(activation, 1.0, (0.0,) * num_classes, train_prior)


def fit_temperature_scaling(
    logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation = "softmax"
) -> Calibration:
    """Temperature scaling; the probabilities stand, as before, for the shares ``train_prior``.

    The held-out examples may have other shares, as those of a long-tailed dataset have, which are balanced: T is fitted
    to softmax(z / T − log π_seen + log π_held-out), else it would take a difference of shares for overconfidence.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class numbers (N,), or 0/1 (N, C).
        train_prior: the shares that the logits stand for (`implied_prior`), or None if they are not known.
        activation: softmax or sigmoid.
    """
    logits, target = as_scores(logits, "logits"), as_target(target)
    own = one_hot(target, logits.shape[1]).mean(0)
    offset = 0.0 if train_prior is None else prior_logit(own, activation) - prior_logit(train_prior, activation)
    temperature = fit_temperature(logits, target, activation=activation, offset=offset)
    return Calibration(activation, temperature, (0.0,) * logits.shape[1], train_prior)


def fit_bias_corrected(logits: Logits, target: Target, activation: Activation = "softmax") -> Calibration:
    """Bias-corrected temperature scaling, BCTS: softmax(z / T + b) (Alexandari et al. 2020, arXiv 1901.06852).

    With a bias a class, the mean probability of every class equals its share of the held-out examples: the
    probabilities stand for *their* shares, whatever training did, and it is from these that a deployment prior starts.
    The negative log-likelihood is convex in (1/T, b); L-BFGS-B with its analytic gradient, 1/T in [0.05, 20], from
    (1, 0). Softmax leaves a constant of b open: its mean is 0.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class numbers (N,), or 0/1 (N, C).
        activation: softmax or sigmoid; sigmoid has one T for all labels.

    Raises:
        ValueError: for a class without a held-out example (or, for sigmoid, one that always holds): its bias would be
            infinite. Use temperature scaling there.
    """
    logits, target = as_scores(logits, "logits"), as_target(target)
    wide, own = logits.astype(np.float64), one_hot(target, logits.shape[1])
    class_priors = own.mean(0)
    lost = np.flatnonzero((class_priors == 0) | (class_priors == 1)).tolist()
    if lost:
        raise ValueError(
            f"a bias for every class needs held-out examples with and without it, but class {lost[0]} has "
            f"{'none' if class_priors[lost[0]] == 0 else 'all'} of {len(own)}: use temperature scaling"
        )
    if activation == "softmax":
        wide = wide - wide.mean(1, keepdims=True)
    # In units in which the curvature is about 1 in every direction, L-BFGS needs few steps also for rare classes.
    unit = 1 / np.sqrt([max(wide.var(), 1e-12), *class_priors * (1 - class_priors)])

    def cost(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = wide * (theta[0] * unit[0]) + theta[1:] * unit[1:]
        value = negative_log_likelihood(scaled, target, activation)
        excess = (probability(scaled, activation) - own) / len(own)
        return value, unit * np.concatenate([[np.vdot(excess, wide)], excess.sum(0)])

    start = np.concatenate([[1.0], np.zeros(wide.shape[1])]) / unit
    bounds = [(1 / HOTTEST / unit[0], 1 / COLDEST / unit[0])] + [(None, None)] * wide.shape[1]
    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-15, "gtol": 1e-7}
    best = unit * minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    bias = best[1:] - (best[1:].mean() if activation == "softmax" else 0)
    return Calibration(activation, float(1 / best[0]), tuple(bias.tolist()), tuple(class_priors.tolist()))
