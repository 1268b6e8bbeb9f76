"""Intervals of AUROC."""

import numpy as np

from imbalance_lab.metrics.distributions import find_root, logit_scale_interval, normal_quantile
from imbalance_lab.metrics.ranking import Ranking
from imbalance_lab.metrics.types import Interval


def auroc_interval(ranking: Ranking, level: float = 0.95) -> Interval | None:
    """AUROC's interval: DeLong's variance on the logit scale, or score inversion where that is not valid.

    Score inversion (Newcombe 2006, method 5, with the variance of Hanley & McNeil 1982) is used if the classes are
    nearly or fully separated, min(P, Q) · min(A, 1 − A) < 5: there DeLong's variance is far too small, even 0.
    """
    if not ranking.is_defined:
        return None
    if not auroc_normal_approx_valid(ranking):
        return _score_inversion(ranking.auroc, ranking.n_positive, ranking.n_negative, level)
    return logit_scale_interval(ranking.auroc, np.sqrt(ranking.auroc_variance), normal_quantile(level))


def planned_auroc_interval(area: float, n_positive: int, n_negative: int, level: float = 0.95) -> Interval:
    """The interval to expect for an AUROC of ``area`` with so many examples (Hanley & McNeil 1982, score inversion).

    For choosing the size of a split before there is a model.
    """
    if not 0 < area < 1 or n_positive < 1 or n_negative < 1:
        raise ValueError(f"area must lie in (0, 1) and both counts be ≥ 1, got {area}, {n_positive} and {n_negative}")
    return _score_inversion(area, n_positive, n_negative, level)


def auroc_normal_approx_valid(ranking: Ranking) -> bool:
    """Whether AUROC ± a multiple of DeLong's standard error is valid: enough examples of both classes are misranked."""
    return n_misranked(ranking) >= 5 and ranking.auroc_variance > 0


def n_misranked(ranking: Ranking) -> float:
    """The mean number of examples of the rarer class that are ranked wrongly (correctly, if that is less)."""
    return min(ranking.n_positive, ranking.n_negative) * min(ranking.auroc, 1 - ranking.auroc)


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
