"""Confidence intervals that hold with few positives; every one is (low, high) inside [0, 1], or None if undefined.

The usual Wald interval, estimate ± 1.96 standard errors, all but fails where positives are few; docs/benchmarks.md has
the coverage of these and of that one, `python scripts/coverage_intervals.py` measures it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.metrics.influence import (
    Influence,
    Strata,
    auroc_influence,
    average_precision_influence,
    average_precision_variance,
)
from imbalance_lab.metrics.ranking import Counts, Ranking, Scores, macro

Interval = tuple[float, float]


def wilson_interval(successes: float, trials: int, level: float = 0.95) -> Interval | None:
    """A proportion's interval (Wilson 1927).

    >>> tuple(round(end, 3) for end in wilson_interval(9, 10))
    (0.596, 0.982)
    """
    return _wilson_bounds(successes, trials, level) if trials else None


def auroc_interval(ranking: Ranking, level: float = 0.95) -> Interval | None:
    """AUROC's interval: DeLong's variance on the logit scale, or score inversion where that breaks down.

    Score inversion (Newcombe 2006, method 5, with the variance of Hanley & McNeil 1982) serves where the classes are
    nearly or fully separated, min(P, Q) · min(A, 1 − A) < 5, and DeLong's variance is far too small, even 0.
    """
    if not ranking.is_defined:
        return None
    if not auroc_error_holds(ranking):
        return _inverted_score(ranking.auroc, ranking.n_positive, ranking.n_negative, level)
    return _on_logit_scale(ranking.auroc, np.sqrt(ranking.auroc_variance), _z(level))


def planned_auroc_interval(area: float, n_positive: int, n_negative: int, level: float = 0.95) -> Interval:
    """The interval that so many examples would give an AUROC of ``area`` (Hanley & McNeil 1982, by its score).

    For planning: how large a split has to be, before there is a model.
    """
    if not 0 < area < 1 or n_positive < 1 or n_negative < 1:
        raise ValueError(f"area must lie in (0, 1) and both counts be ≥ 1, got {area}, {n_positive} and {n_negative}")
    return _inverted_score(area, n_positive, n_negative, level)


def average_precision_interval(ranking: Ranking, level: float = 0.95) -> Interval | None:
    """Average precision's interval: the error of its influences on the logit scale, with Student's quantile.

    Where that error breaks down, as AUROC's does or with P · min(AP, 1 − AP) < 5, AP is taken for a share of P: by
    Wilson's interval, and below one half by the lower end of Boyd et al. (2013), logit AP ± z / √(P·AP·(1 − AP)), which
    reaches further down. It must: every positive counts itself, so that AP of few positives is too high on average.
    """
    if not ranking.is_defined:
        return None
    value, n = ranking.average_precision, ranking.n_positive
    if average_precision_error_holds(ranking):
        quantile = float(student.ppf((1 + level) / 2, min(n, ranking.n_negative) - 1))
        return _on_logit_scale(value, np.sqrt(average_precision_variance(ranking)), quantile)
    low, high = _wilson_bounds(n * value, n, level)
    if value < 0.5:
        low = min(low, _on_logit_scale(value, np.sqrt(value * (1 - value) / n), _z(level))[0])
    return low, high


def macro_auroc_interval(
    rankings: Sequence[Ranking], scores: Scores, target: Counts, level: float = 0.95
) -> Interval | None:
    """The interval of the mean of one-vs-rest AUROCs, whose errors depend on one another through shared examples.

    The examples' influences on the mean (`metrics.influence`) give its error, taken on the logit scale. Where a class's
    own error breaks down, so does this one, and the interval is extended to the ends that the classes' own intervals
    imply (MOVER; Zou & Donner 2008), with the correlations of their influences.

    Args:
        rankings: one a class.
        scores: (N, C), what was ranked.
        target: class numbers (N,), or multi-label 0/1 (N, C).
        level: of confidence.
    """
    return macro_interval(AUROC, rankings, scores, target, level)


def macro_average_precision_interval(
    rankings: Sequence[Ranking], scores: Scores, target: Counts, level: float = 0.95
) -> Interval | None:
    """The interval of the mean of one-vs-rest average precisions, as `macro_auroc_interval`."""
    return macro_interval(AVERAGE_PRECISION, rankings, scores, target, level)


def balanced_accuracy_interval(confusion: Counts, level: float = 0.95) -> Interval | None:
    """The interval of the mean recall: its error on the logit scale, as the classes' recalls are independent.

    Where a class has fewer than 5 hits or misses it is extended to the ends that the recalls' own Wilson intervals
    imply (`mean_interval`); these alone are too narrow over many classes.
    """
    hits, n = confusion.diagonal(), confusion.sum(1)
    present = np.flatnonzero(n)
    if len(present) == 0:
        return None
    hits, n = hits[present], n[present]
    recalls = hits / n
    ends = mean_interval(recalls.tolist(), [wilson_interval(h, of, level) for h, of in zip(hits, n, strict=True)])
    error = np.sqrt((recalls * (1 - recalls) / np.maximum(n - 1, 1)).sum()) / len(n)
    return _joined(float(recalls.mean()), error, ends or (0.0, 1.0), bool(np.minimum(hits, n - hits).min() >= 5), level)


def mean_interval(values: Sequence[float], intervals: Sequence[Interval | None]) -> Interval | None:
    """The interval of the mean of independent estimates, from theirs (MOVER; Zou & Donner 2008).

    The distances from the estimates to their ends add up as variances do, low and high ends apart, so that an estimate
    at the edge of its range, with nothing above it, adds nothing above.
    """
    known = [(value, *ends) for value, ends in zip(values, intervals, strict=True) if ends is not None]
    if not known:
        return None
    value, low, high = np.array(known).T
    mean, n = float(value.mean()), len(known)
    below, above = np.sqrt(((value - low) ** 2).sum()) / n, np.sqrt(((high - value) ** 2).sum()) / n
    return max(0.0, mean - float(below)), min(1.0, mean + float(above))


def auroc_error_holds(ranking: Ranking) -> bool:
    """Whether DeLong's variance is to be trusted: enough of the rarer kind are ranked wrongly."""
    return _wrong(ranking) >= 5 and ranking.auroc_variance > 0


