"""Class shares by black box shift estimation, BBSE (Lipton, Wang & Smola 2018, arXiv 1802.03916)."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from imbalance_lab.shift.calibrated import calibrated_probabilities
from imbalance_lab.shift.estimate import PriorEstimate, Samples, estimate_with_intervals
from imbalance_lab.shift.share_interval import class_means
from imbalance_lab.task import Activation, Logits, Target

Array = NDArray[np.float64]


def estimate_prior_bbse(
    reference_logits: Logits,
    reference_target: Target,
    logits: Logits,
    *,
    activation: Activation = "softmax",
) -> PriorEstimate:
    """Estimate the class shares of an unlabelled sample from its mean probabilities, with a 95 % interval for each.

    With the mean probabilities (soft confusion matrix) A of the reference's classes, the new sample's mean is A w; w is
    the least-squares solution with w ≥ 0 and Σ w = 1, and the exact one if that has no negative share. It is right for
    any probabilities, and precise for those that are calibrated as for `estimate_prior_em`.

    The arguments and errors are as for `estimate_prior_em`.
    """
    return estimate_with_intervals("BBSE", _bbse, reference_logits, reference_target, logits, activation)


def _bbse(samples: Samples) -> tuple[Array, Array, Array]:
    reference, new = calibrated_probabilities(samples.reference, samples.target, samples.new)
    shares = simplex_least_squares(class_means(reference, samples.target).T, new.mean(0))
    return shares, reference, new


def simplex_least_squares(matrix: Array, goal: Array) -> Array:
    """The w ≥ 0 with Σ w = 1 that minimizes ‖matrix w − goal‖."""
    weight = 1e6 * np.abs(matrix).max()
    shares, _ = nnls(np.vstack([matrix, np.full((1, matrix.shape[1]), weight)]), np.append(goal, weight))
    return cast(Array, shares / shares.sum())
