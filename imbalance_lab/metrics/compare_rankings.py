"""Which of two models ranks the same examples better, and by how much.

Both models meet the same examples, so their errors go together, and the difference is known better than either score.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import t as student

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.metrics.influence import Influence, Strata, satterthwaite
from imbalance_lab.metrics.intervals import AUROC, AVERAGE_PRECISION, Interval, RankingScore, macro_interval
from imbalance_lab.metrics.ranking import Counts, Ranking, Scores, macro, rank_one_vs_rest
from imbalance_lab.metrics.significance import Comparison, undefined_comparison

SMALL_SAMPLE = 20  # positives; below, the test is against Student's t
ScoreName = Literal["auroc", "average_precision"]
SCORES: dict[str, RankingScore] = {"auroc": AUROC, "average_precision": AVERAGE_PRECISION}
OwnIntervals = Callable[[float], Sequence[Interval]]


class RankingComparison(NamedTuple):
    """The comparison of the macro score and of each class."""

    macro: Comparison
    classes: list[Comparison]


def compare_rankings(
    a: Scores, b: Scores, target: Counts, score: ScoreName = "auroc", level: float = 0.95
) -> RankingComparison:
    """Compare one-vs-rest AUROC or average precision, per class and macro.

    Per class this is the paired test of DeLong et al. (1988), for average precision the same from its own influences:
    difference over error against the normal distribution, below 20 positives against Student's with P − 1 degrees of
    freedom (P the rarer of positives and negatives). The macro score's degrees of freedom are Satterthwaite's, over the
    classes. Where either model's own error breaks down (nearly separated classes) the interval is extended to the ends
    that the two models' own intervals imply (MOVER for a difference; Zou 2007), as in `macro_auroc_interval`.

    Args:
        a: scores (N, C) of one model.
        b: scores (N, C) of the other for the same examples.
        target: class numbers (N,), or multi-label 0/1 (N, C).
        score: what is compared.
        level: of confidence.

    >>> target = np.repeat([0, 1], 50)
    >>> better, worse = (np.random.default_rng(0).normal(size=100) + shift * target for shift in (2, 0.5))
    >>> found = compare_rankings(np.stack([-better, better], 1), np.stack([-worse, worse], 1), target).macro
    >>> found.difference > 0 and found.p < 0.001
    True
    """
    if score not in get_args(ScoreName):
        raise ValueError(f"score must be one of {', '.join(get_args(ScoreName))}, got {score!r}")
    a, b, target = as_scores(a), as_scores(b), as_target(target)
    if a.shape != b.shape or len(a) != len(target):
        raise ValueError(
            f"the same examples and classes must be compared, got scores {a.shape} and {b.shape}, target {target.shape}"
        )
    of, rankings = SCORES[score], (rank_one_vs_rest(a, target), rank_one_vs_rest(b, target))
    overall = np.zeros((2, len(target)))
    classes = []
    for c, pair in enumerate(zip(*rankings, strict=True)):
        if not pair[0].is_defined:
            classes.append(undefined_comparison(pair[0].n_positive))
            continue
        positive = target == c if target.ndim == 1 else target[:, c] > 0
        influences = np.stack([of.influence(pair[0], a[:, c], positive), of.influence(pair[1], b[:, c], positive)])
        overall += influences
        classes.append(_compare_class(of, pair, influences, positive, level))
    defined = [c for c, comparison in enumerate(classes) if comparison.interval is not None]
    if not defined:
        return RankingComparison(undefined_comparison(0), classes)

    def own(level: float) -> list[Interval]:
        both = zip(rankings, (a, b), strict=True)
        return [macro_interval(of, ranked, scores, target, level) or (0.0, 1.0) for ranked, scores in both]

    values = [macro([of.value(ranked[c]) for c in defined]) for ranked in rankings]
    error_holds = all(of.error_holds(ranked[c]) for c in defined for ranked in rankings)
    rarest = min(classes[c].n_positive for c in defined)
    of_macro = _compare(values, overall / len(defined), Strata(target), None, own, error_holds, level)
    return RankingComparison(Comparison(*of_macro, rarest), classes)


def _compare_class(
    of: RankingScore, pair: tuple[Ranking, Ranking], influences: Influence, positive: NDArray[np.bool_], level: float
) -> Comparison:
    rarer = min(pair[0].n_positive, pair[0].n_negative)
    difference, interval, p = _compare(
        values=[of.value(ranking) for ranking in pair],
        influences=influences,
        strata=Strata(positive.astype(np.int64)),
        freedom=np.inf if rarer >= SMALL_SAMPLE else rarer - 1,
        own=lambda level: [of.interval(ranking, level) or (0.0, 1.0) for ranking in pair],
        error_holds=all(of.error_holds(ranking) for ranking in pair),
        level=level,
    )
    return Comparison(difference, interval, p, pair[0].n_positive)


def _compare(
    values: Sequence[float],
    influences: Influence,
    strata: Strata,
    freedom: float | None,
    own: OwnIntervals,
    error_holds: bool,
    level: float,
) -> tuple[float, Interval, float]:
    """Difference, interval and p of two scores with influences (2, N); Satterthwaite's freedom if none is given."""
    difference = values[0] - values[1]
    variances = strata.variances(influences[0] - influences[1])
    error = float(np.sqrt(variances.sum()))
    if freedom is None:
        freedom = satterthwaite(variances, strata.sizes)
    if error_holds and error == 0:  # the same order of the examples
        return difference, (difference, difference), 1.0
    correlation = _correlation(influences, strata, error)

    def implied(level: float) -> Interval:
        (low_a, high_a), (low_b, high_b) = own(level)
        down, up = values[0] - low_a, high_b - values[1]
        below = np.sqrt(max(0.0, down**2 + up**2 - 2 * correlation * down * up))
        up, down = high_a - values[0], values[1] - low_b
        above = np.sqrt(max(0.0, up**2 + down**2 - 2 * correlation * up * down))
        return max(-1.0, difference - float(below)), min(1.0, difference + float(above))

    if error == 0 or freedom < 1:  # separated by both, or a single positive: the influences tell nothing
        return difference, implied(level), _p_of(implied, difference)
    half = float(student.ppf((1 + level) / 2, freedom)) * error
    p = 2 * float(student.sf(abs(difference) / error, freedom))
    low, high = max(-1.0, difference - half), min(1.0, difference + half)
    if error_holds:
        return difference, (low, high), p
    implied_low, implied_high = implied(level)
    return difference, (min(low, implied_low), max(high, implied_high)), p


def _correlation(influences: Influence, strata: Strata, error: float) -> float:
    of_a, of_b = (strata.variance(influence) for influence in influences)
    if of_a == 0 or of_b == 0:
        return 0.0
    return float(np.clip((of_a + of_b - error**2) / (2 * np.sqrt(of_a * of_b)), -1, 1))


def _p_of(implied: Callable[[float], Interval], difference: float) -> float:
    """The p at which the interval of level 1 − p ends at 0."""
    if difference == 0:
        return 1.0

    def nearer_end(p: float) -> float:
        low, high = implied(1 - p)
        return low if difference > 0 else -high

    least, most = 1e-9, 0.999
    if nearer_end(least) > 0:
        return least
    return float(brentq(nearer_end, least, most)) if nearer_end(most) > 0 else 1.0
