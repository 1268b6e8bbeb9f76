"""Probabilities that hold for the reference's class shares: calibrated on it, if it shows that this is needed."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from imbalance_lab.posthoc import BiasCorrectedScaling, Calibration, NoCalibration, probabilities
from imbalance_lab.posthoc.activation import negative_log_likelihood

Array = NDArray[np.float64]
LEVEL = 0.05


def calibrated_probabilities(reference: Array, target: NDArray[np.int64], new: Array) -> tuple[Array, Array]:
    """The probabilities of both samples, from their logits (N, C) and (M, C) and the reference's targets (N,)."""
    calibration = calibrate_if_needed(reference, target)
    return probabilities(calibration(reference), "softmax"), probabilities(calibration(new), "softmax")


def calibrate_if_needed(logits: Array, target: NDArray[np.int64]) -> Calibration:
    """Bias-corrected scaling, or none if the likelihood ratio does not reject at 5 % that the logits are calibrated.

    With few rows of a class, the calibration's own error is larger than what it corrects.

    Args:
        logits: (N, C) of the reference.
        target: class indices (N,).
    """
    fitted = BiasCorrectedScaling().fit(logits, target)
    unchanged = NoCalibration().fit(logits, target, fitted.prior, "softmax")
    before, after = (negative_log_likelihood(z, target, "softmax") for z in (logits, fitted(logits)))
    # Twice the gain is χ² with C degrees of freedom: T and C − 1 biases.
    p_value = gammaincc(logits.shape[1] / 2, max(before - after, 0.0) * len(target))
    return fitted if p_value <= LEVEL else unchanged