def average_precision_error_holds(ranking: Ranking) -> bool:
    """Whether the variance of AP's influences is to be trusted."""
    value = ranking.average_precision
    return min(_wrong(ranking), ranking.n_positive * min(value, 1 - value)) >= 5


class RankingScore(NamedTuple):
    """What there is to know about a score of a ranking."""

    value: Callable[[Ranking], float]
    interval: Callable[[Ranking, float], Interval | None]
    influence: Callable[[Ranking, Scores, NDArray[np.bool_]], Influence]
    error_holds: Callable[[Ranking], bool]


AUROC = RankingScore(lambda ranking: ranking.auroc, auroc_interval, auroc_influence, auroc_error_holds)
AVERAGE_PRECISION = RankingScore(
    lambda ranking: ranking.average_precision,
    average_precision_interval,
    average_precision_influence,
    average_precision_error_holds,
)


def macro_interval(
    score: RankingScore, rankings: Sequence[Ranking], scores: Scores, target: Counts, level: float
) -> Interval | None:
    """The interval of the mean of ``score`` over the classes; arguments as for `macro_auroc_interval`."""
    scores, target = as_scores(scores), as_target(target)

    def part(c: int) -> Part:
        positive = target == c if target.ndim == 1 else target[:, c] > 0
        ranking = rankings[c]
        influence = score.influence(ranking, scores[:, c], positive)
        return Part(score.value(ranking), score.interval(ranking, level), influence, score.error_holds(ranking))

    defined = (part(c) for c, ranking in enumerate(rankings) if ranking.is_defined)
    return dependent_mean_interval(defined, Strata(target), level)


class Part(NamedTuple):
    """A score of a class, its interval, each example's influence on it (N,), and whether these give its error."""

    value: float
    interval: Interval | None
    influence: Influence
    error_holds: bool


def dependent_mean_interval(parts: Iterable[Part], strata: Strata, level: float) -> Interval | None:
    """The interval of the mean of scores of the same examples, whose errors go together; None for no score."""
    n_examples = len(strata.of_example)
    total, stretched = np.zeros(n_examples), np.zeros((2, n_examples))  # so scaled that the error reaches the own ends
    unseen = np.zeros(2)  # squared distances to the ends of fully separated classes, whose influences are all 0
    values, holds = [], True
    for part in parts:  # one after the other: many classes' influences do not fit into memory together
        total += part.influence
        distances = _distances(part.value, part.interval)
        error = np.sqrt(strata.variance(part.influence))
        if error > 0:
            stretched += np.outer(distances / error, part.influence)
        else:
            unseen += distances**2
        values.append(part.value)
        holds &= part.error_holds
    if not values:
        return None
    mean, n = macro(values), len(values)
    below, above = (np.sqrt(strata.variance(s) + u) / n for s, u in zip(stretched, unseen, strict=True))
    ends = max(0.0, mean - float(below)), min(1.0, mean + float(above))
    error = np.sqrt(strata.variance(total)) / n
    return _joined(mean, error, ends, holds, level)


def _joined(mean: float, error: float, ends: Interval, error_holds: bool, level: float) -> Interval:
    """The interval of a mean by its error, or, where that does not hold for all its parts, by ``ends`` too.

    Neither alone covers: the error knows nothing of classes without a mistake, and ends that are recovered from
    intervals that lean to one side lean more, the more classes there are.
    """
    if not error > 0 or not 0 < mean < 1:
        return ends
    low, high = _on_logit_scale(mean, error, _z(level))
    return (low, high) if error_holds else (min(low, ends[0]), max(high, ends[1]))


def _distances(value: float, interval: Interval | None) -> NDArray[np.float64]:
    low, high = interval or (0.0, 1.0)
    return np.array([value - low, high - value])


def _wrong(ranking: Ranking) -> float:
    """How many of the rarer kind are, in the mean, ranked wrongly (or rightly, where that is less)."""
    area = ranking.auroc
    return min(ranking.n_positive, ranking.n_negative) * min(area, 1 - area)


def _z(level: float) -> float:
    return float(norm.ppf((1 + level) / 2))


def _on_logit_scale(value: float, error: float, quantile: float) -> Interval:
    middle, half = logit(value), quantile * error / (value * (1 - value))
    return float(expit(middle - half)), float(expit(middle + half))


def _inverted_score(area: float, n_positive: int, n_negative: int, level: float) -> Interval:
    """All areas a whose own standard error keeps the observed one within z of them."""
    z, pairs, each = _z(level), n_positive * n_negative, (n_positive + n_negative) / 2 - 1

    def excess(a: float) -> float:
        variance = a * (1 - a) / pairs * (1 + each * (1 - a) / (2 - a) + each * a / (1 + a))
        return float((area - a) ** 2 - z**2 * variance)

    inside = min(max(area, 1e-9), 1 - 1e-9)  # where the excess is negative, also for areas of 0 and 1
    low = float(brentq(excess, 0.0, inside)) if area > 0 else 0.0
    high = float(brentq(excess, inside, 1.0)) if area < 1 else 1.0
    return low, high


def _wilson_bounds(successes: float, trials: int, level: float) -> Interval:
    z, share = _z(level), successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
