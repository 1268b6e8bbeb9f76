"""The test score of the best setting, with an interval that pays for the selection among several.

What is claimed: with at least 95 % confidence, whatever the settings, the interval covers the score that the selected
setting has on average over new seeds (and subsets, where they varied) and new test examples. Its half-widths are
those of the spread over the replicates and of the test examples, combined; below, `metrics.selection.selection_bias`
is added: the most by which the best of that many settings can owe its score to lucky seeds.
`scripts/simulate_selection.py` verifies the coverage. A setting with a single run has its own interval: it is about
that trained model, to which the selection on other examples does nothing; how it would do with another seed is unknown.
"""

import math
from collections.abc import Sequence

from imbalance_lab.evaluation.fold_comparison import are_cross_validated
from imbalance_lab.evaluation.score_keys import is_lower_better
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.settings import Setting, within_range
from imbalance_lab.metrics import Interval
from imbalance_lab.metrics.selection import selection_bias


def corrected_score(settings: Sequence[Setting], score: str) -> Score | None:
    """The test score of the first of ``settings``, with an interval that accounts for the selection.

    Args:
        settings: the best on validation first.
        score: what they were ranked by.

    Returns:
        The test mean; None if the best setting has no validation or no test score. Its interval is None if the spread
        over the replicates or the error due to the test examples is unknown. Of cross-validated settings it is None:
        nested selection says what the choice is worth, see `evaluation.fold_comparison.select_nested`.
    """
    candidates = [each for each in settings if not math.isnan(each.val.value)]
    if not candidates or math.isnan(candidates[0].test.value):
        return None
    best = candidates[0]
    if are_cross_validated(best.runs):
        return None
    if best.n < 2:
        return best.test
    tested = [each for run in best.runs if (each := run.score("test", score)) is not None]
    lower = is_lower_better(score)
    pairs = [_replicates(each, score, -1 if lower else 1) for each in candidates]
    bias = selection_bias([val for val, _ in pairs], [test for _, test in pairs])
    interval = corrected_interval(best.test, tested, bias, lower)
    return Score(best.test.value, within_range(interval, score))


def corrected_interval(
    mean: Score, tested: Sequence[Score], bias: float, is_lower_better: bool = False
) -> Interval | None:
    """The interval of a mean over replicates, for other replicates, other test examples and the selection.

    Args:
        mean: with its interval over the replicates.
        tested: the scores of the replicates with their intervals for other test examples. These are the same examples
            for every replicate, so the errors do not average out.
        bias: the most that the selection can have improved the mean, ≥ 0.
        is_lower_better: whether an improvement is a lower score.
    """
    if mean.interval is None or not tested:
        return None
    sides = [(each.value - each.interval[0], each.interval[1] - each.value) for each in tested if each.interval]
    if len(sides) < len(tested):
        return None
    below, above = (math.fsum(side) / len(sides) for side in zip(*sides, strict=True))
    low, high = mean.interval
    low = mean.value - math.hypot(mean.value - low, below) - (0 if is_lower_better else bias)
    return low, mean.value + math.hypot(high - mean.value, above) + (bias if is_lower_better else 0)


def _replicates(setting: Setting, score: str, sign: int) -> tuple[list[float], list[float]]:
    """The validation and test scores of the replicates that have both, higher is better."""
    both = [(run.score("val", score), run.score("test", score)) for run in setting.runs]
    pairs = [(sign * val.value, sign * test.value) for val, test in both if val is not None and test is not None]
    return [val for val, _ in pairs], [test for _, test in pairs]
