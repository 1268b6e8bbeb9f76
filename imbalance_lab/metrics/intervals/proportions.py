"""Intervals of proportions: recall, precision, accuracy, and the mean of recalls."""

import numpy as np

from imbalance_lab.metrics.array_inputs import as_confusion, check_level
from imbalance_lab.metrics.distributions import normal_quantile, proportion_interval
from imbalance_lab.metrics.intervals.means import combine_intervals, mean_interval
from imbalance_lab.metrics.types import Counts, Interval
from imbalance_lab.validation import check_number


def wilson_interval(successes: float, trials: int, level: float = 0.95) -> Interval | None:
    """The interval of a proportion (Wilson 1927); None without trials.

    Raises:
        TypeError, ValueError: unless 0 ≤ ``successes`` ≤ ``trials``, and for a level outside (0, 1).

    >>> tuple(round(end, 3) for end in wilson_interval(9, 10))
    (0.596, 0.982)
    """
    check_level(level)
    check_number("trials", trials, minimum=0)
    check_number("successes (of trials)", successes, minimum=0, maximum=trials * (1 + 1e-12))
    if not trials:
        return None
    return proportion_interval(successes / trials, trials, normal_quantile(level))


def balanced_accuracy_interval(confusion: Counts, level: float = 0.95) -> Interval | None:
    """The interval of the mean recall: its standard error on the logit scale, as the classes' recalls are independent.

    If a class has fewer than 5 true positives or 5 false negatives, the interval is extended to the ends that the
    recalls' own Wilson intervals imply (`mean_interval`); those alone are too narrow for many classes.

    Args:
        confusion: (C, C), rows are targets.
        level: the confidence level.
    """
    check_level(level)
    counts = as_confusion(confusion)
    true_positives, n = counts.diagonal(), counts.sum(1)
    present = np.flatnonzero(n)
    if len(present) == 0:
        return None
    true_positives, n = true_positives[present], n[present]
    recalls = true_positives / n
    own = [wilson_interval(tp, size, level) for tp, size in zip(true_positives, n, strict=True)]
    error = np.sqrt((recalls * (1 - recalls) / np.maximum(n - 1, 1)).sum()) / len(n)
    return combine_intervals(
        mean=float(recalls.mean()),
        error=error,
        implied=mean_interval(recalls.tolist(), own) or (0.0, 1.0),
        normal_approx_valid=bool(np.minimum(true_positives, n - true_positives).min() >= 5),
        quantile=normal_quantile(level),
    )
