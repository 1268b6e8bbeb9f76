"""Temperature scaling (Guo et al. 2017, arXiv 1706.04599): one scalar for all logits."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from imbalance_lab.metrics.array_inputs import as_examples, as_scores
from imbalance_lab.posthoc.activation import (
    ClassPriors,
    allow_one_error,
    cross_entropy,
    prior_logit,
    validate_activation,
    validate_class_priors,
)
from imbalance_lab.posthoc.calibration import Calibration
from imbalance_lab.task import Activation, Logits, Target, one_hot
from imbalance_lab.validation import check_list

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0


class TemperatureScaling:
    """Temperature scaling; the class priors of the probabilities stay ``train_prior``.

    The held-out examples may have other class priors, for instance a balanced split of a long-tailed dataset: T is
    fitted to softmax(z / T − log π_train + log π_held-out). Otherwise the difference of the priors would look like
    overconfidence.
    """

    estimates_prior: ClassVar[bool] = False

    def validate(self, num_classes: int, train_prior: ClassPriors | None, activation: Activation) -> None:
        """Any task will do."""
        validate_activation(activation)

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation = "softmax"
    ) -> Calibration:
        """Fit T on held-out examples.

        Args:
            logits: (N, C) of examples that were not trained on.
            target: class indices (N,), or 0/1 (N, C).
            train_prior: the class priors of the logits (`implied_prior`), or None if they are unknown.
            activation: softmax or sigmoid.
        """
        logits, target = as_examples(logits, target, "logits", finite=True)
        held_out = one_hot(target, logits.shape[1]).mean(0)
        offset: NDArray[np.float64] | float = 0.0
        if train_prior is not None:
            train_prior = validate_class_priors("train_prior", train_prior, activation)
            check_list("train_prior", train_prior, length=logits.shape[1])
            offset = prior_logit(held_out, activation) - prior_logit(train_prior, activation)
        temperature = fit_temperature(logits, target, activation=activation, offset=offset)
        return Calibration(activation, temperature, (0.0,) * logits.shape[1], train_prior)


def fit_temperature(
    logits: Logits, target: Target, *, activation: Activation = "softmax", offset: NDArray[np.float64] | float = 0.0
) -> float:
    """The T in [0.05, 20] with the largest likelihood of softmax(z / T + offset), or its sigmoid.

    One error is allowed for (`allow_one_error`): examples that happen to be separable do not lead to the smallest T.
    The likelihood has a single maximum: it is log-concave in 1 / T.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class indices (N,), or 0/1 (N, C).
        activation: softmax or sigmoid.
        offset: (C,), log π_held-out − log π_train if the class priors of the held-out examples differ from those of the
            logits. −∞ for a class without a held-out example.
    """
    validate_activation(activation)
    logits, target = as_examples(logits, target, "logits", finite=True)
    wide, offset = logits.astype(np.float64), as_scores(offset, "offset").astype(np.float64)

    allowed = allow_one_error(one_hot(target, wide.shape[1]), activation)

    def cost(log_temperature: float) -> float:
        return cross_entropy(wide * np.exp(-log_temperature) + offset, allowed, activation)

    best = minimize_scalar(cost, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    return float(np.exp(best.x))
