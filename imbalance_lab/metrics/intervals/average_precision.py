"""The interval of average precision."""

import numpy as np

from imbalance_lab.metrics.array_inputs import check_level
from imbalance_lab.metrics.distributions import logit_scale_interval, normal_quantile, student_quantile
from imbalance_lab.metrics.influence import average_precision_variance
from imbalance_lab.metrics.intervals.auroc import n_misranked
from imbalance_lab.metrics.intervals.proportions import wilson_interval
from imbalance_lab.metrics.ranking import Ranking, check_ranking
from imbalance_lab.metrics.types import Interval


def average_precision_interval(ranking: Ranking, level: float = 0.95) -> Interval | None:
    """Average precision's interval: the standard error from its influences, on the logit scale, with Student's t.

    Where that is not valid, as for AUROC or with P · min(AP, 1 − AP) < 5, AP is treated as a proportion of the P
    positives: Wilson's interval, and for AP < ½ the lower end of Boyd et al. (2013), logit AP ± z / √(P·AP·(1 − AP)),
    if it is lower. It has to be: every positive counts itself, so with few positives AP is too high on average.
    """
    check_ranking(ranking)
    check_level(level)
    if not ranking.is_defined:
        return None
    value, n = ranking.average_precision, ranking.n_positive
    if average_precision_normal_approx_valid(ranking):
        quantile = student_quantile(level, min(n, ranking.n_negative) - 1)
        return logit_scale_interval(value, np.sqrt(average_precision_variance(ranking)), quantile)
    low, high = wilson_interval(n * value, n, level) or (0.0, 1.0)
    if value < 0.5:
        low = min(low, logit_scale_interval(value, np.sqrt(value * (1 - value) / n), normal_quantile(level))[0])
    return low, high


def average_precision_normal_approx_valid(ranking: Ranking) -> bool:
    """Whether AP ± a multiple of its influences' standard error is valid."""
    value = ranking.average_precision
    return min(n_misranked(ranking), ranking.n_positive * min(value, 1 - value)) >= 5
