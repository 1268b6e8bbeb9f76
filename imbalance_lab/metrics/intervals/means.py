"""Intervals of means of scores, independent or of the same examples."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.distributions import logit_scale_interval, student_quantile
from imbalance_lab.metrics.influence import Influence, Strata, student_df
from imbalance_lab.metrics.types import Interval


class ScoreEstimate(NamedTuple):
    """The score of one class and what is known about its error."""

    value: float
    interval: Interval | None
    influence: Influence
    """Of each example on the score, (N,)."""
    error: float
    """The standard error that the influences give."""
    normal_approx_valid: bool
    """Whether the influences give the error."""


def mean_interval(values: Sequence[float], intervals: Sequence[Interval | None]) -> Interval | None:
    """The interval of the mean of independent estimates, from theirs (MOVER; Zou & Donner 2008).

    The distances from the estimates to their ends add up as variances do, separately for low and high ends: an estimate
    at the upper end of its range adds nothing above. Estimates without an interval are left out; None if there is none.
    """
    defined = [(value, *ends) for value, ends in zip(values, intervals, strict=True) if ends is not None]
    if not defined:
        return None
    value, low, high = np.array(defined).T
    mean, n = float(value.mean()), len(defined)
    below, above = np.sqrt(((value - low) ** 2).sum()) / n, np.sqrt(((high - value) ** 2).sum()) / n
    return max(0.0, mean - float(below)), min(1.0, mean + float(above))


def dependent_mean_interval(estimates: Iterable[ScoreEstimate], strata: Strata, level: float) -> Interval | None:
    """The interval of the mean of scores of the same examples, whose errors are correlated; None without scores.

    Where the error is not valid for all scores: of two classes, the ends that their own intervals imply, because their
    errors are one; else the union of both (`combine_intervals`).

    Args:
        estimates: the scores, read one at a time: the influences of many classes do not fit into memory together.
        strata: of the examples.
        level: the confidence level.
    """
    n_examples = len(strata.of_example)
    total = np.zeros(n_examples)
    # Influences scaled so that each score's standard error reaches the lower and the upper end of its own interval.
    scaled_influence = np.zeros((2, n_examples))
    # Distances to these ends for fully separated classes, whose influences are all 0.
    zero_influence: list[NDArray[np.float64]] = []
    values, normal_approx_valid = [], True
    for estimate in estimates:
        total += estimate.influence
        low, high = estimate.interval or (0.0, 1.0)
        distances = np.array([estimate.value - low, high - estimate.value])
        if estimate.error > 0:
            scaled_influence += np.outer(distances / estimate.error, estimate.influence)
        else:
            zero_influence.append(distances)
        values.append(estimate.value)
        normal_approx_valid &= estimate.normal_approx_valid
    if not values:
        return None
    mean, n = macro(values), len(values)
    below, above = (
        float(np.sqrt(strata.variance(influence) + variance) / n)
        for influence, variance in zip(scaled_influence, _variance_of_sum(zero_influence, strata), strict=True)
    )
    implied = max(0.0, mean - below), min(1.0, mean + above)
    variances = strata.variances(total)
    df = student_df(variances, strata.sizes)
    if df < 1 or (
        len(strata.sizes) == 2 and not normal_approx_valid
    ):  # a single positive, or two classes with one error
        return implied
    error = float(np.sqrt(variances.sum())) / n
    return combine_intervals(mean, error, implied, normal_approx_valid, student_quantile(level, df))


def _variance_of_sum(distances: list[NDArray[np.float64]], strata: Strata) -> NDArray[np.float64]:
    """The squared distances below and above of a sum of scores (2,), from each score's distances (2,).

    Two classes rank the same pairs, so that one's error is the other's; the errors of more are taken as independent.
    """
    if not distances:
        return np.zeros(2)
    if len(strata.sizes) == 2:
        return np.asarray(np.sum(distances, 0) ** 2)
    return np.asarray((np.array(distances) ** 2).sum(0))


def combine_intervals(
    mean: float, error: float, implied: Interval, normal_approx_valid: bool, quantile: float
) -> Interval:
    """The interval of a mean by its standard error, extended to ``implied`` where the error is not valid for all parts.

    Neither alone covers: the error ignores classes without a mistake, and ``implied``, derived from skewed intervals of
    the classes, becomes more skewed the more classes there are.
    """
    if not error > 0 or not 0 < mean < 1:
        return implied
    low, high = logit_scale_interval(mean, error, quantile)
    return (low, high) if normal_approx_valid else (min(low, implied[0]), max(high, implied[1]))
