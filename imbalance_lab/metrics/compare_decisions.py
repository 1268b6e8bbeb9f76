"""Which of two models decides better for the same examples."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm
from scipy.stats import t as student

from imbalance_lab.metrics.entrance import as_mask, as_target
from imbalance_lab.metrics.influence import Strata, satterthwaite
from imbalance_lab.metrics.multilabel import both_answers
from imbalance_lab.metrics.ranking import Counts
from imbalance_lab.metrics.significance import Comparison, undefined_comparison


def compare_accuracy(a: NDArray[np.bool_], b: NDArray[np.bool_], level: float = 0.95) -> Comparison:
    """Compare the shares of right decisions, a and b (N,) of the same examples: McNemar's test in its exact form.

    The examples on which the models disagree are a fair coin's throws if neither is better; the binomial distribution
    is exact at any number of them, so there is no continuity correction. The interval is the adjusted Wald interval of
    Bonett & Price (2012, eq. 8).

    >>> a, b = np.repeat([True, True, False], [80, 12, 8]), np.repeat([True, False, True], [80, 12, 8])
    >>> found = compare_accuracy(a, b)
    >>> round(found.difference, 3), round(found.p, 3)
    (0.04, 0.503)
    """
    a, b = as_mask(a, "a"), as_mask(b, "b")
    if a.shape != b.shape:
        raise ValueError(f"the same examples must be compared, got {a.shape} and {b.shape}")
    n, only_a, only_b = len(a), int((a & ~b).sum()), int((b & ~a).sum())
    if n == 0:
        return undefined_comparison(0)
    p = min(1.0, 2 * float(binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)))
    share_a, share_b = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    half = float(norm.ppf((1 + level) / 2)) * np.sqrt((share_a + share_b - (share_a - share_b) ** 2) / (n + 2))
    middle = share_a - share_b
    interval = max(-1.0, float(middle - half)), min(1.0, float(middle + half))
    return Comparison((only_a - only_b) / n, interval, p, n)


def compare_balanced_accuracy(
    a: NDArray[np.bool_], b: NDArray[np.bool_], target: Counts, level: float = 0.95
) -> Comparison:
    """Compare the mean recalls of right decisions a and b (N,); target (N,). Student's t, Satterthwaite's freedom.

    Each class's two shares of disagreement are estimated with one example more on either side, as Bonett & Price (2012)
    do for one pair of shares, so that a class on which the models happen to agree is not taken for certain.
    """
    a, b, target = as_mask(a, "a"), as_mask(b, "b"), as_target(target)
    if not a.shape == b.shape == target.shape:
        raise ValueError(f"the same examples must be compared, got {a.shape}, {b.shape}, target {target.shape}")
    if len(target) == 0:
        return undefined_comparison(0)
    strata = Strata(target)
    n = strata.sizes
    only_a, only_b = (np.bincount(strata.of_example, only) for only in (a & ~b, b & ~a))
    difference = float(((only_a - only_b) / n).mean())
    share_a, share_b = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    variances = (share_a + share_b - (share_a - share_b) ** 2) / (n + 2) / len(n) ** 2
    error, freedom = np.sqrt(variances.sum()), satterthwaite(variances, n)
    half = student.ppf((1 + level) / 2, freedom) * error
    p = 2 * float(student.sf(abs(difference) / error, freedom))
    return Comparison(difference, (float(difference - half), float(difference + half)), p, int(n.min()))


def compare_label_balanced_accuracy(
    a: NDArray[np.bool_], b: NDArray[np.bool_], target: Counts, level: float = 0.95
) -> Comparison:
    """Compare `label_balanced_accuracy` of answers that are right or not, a and b (N, L); target 0/1 (N, L).

    As `compare_balanced_accuracy`, which it equals for a single label: each label's recall and specificity has the
    error given there. An example takes part in one of the two of every label, so the errors go together as its
    influences do.
    """
    a, b, target = as_mask(a, "a"), as_mask(b, "b"), as_target(target)
    if not a.shape == b.shape == target.shape:
        raise ValueError(f"the same examples must be compared, got {a.shape}, {b.shape}, target {target.shape}")
    strata, total = Strata(target), np.zeros(len(target))
    differences, variances, sizes, unseen = [], [], [], 0.0
    for member, label in both_answers(target):
        n = int(member.sum())
        ahead = np.where(member, a[:, label].astype(int) - b[:, label], 0)
        share_a, share_b = ((ahead == 1).sum() + 1) / (n + 2), ((ahead == -1).sum() + 1) / (n + 2)
        difference, variance = float(ahead.sum() / n), (share_a + share_b - (share_a - share_b) ** 2) / (n + 2)
        influence = np.where(member, ahead - difference, 0) / n
        seen = strata.variance(influence)
        if seen > 0:
            total += influence * np.sqrt(variance / seen)
        else:  # the models agree on all of them
            unseen += variance
        differences.append(difference)
        variances.append(variance)
        sizes.append(n)
    if not differences:
        return undefined_comparison(0)
    difference, k = float(np.mean(differences)), len(differences)
    error = np.sqrt(strata.variance(total) + unseen) / k
    freedom = satterthwaite(np.array(variances), np.array(sizes))
    half = float(student.ppf((1 + level) / 2, freedom) * error)
    p = 2 * float(student.sf(abs(difference) / error, freedom))
    return Comparison(difference, (difference - half, difference + half), p, min(sizes))
