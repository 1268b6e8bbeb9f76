"""Intervals of AUROC."""

from collections.abc import Callable

import numpy as np

from imbalance_lab.metrics.array_inputs import check_level
from imbalance_lab.metrics.distributions import find_root, logit_scale_interval, normal_quantile, student_quantile
from imbalance_lab.metrics.intervals.proportions import wilson_interval
from imbalance_lab.metrics.ranking import Ranking, check_ranking
from imbalance_lab.metrics.types import Interval
from imbalance_lab.validation import check_integer, check_number


def auroc_interval(ranking: Ranking, level: float = 0.95) -> Interval | None:
    """AUROC's interval: DeLong's variance on the logit scale with Student's t, m − 1 degrees of freedom, m = min(P, Q).

    If the classes are nearly or fully separated, m · min(A, 1 − A) < 5, DeLong's variance can be far too small, even 0:
    examples of a kind that is ranked wrongly may be missing from the sample. Then the interval is united with the one
    for the largest variance that any distribution of scores allows, A (1 − A) / m (van Dantzig 1951; Birnbaum & Klose
    1957): Wilson's, for a proportion of m examples. docs/metrics.md has the coverage in simulations.

    Raises:
        TypeError, ValueError: for anything but a `Ranking`, and for a level outside (0, 1).
    """
    check_ranking(ranking)
    check_level(level)
    if not ranking.is_defined:
        return None
    rarer = min(ranking.n_positive, ranking.n_negative)
    return _united(ranking, lambda: wilson_interval(rarer * ranking.auroc, rarer, level) or (0.0, 1.0), level)


def one_kind_auroc_interval(ranking: Ranking, level: float) -> Interval | None:
    """The interval if all positives are of one kind, and so all negatives; narrower than `auroc_interval`.

    Near separation it is united with the inversion of Hanley & McNeil's variance (1982) instead of Wilson's interval.
    For differences of two models on the same examples: another kind that the sample lacks is missing for both.
    """
    if not ranking.is_defined:
        return None
    area, n_positive, n_negative = ranking.auroc, ranking.n_positive, ranking.n_negative
    return _united(ranking, lambda: _score_inversion(area, n_positive, n_negative, level), level)


def planned_auroc_interval(area: float, n_positive: int, n_negative: int, level: float = 0.95) -> Interval:
    """The interval to expect for an AUROC of ``area`` with so many examples (Hanley & McNeil 1982, score inversion).

    For choosing the size of a split before there is a model; it presumes that the positives are of one kind, and so the
    negatives. `auroc_interval` does not, and is wider with few examples.
    """
    check_number("area", area, above=0, below=1)
    check_integer("n_positive", n_positive, minimum=1)
    check_integer("n_negative", n_negative, minimum=1)
    check_level(level)
    return _score_inversion(area, n_positive, n_negative, level)


def auroc_normal_approx_valid(ranking: Ranking) -> bool:
    """Whether AUROC ± a multiple of DeLong's standard error is valid: enough examples of both classes are misranked."""
    return n_misranked(ranking) >= 5 and ranking.auroc_variance > 0


def n_misranked(ranking: Ranking) -> float:
    """The mean number of examples of the rarer class that are ranked wrongly (correctly, if that is less)."""
    return min(ranking.n_positive, ranking.n_negative) * min(ranking.auroc, 1 - ranking.auroc)


def _united(ranking: Ranking, near_separation: Callable[[], Interval], level: float) -> Interval:
    """The interval by DeLong's variance, united with ``near_separation``'s where the approximation is invalid."""
    area, variance = ranking.auroc, ranking.auroc_variance
    low, high = 1.0, 0.0
    if 0 < area < 1 and variance > 0:
        quantile = student_quantile(level, min(ranking.n_positive, ranking.n_negative) - 1)
        low, high = logit_scale_interval(area, np.sqrt(variance), quantile)
    if auroc_normal_approx_valid(ranking):
        return low, high
    other_low, other_high = near_separation()
    return min(low, other_low), max(high, other_high)


def _score_inversion(area: float, n_positive: int, n_negative: int, level: float) -> Interval:
    """All true areas a that lie within z of their own standard errors from the observed one."""
    z, pairs, mean_others = normal_quantile(level), n_positive * n_negative, (n_positive + n_negative) / 2 - 1

    def excess(a: float) -> float:
        variance = a * (1 - a) / pairs * (1 + mean_others * (1 - a) / (2 - a) + mean_others * a / (1 + a))
        return float((area - a) ** 2 - z**2 * variance)

    inside = min(max(area, 1e-9), 1 - 1e-9)  # where the excess is negative, also for areas of 0 and 1
    low = find_root(excess, 0.0, inside) if area > 0 else 0.0
    high = find_root(excess, inside, 1.0) if area < 1 else 1.0
    return low, high
