"""Intervals of macro scores of one-vs-rest rankings."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_examples, check_level, one_class_mask
from imbalance_lab.metrics.influence import Influence, Strata, auroc_influence, average_precision_influence
from imbalance_lab.metrics.intervals.auroc import auroc_interval, auroc_normal_approx_valid
from imbalance_lab.metrics.intervals.average_precision import (
    average_precision_interval,
    average_precision_normal_approx_valid,
)
from imbalance_lab.metrics.intervals.means import ScoreEstimate, dependent_mean_interval
from imbalance_lab.metrics.ranking import Ranking, check_ranking
from imbalance_lab.metrics.types import Interval, Mask, Scores
from imbalance_lab.task import Target

MAX_KEPT_INFLUENCES = 2**24  # 128 MiB for each model


class RankingScore(NamedTuple):
    """The functions that compute a score of a ranking and its error."""

    value: Callable[[Ranking], float]
    interval: Callable[[Ranking, float], Interval | None]
    influence: Callable[[Ranking, Scores, Mask], Influence]
    normal_approx_valid: Callable[[Ranking], bool]


AUROC_SCORE = RankingScore(lambda ranking: ranking.auroc, auroc_interval, auroc_influence, auroc_normal_approx_valid)
AVERAGE_PRECISION_SCORE = RankingScore(
    lambda ranking: ranking.average_precision,
    average_precision_interval,
    average_precision_influence,
    average_precision_normal_approx_valid,
)


def macro_auroc_interval(
    rankings: Sequence[Ranking], scores: Scores, target: Target, level: float = 0.95
) -> Interval | None:
    """The interval of the mean of one-vs-rest AUROCs, whose errors are correlated through the shared examples.

    The examples' influences on the mean (`metrics.influence`) give its standard error, used on the logit scale with
    Student's t. If the normal approximation is not valid for a class, the interval is extended to the ends that the
    classes' own intervals imply (MOVER; Zou & Donner 2008), with the correlations of their influences; of two classes
    it is these. If their scores mirror each other, they have one AUROC, and the macro interval is `auroc_interval`.

    Args:
        rankings: one for each class.
        scores: (N, C), the ranked scores.
        target: class indices (N,), or multilabel 0/1 (N, C).
        level: the confidence level.
    """
    return macro_interval(AUROC_SCORE, rankings, scores, target, level)


def macro_average_precision_interval(
    rankings: Sequence[Ranking], scores: Scores, target: Target, level: float = 0.95
) -> Interval | None:
    """The interval of the mean of one-vs-rest average precisions, as `macro_auroc_interval`."""
    return macro_interval(AVERAGE_PRECISION_SCORE, rankings, scores, target, level)


def macro_interval(
    score: RankingScore, rankings: Sequence[Ranking], scores: Scores, target: Target, level: float
) -> Interval | None:
    """The interval of the mean of ``score`` over the classes; arguments as for `macro_auroc_interval`."""
    check_level(level)
    scores, labels = as_examples(scores, target)
    for ranking in rankings:
        check_ranking(ranking)
    if len(rankings) != scores.shape[1]:
        raise ValueError(f"rankings must be one for each of {scores.shape[1]} classes, got {len(rankings)}")
    return MacroScore(score, rankings, scores, labels).interval(level)


class MacroScore:
    """The mean of ``score`` over the classes, for its interval at several levels; the arguments are not checked.

    The influences are kept for the next level if they are few enough, else computed again.
    """

    def __init__(
        self, score: RankingScore, rankings: Sequence[Ranking], scores: Scores, labels: NDArray[np.int64]
    ) -> None:
        self._score, self._rankings, self._scores, self._labels = score, rankings, scores, labels
        self._strata = Strata(labels)
        self._keeps = scores.size <= MAX_KEPT_INFLUENCES
        self._kept: dict[int, ScoreEstimate] = {}

    def interval(self, level: float) -> Interval | None:
        """The interval at this level; None if no class is defined."""
        defined = (c for c, ranking in enumerate(self._rankings) if ranking.is_defined)
        estimates = (
            self._estimate(c)._replace(interval=self._score.interval(self._rankings[c], level)) for c in defined
        )
        return dependent_mean_interval(estimates, self._strata, level)

    def _estimate(self, c: int) -> ScoreEstimate:
        """Class c's score without its interval."""
        if c in self._kept:
            return self._kept[c]
        ranking = self._rankings[c]
        influence = self._score.influence(ranking, self._scores[:, c], one_class_mask(self._labels, c))
        error = float(np.sqrt(self._strata.variance(influence)))
        valid = self._score.normal_approx_valid(ranking)
        estimate = ScoreEstimate(self._score.value(ranking), None, influence, error, valid)
        if self._keeps:
            self._kept[c] = estimate
        return estimate
