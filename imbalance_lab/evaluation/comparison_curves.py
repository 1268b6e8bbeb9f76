"""Curves of several replicates of one setting: their mean, and the range from the lowest to the highest replicate.

ROC curves are averaged vertically (Fawcett 2006, "An introduction to ROC analysis", section 8.1): the mean true
positive rate at each false positive rate, so that the area under the mean curve is the mean AUROC. PR curves are
averaged at each recall, so that the step-wise area under the mean curve is the mean average precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.metrics import Ranking

Values = NDArray[np.float64]


@dataclass(frozen=True)
class MeanCurve:
    """The mean of ``n`` curves and their range, all over the same places.

    Args:
        x: (V,) ascending; where a ROC curve jumps the place stands twice, before and after.
        mean, low, high: (V,) over the replicates.
        n: replicates; with one, low and high are the curve itself.
    """

    x: Values
    mean: Values
    low: Values
    high: Values
    n: int


@dataclass(frozen=True)
class ClassCurves:
    """The curves of one class over the replicates of a setting.

    Args:
        roc, pr: the mean curves.
        auroc, average_precision: the means of the scores, which are the areas under the mean curves.
        n_positive, n_negative: test examples, the same of every replicate.
    """

    roc: MeanCurve
    pr: MeanCurve
    auroc: float
    average_precision: float
    n_positive: int
    n_negative: int


def class_curves(rankings: Sequence[Ranking]) -> ClassCurves:
    """The curves of ``rankings`` of one class, one a replicate, for the same test examples."""
    return ClassCurves(
        roc=mean_roc(rankings),
        pr=mean_pr(rankings),
        auroc=float(np.mean([each.auroc for each in rankings])),
        average_precision=float(np.mean([each.average_precision for each in rankings])),
        n_positive=rankings[0].n_positive,
        n_negative=rankings[0].n_negative,
    )


def mean_roc(rankings: Sequence[Ranking]) -> MeanCurve:
    """The mean true positive rate over the false positive rate, exact at every vertex of every replicate.

    Args:
        rankings: of one class, one a replicate, each with positives and negatives.
    """
    _check_rankings(rankings)
    curves = [ranking.curve() for ranking in rankings]
    rates = [(c.fp / r.n_negative, c.tp / r.n_positive) for c, r in zip(curves, rankings, strict=True)]
    places = np.unique(np.concatenate([fpr for fpr, _ in rates]))
    replicates = [_before_and_after(places, *rate) for rate in rates]
    return _summarize(np.repeat(places, 2), np.stack(replicates))


def mean_pr(rankings: Sequence[Ranking]) -> MeanCurve:
    """The mean precision at each recall k / P: of the highest threshold that finds k of the P positives.

    Args:
        rankings: of one class, one a replicate, for the same test examples.

    Raises:
        ValueError: the replicates have different numbers of positives.
    """
    _check_rankings(rankings)
    n_positive = {ranking.n_positive for ranking in rankings}
    if len(n_positive) > 1:
        raise ValueError(f"replicates of a PR curve need the same positives, got {sorted(n_positive)} of them")
    found = np.arange(1, rankings[0].n_positive + 1)
    precision = [(r.tp / (r.tp + r.fp))[np.searchsorted(r.tp, found)] for r in rankings]
    return _summarize(found / len(found), np.stack(precision))


def mean_auroc_history(histories: Sequence[EpochHistory]) -> MeanCurve:
    """The mean validation AUROC over the epochs that every replicate logged, (V,) may be empty."""
    by_epoch = [dict(zip(each.epoch, each.auroc, strict=True)) for each in histories]
    defined = [{epoch for epoch, value in each.items() if value is not None} for each in by_epoch]
    epochs = sorted(set.intersection(*defined)) if defined else []
    values = [[each[epoch] for epoch in epochs] for each in by_epoch]
    return _summarize(np.array(epochs, np.float64), np.array(values, np.float64).reshape(len(values), len(epochs)))


def _before_and_after(places: Values, fpr: Values, tpr: Values) -> Values:
    """The true positive rate at places (V,), which end at 1: (2 V,), where the curve's rise at each begins and ends."""
    x, first = np.unique(fpr, return_index=True)
    low, high = tpr[first], tpr[np.append(first[1:], len(tpr)) - 1]
    at = np.searchsorted(x, places, "right") - 1
    following = np.minimum(at + 1, len(x) - 1)
    width = np.where(following > at, x[following] - x[at], 1.0)
    between = high[at] + (low[following] - high[at]) * (places - x[at]) / width
    is_vertex = x[at] == places
    return np.stack([np.where(is_vertex, ends, between) for ends in (low[at], high[at])], 1).ravel()


def _summarize(x: Values, replicates: Values) -> MeanCurve:
    """Of replicates (n, V)."""
    if not len(replicates):
        return MeanCurve(x, x, x, x, 0)
    return MeanCurve(x, replicates.mean(0), replicates.min(0), replicates.max(0), len(replicates))


def _check_rankings(rankings: Sequence[Ranking]) -> None:
    if not rankings or not all(ranking.is_defined for ranking in rankings):
        raise ValueError("a mean curve needs one replicate or more, each with positives and negatives")
