"""Paired comparisons of two models' rankings of the same examples.

The errors of two models on the same examples are correlated, so their difference is estimated more precisely than
either score.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_examples, as_scores, check_level, one_class_mask
from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.distributions import student_p_value, student_quantile
from imbalance_lab.metrics.influence import Influence, Strata, student_df
from imbalance_lab.metrics.intervals.auroc import one_kind_auroc_interval
from imbalance_lab.metrics.intervals.macro import (
    AUROC_SCORE,
    AVERAGE_PRECISION_SCORE,
    MacroScore,
    RankingScore,
)
from imbalance_lab.metrics.ranking import Ranking, rank_one_vs_rest
from imbalance_lab.metrics.significance import Comparison, implied_p_value, undefined_comparison
from imbalance_lab.metrics.types import Counts, Interval, Mask, Scores
from imbalance_lab.task import Target
from imbalance_lab.validation import check_choice

SMALL_SAMPLE = 20  # positives; with fewer, the test uses Student's t
ScoreName = Literal["auroc", "average_precision"]
SCORES: dict[str, RankingScore] = {
    "auroc": AUROC_SCORE._replace(interval=one_kind_auroc_interval),
    "average_precision": AVERAGE_PRECISION_SCORE,
}
OwnIntervals = Callable[[float], Sequence[Interval]]
"""A confidence level → the interval of each model's score."""
ComparedAt = Callable[[float], Comparison]
"""A confidence level → the comparison with its interval at that level."""


class RankingComparison(NamedTuple):
    """The comparison of the macro score and of each class."""

    macro: Comparison
    classes: list[Comparison]


class PairedRankings(NamedTuple):
    """The comparison of the macro score and of each class, at any confidence level."""

    macro: ComparedAt
    classes: list[ComparedAt]


def compare_rankings(
    a: Scores, b: Scores, target: Target, score: ScoreName = "auroc", level: float = 0.95
) -> RankingComparison:
    """Compare one-vs-rest AUROC or average precision, for each class and macro.

    For each class this is the paired test of DeLong et al. (1988), for average precision the same test with its own
    influences: difference / standard error against the normal distribution, with fewer than 20 positives against
    Student's t with P − 1 degrees of freedom (P the rarer of positives and negatives). The macro score has
    Satterthwaite's degrees of freedom over the classes; over two classes, which rank the same pairs, those of one.
    Where the normal approximation is not valid for either model (nearly separated classes), the interval is extended to
    the ends that the two models' own intervals imply (MOVER for a difference; Zou 2007; for AUROC by the variance of
    Hanley & McNeil 1982), and 1 − p is the level at which it ends at 0: p < 1 − level exactly if it excludes 0.

    Args:
        a: scores (N, C) of one model.
        b: scores (N, C) of the other model for the same examples.
        target: class indices (N,), or multilabel 0/1 (N, C).
        score: the score to compare.
        level: the confidence level.

    >>> target = np.repeat([0, 1], 50)
    >>> better, worse = (np.random.default_rng(0).normal(size=100) + shift * target for shift in (2, 0.5))
    >>> comparison = compare_rankings(np.stack([-better, better], 1), np.stack([-worse, worse], 1), target).macro
    >>> comparison.difference > 0 and comparison.p < 0.001
    True
    """
    check_level(level)
    found = pair_rankings(a, b, target, score)
    return RankingComparison(found.macro(level), [of_class(level) for of_class in found.classes])


def pair_rankings(a: Scores, b: Scores, target: Target, score: ScoreName = "auroc") -> PairedRankings:
    """What `compare_rankings` computes once, for intervals at several levels."""
    check_choice("score", score, get_args(ScoreName))
    a, b = as_scores(a, "a", ndim=2), as_scores(b, "b", ndim=2)
    if a.shape != b.shape:
        raise ValueError(f"both models must score the same examples and classes, got a {a.shape} and b {b.shape}")
    a, labels = as_examples(a, target, "scores a and b")
    return _Pair(SCORES[score], (a, b), labels).compare()


