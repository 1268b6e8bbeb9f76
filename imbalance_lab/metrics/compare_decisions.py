"""Paired comparisons of two models' predictions on the same examples."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_mask, as_target, check_level, check_same_shape
from imbalance_lab.metrics.distributions import (
    clopper_pearson_interval,
    normal_quantile,
    sign_test_p_value,
    student_p_value,
    student_quantile,
)
from imbalance_lab.metrics.influence import Strata, satterthwaite
from imbalance_lab.metrics.multilabel import positives_and_negatives
from imbalance_lab.metrics.significance import Comparison, undefined_comparison
from imbalance_lab.metrics.types import Counts, Mask
from imbalance_lab.task import Target


def compare_accuracy(a: Mask, b: Mask, level: float = 0.95) -> Comparison:
    """Compare two accuracies by the exact form of McNemar's test.

    If neither model is better, each of the examples on which only one is correct favors either with probability ½; the
    binomial distribution is exact for any number of them, so there is no continuity correction. That test is inverted
    by Clopper & Pearson's interval of the share of these examples that favors model a. The interval of the difference
    is this one, united with the adjusted Wald interval of Bonett & Price (2012, eq. 8), which also accounts for their
    number; p is the larger of both tests', so that p < 1 − level exactly if the interval excludes 0. It is McNemar's
    except where nearly all examples favor one model.

    Args:
        a: whether model a is correct, (N,).
        b: whether model b is correct for the same examples, (N,).
        level: the confidence level.

    >>> a, b = np.repeat([True, True, False], [80, 12, 8]), np.repeat([True, False, True], [80, 12, 8])
    >>> comparison = compare_accuracy(a, b)
    >>> round(comparison.difference, 3), round(comparison.p, 3)
    (0.04, 0.503)
    """
    check_level(level)
    a, b = as_mask(a, "a", ndim=1), as_mask(b, "b", ndim=1)
    check_same_shape(a=a, b=b)
    n, only_a, only_b = len(a), int((a & ~b).sum()), int((b & ~a).sum())
    center, error = (only_a - only_b) / (n + 2), float(np.sqrt(_adjusted_variance(only_a, only_b, n)))
    half_width, disagreements = normal_quantile(level) * error, only_a + only_b
    low, high = (
        (2 * share - 1) * disagreements / n for share in clopper_pearson_interval(only_a, disagreements, level)
    )
    interval = max(-1.0, min(low, center - half_width)), min(1.0, max(high, center + half_width))
    p = max(sign_test_p_value(only_a, disagreements), student_p_value(center / error, np.inf))
    return Comparison((only_a - only_b) / n, interval, p, n)


def compare_balanced_accuracy(a: Mask, b: Mask, target: Target, level: float = 0.95) -> Comparison:
    """Compare two mean recalls by Student's t with Satterthwaite's degrees of freedom.

    The variance in each class has one example added to either side, as Bonett & Price (2012) do for one pair of
    proportions, so that a class on which the models happen to agree does not count as certain.

    Args:
        a: whether model a is correct, (N,).
        b: whether model b is correct for the same examples, (N,).
        target: class indices (N,).
        level: the confidence level.
    """
    check_level(level)
    a, b, labels = as_mask(a, "a", ndim=1), as_mask(b, "b", ndim=1), as_target(target)
    check_same_shape(a=a, b=b, target=labels)
    if labels.min() < 0:
        raise ValueError(f"target must be class indices ≥ 0, got {labels.min()}: leave out examples without a class")
    strata = Strata(labels)
    n = strata.sizes
    only_a, only_b = (np.bincount(strata.of_example, only) for only in (a & ~b, b & ~a))
    difference = float(((only_a - only_b) / n).mean())
    variances = _adjusted_variance(only_a, only_b, n) / len(n) ** 2
    return _student_comparison(difference, np.sqrt(variances.sum()), variances, n, level)


class _LabelDifferences(NamedTuple):
    """The differences of two models in the recall and the specificity of each label."""

    difference: list[float]
    variance: list[float]
    size: list[int]
    total_variance: float
    """The variance of the sum of the differences."""


def compare_label_balanced_accuracy(a: Mask, b: Mask, target: Target, level: float = 0.95) -> Comparison:
    """Compare `label_balanced_accuracy` of two models.

    As `compare_balanced_accuracy`, which it equals for a single label: each label's recall and specificity has the
    variance defined there. An example counts in one of the two for every label, so their errors are correlated as the
    examples' influences are.

    Args:
        a: whether model a is correct, (N, L).
        b: whether model b is correct for the same examples, (N, L).
        target: 0/1 (N, L).
        level: the confidence level.
    """
    check_level(level)
    a, b, labels = (as_mask(each, name, ndim=2) for each, name in ((a, "a"), (b, "b"), (target, "target")))
    check_same_shape(a=a, b=b, target=labels)
    found = _label_differences(a, b, labels)
    if not found.difference:
        return undefined_comparison(0)
    error = np.sqrt(found.total_variance) / len(found.difference)
    variances, sizes = np.array(found.variance), np.array(found.size)
    return _student_comparison(float(np.mean(found.difference)), error, variances, sizes, level)


def _label_differences(a: Mask, b: Mask, target: Mask) -> _LabelDifferences:
    strata, scaled_influence = Strata(target.astype(np.int64)), np.zeros(len(target))
    differences, variances, sizes, zero_influence_var = [], [], [], 0.0
    for members, label in positives_and_negatives(target):
        n = int(members.sum())
        ahead = np.where(members, a[:, label].astype(int) - b[:, label], 0)
        difference = float(ahead.sum() / n)
        variance = float(_adjusted_variance((ahead == 1).sum(), (ahead == -1).sum(), n))
        influence = np.where(members, ahead - difference, 0) / n
        observed = strata.variance(influence)
        if observed > 0:
            scaled_influence += influence * np.sqrt(variance / observed)
        else:  # the models differ on none or on all of them
            zero_influence_var += variance
        differences.append(difference)
        variances.append(variance)
        sizes.append(n)
    return _LabelDifferences(differences, variances, sizes, strata.variance(scaled_influence) + zero_influence_var)


def _adjusted_variance(only_a: Counts | int, only_b: Counts | int, n: Counts | int) -> NDArray[np.float64]:
    """The variance of a difference of two paired proportions with one example added to either side.

    Args:
        only_a: on how many examples only model a is correct.
        only_b: on how many examples only model b is correct.
        n: the number of examples.
    """
    share_a, share_b = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    return np.asarray((share_a + share_b - (share_a - share_b) ** 2) / (n + 2))


def _student_comparison(
    difference: float, error: float, variances: NDArray[np.float64], sizes: Counts, level: float
) -> Comparison:
    """Compare by Student's t; the degrees of freedom are those of the sum of ``variances`` (K,)."""
    df = satterthwaite(variances, sizes)
    half_width = float(student_quantile(level, df) * error)
    p = student_p_value(difference / error, df)
    interval = max(-1.0, difference - half_width), min(1.0, difference + half_width)
    return Comparison(difference, interval, p, int(sizes.min()))
