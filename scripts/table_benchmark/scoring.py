"""The scores of one method on one split, computed alike for everyone from its probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import brier_score, macro, rank_one_vs_rest
from imbalance_lab.posthoc import fit_temperature
from imbalance_lab.posthoc.activation import negative_log_likelihood, probabilities

Floats = NDArray[np.float64]
SMALLEST = 1e-7
"""Probabilities are raised to it before the logarithm, for all methods: forests give exact zeros."""


@dataclass(frozen=True)
class Scores:
    """Test scores.

    Attributes:
        auroc: of two classes, or the mean of all classes against the rest.
        ap: average precision of the rarer of two classes, or the mean over all classes.
        log_loss: of the probabilities as the model gives them.
        calibrated_log_loss: after a temperature fitted to the validation rows.
        brier: the mean of (p − y)², of one class where there are two, else its sum over the classes.
        calibrated_brier: the same, after the temperature.
    """

    auroc: float
    ap: float
    log_loss: float
    calibrated_log_loss: float
    brier: float
    calibrated_brier: float


def score(val: Floats, val_target: NDArray[np.int64], test: Floats, test_target: NDArray[np.int64]) -> Scores:
    """Score probabilities (N, C) of the validation and the test rows."""
    ranked = rank_one_vs_rest(test, test_target)
    if test.shape[1] == 2:  # both classes have the same AUROC; AP is told of the rarer one
        rarer = int((test_target == 1).sum() <= (test_target == 0).sum())
        ranked = [ranked[rarer]]
    val_logits, test_logits = log_probabilities(val), log_probabilities(test)
    scaled = test_logits / fit_temperature(val_logits, val_target)
    return Scores(
        macro([each.auroc for each in ranked]),
        macro([each.average_precision for each in ranked]),
        negative_log_likelihood(test_logits, test_target, "softmax"),
        negative_log_likelihood(scaled, test_target, "softmax"),
        _brier(probabilities(test_logits, "softmax"), test_target),
        _brier(probabilities(scaled, "softmax"), test_target),
    )


def log_probabilities(probability: Floats) -> Floats:
    """Their logarithms, finite, with sum 1 before."""
    raised = np.maximum(probability, SMALLEST)
    logarithms: Floats = np.log(raised / raised.sum(1, keepdims=True))
    return logarithms


def _brier(probability: Floats, target: NDArray[np.int64]) -> float:
    return brier_score(probability[:, 1], target) if probability.shape[1] == 2 else brier_score(probability, target)
