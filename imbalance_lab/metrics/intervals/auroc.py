"""Intervals of AUROC."""

from imbalance_lab.metrics.array_inputs import check_level
from imbalance_lab.metrics.distributions import (
    find_root,
    logit_scale_interval,
    normal_quantile,
    poisson_mean_limit,
    proportion_interval,
    student_quantile,
)
from imbalance_lab.metrics.ranking import Ranking, check_ranking
from imbalance_lab.metrics.types import Interval
from imbalance_lab.validation import check_integer, check_number


def auroc_interval(ranking: Ranking, level: float = 0.95) -> Interval | None:
    """AUROC's interval: DeLong's variance on the logit scale with Student's t, m − 1 degrees of freedom, m = min(P, Q).

    If the classes are nearly or fully separated, x = m · min(A, 1 − A) < 5, DeLong's variance V can be far too small,
    even 0: examples of a kind that is ranked wrongly may be missing from the sample. Then it is Wilson's interval for a
    proportion of n = A (1 − A) / V examples, but at most 5/4 (m − 1 + 6x). The largest variance that any distribution
    of scores allows is that of m − 1 (van Dantzig 1951; Birnbaum & Klose 1957), and with 5/4 a kind that the sample
    lacks by chance stays in the interval. The end next to 0 or 1 reaches the Poisson limit of x misranked examples, as
    in the modified Wilson interval of Brown, Cai & DasGupta (2001). If the scores of a class are of two kinds, one
    ranked above and one below all of the other class, the 95 % interval covers in at least 91 % of samples, exactly,
    whatever m ≥ 2 and their shares. docs/metrics.md has the coverage in simulations of other scores.

    Raises:
        TypeError, ValueError: for anything but a `Ranking`, and for a level outside (0, 1).
    """
    check_ranking(ranking)
    check_level(level)
    if not ranking.is_defined:
        return None
    area, variance, rarer, misranked = _summary(ranking)
    if _normal_approx_valid(misranked, variance):
        return logit_scale_interval(area, variance**0.5, student_quantile(level, rarer - 1))
    n = max(1.0, 1.25 * (rarer - 1))
    if variance > 0:  # some are misranked, and show how far the scores scatter
        n = min(area * (1 - area) / variance, n + 7.5 * misranked)
    low, high = proportion_interval(area, n, normal_quantile(level))
    limit = poisson_mean_limit(misranked, 1 - level) / rarer
    return (min(low, limit) if area <= 0.5 else low), (max(high, 1 - limit) if area >= 0.5 else high)


def one_kind_auroc_interval(ranking: Ranking, level: float) -> Interval | None:
    """The interval if all positives are of one kind, and so all negatives; narrower near full separation.

    There the one by DeLong's variance is united with the inversion of Hanley & McNeil's (1982); no Wilson's interval.
    For differences of two models on the same examples: another kind that the sample lacks is missing for both.
    """
    if not ranking.is_defined:
        return None
    area, variance, rarer, misranked = _summary(ranking)
    by_delong = (1.0, 0.0)
    if 0 < area < 1 and variance > 0:
        by_delong = logit_scale_interval(area, variance**0.5, student_quantile(level, rarer - 1))
    if _normal_approx_valid(misranked, variance):
        return by_delong
    low, high = _score_inversion(area, ranking.n_positive, ranking.n_negative, level)
    return min(low, by_delong[0]), max(high, by_delong[1])


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
    _, variance, _, misranked = _summary(ranking)
    return _normal_approx_valid(misranked, variance)


def n_misranked(ranking: Ranking) -> float:
    """The mean number of examples of the rarer class that are ranked wrongly (correctly, if that is less)."""
    return _summary(ranking)[3]


def _summary(ranking: Ranking) -> tuple[float, float, int, float]:
    """AUROC, its variance, the size of the rarer class, and how many of its examples are misranked."""
    area, rarer = ranking.auroc, min(ranking.n_positive, ranking.n_negative)
    return area, ranking.auroc_variance, rarer, rarer * min(area, 1 - area)


def _normal_approx_valid(misranked: float, variance: float) -> bool:
    return misranked >= 5 and variance > 0


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