class _Pair:
    """The rankings of two models' scores of the same examples."""

    def __init__(self, score: RankingScore, scores: tuple[Scores, Scores], target: NDArray[np.int64]) -> None:
        self.score, self.scores, self.target = score, scores, target
        self.rankings = [rank_one_vs_rest(each, target) for each in scores]
        self.macro_scores = [
            MacroScore(score, rankings, each, target) for rankings, each in zip(self.rankings, scores, strict=True)
        ]

    def compare(self) -> PairedRankings:
        total = np.zeros((2, len(self.target)))
        classes: list[ComparedAt] = []
        for c, pair in enumerate(zip(*self.rankings, strict=True)):
            if not pair[0].is_defined:
                classes.append(_undefined(pair[0].n_positive))
                continue
            positive = one_class_mask(self.target, c)
            influences = np.stack(
                [
                    self.score.influence(ranking, scores[:, c], positive)
                    for ranking, scores in zip(pair, self.scores, strict=True)
                ]
            )
            total += influences
            classes.append(_compare_class(self.score, pair, influences, positive))
        return PairedRankings(self._compare_macro(total), classes)

    def _compare_macro(self, total: Influence) -> ComparedAt:
        """Compare the means over the defined classes; ``total`` (2, N) are the sums of the classes' influences."""
        rankings = [[ranking for ranking in of_model if ranking.is_defined] for of_model in self.rankings]
        if not rankings[0]:
            return _undefined(0)
        return _compared_at(
            values=[macro([self.score.value(ranking) for ranking in of_model]) for of_model in rankings],
            influences=total / len(rankings[0]),
            strata=Strata(self.target),
            own_intervals=self._macro_intervals,
            normal_approx_valid=all(
                self.score.normal_approx_valid(ranking) for of_model in rankings for ranking in of_model
            ),
            n_positive=min(ranking.n_positive for ranking in rankings[0]),
        )

    def _macro_intervals(self, level: float) -> list[Interval]:
        return [macro_score.interval(level) or (0.0, 1.0) for macro_score in self.macro_scores]


def _compare_class(
    score: RankingScore, pair: tuple[Ranking, Ranking], influences: Influence, positive: Mask
) -> ComparedAt:
    return _compared_at(
        values=[score.value(ranking) for ranking in pair],
        influences=influences,
        strata=Strata(positive.astype(np.int64)),
        own_intervals=lambda level: [score.interval(ranking, level) or (0.0, 1.0) for ranking in pair],
        normal_approx_valid=all(score.normal_approx_valid(ranking) for ranking in pair),
        n_positive=pair[0].n_positive,
    )


def _undefined(n_positive: int) -> ComparedAt:
    return lambda level: undefined_comparison(n_positive)


def _compared_at(
    values: Sequence[float],
    influences: Influence,
    strata: Strata,
    own_intervals: OwnIntervals,
    normal_approx_valid: bool,
    n_positive: int,
) -> ComparedAt:
    """The comparison of two scores with influences (2, N)."""
    difference = values[0] - values[1]
    variances = strata.variances(influences[0] - influences[1])
    error, df = float(np.sqrt(variances.sum())), _paired_df(variances, strata.sizes)
    if normal_approx_valid and error == 0 == difference:  # both models rank the examples alike
        return lambda level: Comparison(difference, (difference, difference), 1.0, n_positive)
    correlation = _correlation(influences, strata, error)

    def implied(level: float) -> Interval:
        return _implied_interval(values, own_intervals(level), correlation)

    def from_intervals(level: float) -> Comparison:
        interval = implied(level)
        return Comparison(difference, interval, implied_p_value(implied, difference, interval, level), n_positive)

    def from_error(level: float) -> Interval:
        half_width = student_quantile(level, df) * error
        return max(-1.0, difference - half_width), min(1.0, difference + half_width)

    if error == 0 or df < 1:  # separated by both models, or a single positive: the influences give no error
        return from_intervals
    if normal_approx_valid:
        p = student_p_value(difference / error, df)
        return lambda level: Comparison(difference, from_error(level), p, n_positive)

    def united(level: float) -> Comparison:
        interval = implied(level)
        p = implied_p_value(implied, difference, interval, level)
        low, high = from_error(level)
        ends = min(low, interval[0]), max(high, interval[1])
        return Comparison(difference, ends, max(student_p_value(difference / error, df), p), n_positive)

    return united


def _paired_df(variances: NDArray[np.float64], sizes: Counts) -> float:
    """`student_df`; of two strata the normal distribution's, if both are large enough for DeLong's test."""
    return np.inf if len(sizes) == 2 and sizes.min() >= SMALL_SAMPLE else student_df(variances, sizes)


def _implied_interval(values: Sequence[float], intervals: Sequence[Interval], correlation: float) -> Interval:
    """The interval of a difference of two scores from their own intervals (MOVER; Zou 2007)."""
    (low_a, high_a), (low_b, high_b) = intervals
    difference = values[0] - values[1]
    below = _combined_distance(values[0] - low_a, high_b - values[1], correlation)
    above = _combined_distance(high_a - values[0], values[1] - low_b, correlation)
    return max(-1.0, difference - below), min(1.0, difference + above)


def _combined_distance(a: float, b: float, correlation: float) -> float:
    return float(np.sqrt(max(0.0, a**2 + b**2 - 2 * correlation * a * b)))


def _correlation(influences: Influence, strata: Strata, error: float) -> float:
    """The correlation of the two scores' errors; ``error`` is the standard error of their difference."""
    variance_a, variance_b = (strata.variance(influence) for influence in influences)
    if variance_a == 0 or variance_b == 0:
        return 0.0
    return float(np.clip((variance_a + variance_b - error**2) / (2 * np.sqrt(variance_a * variance_b)), -1, 1))
