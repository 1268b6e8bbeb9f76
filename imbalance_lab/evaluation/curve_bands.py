"""Pointwise 95 % bands of the ROC and the PR curve of one class, from its stored predictions.

At a fixed false positive rate two things are uncertain: the recall at the threshold, a proportion of the positives, and
the threshold itself, a quantile of the negatives. They are independent, so that the square of the distance from the
curve to each end is the sum of the squares of their own distances (the method of variance estimates recovery: Zou &
Donner 2008, "Construction of confidence intervals about effect measures"). Each own interval is Wilson's. At a fixed
recall the roles of positives and negatives are exchanged, and the false positive rate becomes precision at the
prevalence of the split, which is taken as known. `scripts/coverage_bands.py` measures how often the bands hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Ranking
from imbalance_lab.metrics.distributions import normal_quantile, proportion_intervals
from imbalance_lab.metrics.types import Counts

Array = NDArray[np.float64]

POINTS = 48
"""The most points of a band; between them it is a straight line."""

NUDGE = 1e-9


@dataclass(frozen=True)
class CurveBand:
    """Where the curves of one class may run; at each point, with a confidence of 95 %.

    Args:
        class_index: the class.
        fpr: (K,) false positive rates, ascending from 0 to 1.
        recall_low, recall_high: (K,) ends of recall at them.
        recall: (M,) recalls of one, two, … true positives, ascending to 1.
        precision_low, precision_high: (M,) ends of precision at them, for the prevalence of the split.
    """

    class_index: int
    fpr: Array
    recall_low: Array
    recall_high: Array
    recall: Array
    precision_low: Array
    precision_high: Array


def curve_bands(rankings: Sequence[Ranking], classes: Sequence[int], level: float = 0.95) -> tuple[CurveBand, ...]:
    """The band of each of ``classes`` that has a positive and a negative.

    Args:
        rankings: (C,) one a class, in class order.
        classes: indices of the classes.
        level: the confidence at each point.
    """
    return tuple(_band(c, rankings[c], level) for c in classes if rankings[c].is_defined)


def _band(c: int, ranking: Ranking, level: float) -> CurveBand:
    P, N = ranking.n_positive, ranking.n_negative
    fpr, recall_low, recall_high = _recall_at_fpr(ranking, level)
    recall, fpr_low, fpr_high = _fpr_at_recall(ranking, level)
    found = recall * P
    return CurveBand(
        class_index=c,
        fpr=fpr,
        recall_low=recall_low,
        recall_high=recall_high,
        recall=recall,
        precision_low=found / (found + fpr_high * N),
        precision_high=found / (found + fpr_low * N),
    )


def _recall_at_fpr(ranking: Ranking, level: float) -> tuple[Array, Array, Array]:
    """False positive rates (K,), and the ends of recall at them."""
    P, N, z, curve = ranking.n_positive, ranking.n_negative, normal_quantile(level), ranking.curve()

    def recall_at(rate: Array, side: int) -> Array:
        """The curve just before (−1) or after (+1) the vertical step that it may have there."""
        return np.interp(rate * N + side * NUDGE, curve.fp, curve.tp) / P

    fpr = _grid(N, from_zero=True) / N
    estimate, (low, high) = recall_at(fpr, 1), proportion_intervals(fpr, N, z)
    shifted = recall_at(low, -1), recall_at(high, 1)
    return fpr, *_recovered(estimate, proportion_intervals(estimate, P, z), shifted)


def _fpr_at_recall(ranking: Ranking, level: float) -> tuple[Array, Array, Array]:
    """Recalls (M,), and the ends of the false positive rate at them.

    The threshold of a recall lies between two of the positives' scores, whose ranks are quantiles of the binomial
    distribution; beyond the last positive it may be anything.
    """
    from scipy.stats import binom

    P, N = ranking.n_positive, ranking.n_negative
    found = _grid(P, from_zero=False)
    ranks = [binom.ppf(tail, P, found / P) for tail in ((1 - level) / 2, (1 + level) / 2)]

    def at(rank: Array, counts: Counts) -> Array:
        """The rate at the score of a rank among the positives, from 1; 0 before the first and 1 after the last."""
        padded = np.concatenate([[0], counts, [N]])
        return np.asarray(padded[np.searchsorted(ranking.tp, rank, "left") + (rank > 0)] / N)

    estimate = at(found, ranking.fp)
    shifted = at(ranks[0], ranking.fp_above), at(ranks[1] + 1, ranking.fp)
    return found / P, *_recovered(estimate, proportion_intervals(estimate, N, normal_quantile(level)), shifted)


def _recovered(estimate: Array, own: tuple[Array, Array], shifted: tuple[Array, Array]) -> tuple[Array, Array]:
    """The interval of a sum from the intervals of its two independent parts."""
    low = estimate - np.hypot(estimate - own[0], np.minimum(shifted[0] - estimate, 0))
    high = estimate + np.hypot(own[1] - estimate, np.maximum(shifted[1] - estimate, 0))
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def _grid(n: int, *, from_zero: bool) -> Array:
    """Counts up to ``n``, at most `POINTS`: half of them evenly, half by factors, for a logarithmic axis."""
    half = POINTS // 2
    even, factors = np.linspace(1, n, half), np.geomspace(1, n, half - 1)
    return np.unique(np.concatenate([[0.0] if from_zero else [], even.round(), factors.round()]))
