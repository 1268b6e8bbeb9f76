"""What a ranking gives where it is cut: at a precision, a recall, a false positive rate, or a number of alerts.

Each is NaN where the class has no positive (for partial AUROC also: no negative), never 0. Where the best cut is looked
for, it is looked for on the examples that are scored: with few positives such a best is lucky as well as good. To cut
new examples, choose the cut on others (`imbalance_lab.posthoc`).
"""

import math

import numpy as np

from imbalance_lab.metrics.ranking import Ranking


def recall_at_precision(ranking: Ranking, at_least: float) -> float:
    """The highest recall of any cut with precision ≥ ``at_least``; 0 if only flagging nothing is as precise.

    >>> from imbalance_lab.metrics import rank
    >>> recall_at_precision(rank(np.array([0.9, 0.6, 0.2]), np.array([0.5, 0.4, 0.1])), at_least=0.8)
    0.6666666666666666
    """
    _check_share("at_least", at_least)
    if ranking.n_positive == 0:
        return math.nan
    good = ranking.tp / (ranking.tp + ranking.fp) >= at_least
    return int(ranking.tp[good].max(initial=0)) / ranking.n_positive


def precision_at_recall(ranking: Ranking, at_least: float) -> float:
    """The highest precision of any cut with recall ≥ ``at_least``.

    >>> from imbalance_lab.metrics import rank
    >>> precision_at_recall(rank(np.array([0.9, 0.6, 0.2]), np.array([0.5, 0.4, 0.1])), at_least=0.9)
    0.6
    """
    _check_share("at_least", at_least)
    if ranking.n_positive == 0:
        return math.nan
    good = ranking.tp / ranking.n_positive >= at_least
    return float((ranking.tp[good] / (ranking.tp + ranking.fp)[good]).max())


def precision_at(ranking: Ranking, k: int) -> float:
    """The share of positives among the ``k`` highest scores; NaN if there are fewer than ``k`` examples.

    Of examples that tie for the last places all are as likely to be among the k: the mean over those choices.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k must be a whole number ≥ 1, got {k!r}")
    if ranking.n_positive == 0 or k > ranking.n_positive + ranking.n_negative:
        return math.nan
    # Between two vertices there are negatives only, or one tie, of which any k' hold k' times the tie's share: lines.
    curve = ranking.curve()
    return float(np.interp(k, curve.tp + curve.fp, curve.tp)) / k


def _check_share(name: str, value: float) -> None:
    if isinstance(value, bool) or not 0 < value <= 1:
        raise ValueError(f"{name} must lie in (0, 1], got {value!r}")
