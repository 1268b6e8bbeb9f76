"""Means of losses over examples, such as log loss and Brier score: intervals, and paired comparisons of two models."""

import math

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_scores, check_level, check_same_shape
from imbalance_lab.metrics.distributions import student_p_value, student_quantile
from imbalance_lab.metrics.significance import Comparison, undefined_comparison
from imbalance_lab.metrics.types import Interval, Scores


def mean_loss_interval(losses: Scores, level: float = 0.95) -> Interval | None:
    """The interval of the mean of losses (N,), each ≥ 0, by Student's t; None for fewer than two examples."""
    check_level(level)
    values = as_scores(losses, "losses", ndim=1).astype(np.float64)
    if len(values) < 2:
        return None
    mean, half_width = float(values.mean()), student_quantile(level, len(values) - 1) * _error(values)
    return max(0.0, mean - half_width), mean + half_width


def compare_losses(a: Scores, b: Scores, level: float = 0.95) -> Comparison:
    """Compare two means of losses by the paired t-test: a negative difference is for model a.

    Args:
        a: the loss of model a for each example, (N,).
        b: the loss of model b for the same examples, (N,).
        level: the confidence level.

    >>> a, b = np.array([0.1, 0.2, 0.1, 0.3]), np.array([0.3, 0.4, 0.2, 0.6])
    >>> comparison = compare_losses(a, b)
    >>> round(comparison.difference, 3), round(comparison.p, 3)
    (-0.2, 0.016)
    """
    check_level(level)
    a, b = as_scores(a, "a", ndim=1), as_scores(b, "b", ndim=1)
    check_same_shape(a=a, b=b)
    differences, n = a.astype(np.float64) - b.astype(np.float64), len(a)
    if n < 2:
        return undefined_comparison(n)
    difference, error = float(differences.mean()), _error(differences)
    if error == 0:  # the same difference for every example
        return Comparison(difference, (difference, difference), 1.0 if difference == 0 else 0.0, n)
    half_width = student_quantile(level, n - 1) * error
    p = student_p_value(difference / error, n - 1)
    return Comparison(difference, (difference - half_width, difference + half_width), p, n)


def _error(values: NDArray[np.float64]) -> float:
    """The standard error of the mean."""
    return float(values.std(ddof=1)) / math.sqrt(len(values))
