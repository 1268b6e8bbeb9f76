"""Scores of a ranking at one operating point: at a minimum precision or recall, or at a number of alerts.

Each is NaN, never 0, if the class has no positive. The best threshold is chosen on the examples that are scored, so
with few positives the score is optimistic. To choose a threshold for new examples, see `imbalance_lab.posthoc`.
"""

import math

import numpy as np

from imbalance_lab.metrics.ranking import Ranking, check_ranking
from imbalance_lab.validation import check_integer, check_number


def recall_at_precision(ranking: Ranking, min_precision: float) -> float:
    """The highest recall at any threshold with precision ≥ ``min_precision``; 0 if there is no such threshold.

    >>> from imbalance_lab.metrics import rank
    >>> recall_at_precision(rank(np.array([0.9, 0.6, 0.2]), np.array([0.5, 0.4, 0.1])), min_precision=0.8)
    0.6666666666666666
    """
    check_ranking(ranking)
    check_number("min_precision", min_precision, above=0, maximum=1)
    if ranking.n_positive == 0:
        return math.nan
    allowed = ranking.tp / (ranking.tp + ranking.fp) >= min_precision
    return int(ranking.tp[allowed].max(initial=0)) / ranking.n_positive


def precision_at_recall(ranking: Ranking, min_recall: float) -> float:
    """The highest precision at any threshold with recall ≥ ``min_recall``.

    >>> from imbalance_lab.metrics import rank
    >>> precision_at_recall(rank(np.array([0.9, 0.6, 0.2]), np.array([0.5, 0.4, 0.1])), min_recall=0.9)
    0.6
    """
    check_ranking(ranking)
    check_number("min_recall", min_recall, above=0, maximum=1)
    if ranking.n_positive == 0:
        return math.nan
    allowed = ranking.tp / ranking.n_positive >= min_recall
    return float((ranking.tp[allowed] / (ranking.tp + ranking.fp)[allowed]).max())


def precision_at(ranking: Ranking, k: int) -> float:
    """The share of positives among the ``k`` highest scores; NaN if there are fewer than ``k`` examples.

    Where examples tie for the last places, this is the mean over all ways to choose among them.
    """
    check_ranking(ranking)
    check_integer("k", k, minimum=1)
    if ranking.n_positive == 0 or k > ranking.n_positive + ranking.n_negative:
        return math.nan
    # Between two vertices there are only negatives or one tie, whose mean share of positives is constant: a line.
    curve = ranking.curve()
    return float(np.interp(k, curve.tp + curve.fp, curve.tp)) / k
