"""Settings compared on test: in pairs over their common replicates, or on the test examples of single runs.

Over replicates the differences of pairs with the same seed and subset are averaged, so that what the pairs share
cancels; interval and p are those of `metrics.replicates.replicate_mean`, and of cross-validated runs those of
`evaluation.fold_comparison`. They are about training again with other
seeds, and hold for these test examples. Two settings without two common replicates are compared on the test examples
of one pair of runs: about other examples, and these trained models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from imbalance_lab.evaluation.comparison import Compared, correct
from imbalance_lab.evaluation.fold_comparison import compare_folds
from imbalance_lab.evaluation.pair_tests import pair_test
from imbalance_lab.evaluation.score_keys import is_lower_better, score_range
from imbalance_lab.evaluation.settings import Setting, replicate
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.metrics import Comparison
from imbalance_lab.metrics.compare_rankings import ComparedAt
from imbalance_lab.metrics.replicates import ReplicateMean, replicate_mean
from imbalance_lab.metrics.significance import undefined_comparison

Unit = Literal["seeds", "examples", "folds"]


@dataclass(frozen=True)
class SettingComparison:
    """Setting a against setting b: positive differences say that the score of a is higher.

    Args:
        a, b: names of the settings.
        compared: the mean difference of the test score with interval and p; undefined where it cannot be tested.
        n: common replicates, or folds, with that score.
        unit: what interval and p are over: "seeds" (replicates), "examples" of a single pair of runs, or "folds" of
            cross-validated runs.
        is_lower_better: whether a negative difference is for a.
    """

    a: str
    b: str
    compared: Compared
    n: int
    unit: Unit
    is_lower_better: bool = False


def compare_settings(
    settings: Sequence[Setting], score: str = "auroc", baseline: str | None = None
) -> tuple[SettingComparison, ...]:
    """Every other setting against one, corrected by Holm's method over all.

    Args:
        settings: the best on validation first.
        score: the score to compare, see `imbalance_lab.evaluation.score_keys`.
        baseline: the name of the setting that others are compared with; the first if None.
    """
    if not settings:
        return ()
    reference = settings[0] if baseline is None else next(each for each in settings if each.name == baseline)
    others = [each for each in settings if each is not reference]
    found = [compare_pair(each, reference, score) for each in others]
    compared = correct([at for at, _, _ in found])
    lower = is_lower_better(score)
    return tuple(
        SettingComparison(each.name, reference.name, of_pair, n, unit, lower)
        for each, of_pair, (_, n, unit) in zip(others, compared, found, strict=True)
    )


def compare_pair(a: Setting, b: Setting, score: str) -> tuple[ComparedAt, int, Unit]:
    """Setting a against setting b at any level, the common replicates, and what the interval is over."""
    of_b = {replicate(run): run for run in b.runs}
    pairs = [(run, of_b[replicate(run)]) for run in a.runs if replicate(run) in of_b]
    lowest, highest = score_range(score)
    if (folded := compare_folds(pairs, score)) is not None:
        return partial(_over_replicates, folded, highest - lowest), folded.n, "folds"
    differences = {
        replicate(x): of_x.value - of_y.value
        for x, y in pairs
        if (of_x := x.score("test", score)) is not None
        and (of_y := y.score("test", score)) is not None
        and _same_test_set(x, y)
    }
    mean = replicate_mean(list(differences.values()), list(differences)) if len(differences) > 1 else None
    if mean is not None and not np.isnan(mean.error):
        return partial(_over_replicates, mean, highest - lowest), mean.n, "seeds"
    # One run of each is compared on its examples; so are replicates without spread, which say nothing more.
    singles = pairs or ([(a.runs[0], b.runs[0])] if len(a.runs) == len(b.runs) == 1 else [])
    for x, y in singles:
        if x.test is not None and y.test is not None and _same_test_set(x, y):
            test = pair_test(x, y, score)
            if test is not None:
                return test, 1, "examples"
    return (
        partial(_untested, sum(differences.values()) / len(differences) if differences else None),
        len(differences),
        "examples",
    )


def _over_replicates(mean: ReplicateMean, widest: float, level: float) -> Comparison:
    if np.isnan(mean.error):  # without spread
        return _untested(mean.mean, level)
    ends = mean.interval(level)
    if ends is not None:  # Student's t is not bounded, but no two scores are further apart
        ends = max(-widest, ends[0]), min(widest, ends[1])
    return Comparison(mean.mean, ends, mean.p, 0)


def _untested(difference: float | None, level: float) -> Comparison:
    return undefined_comparison(0) if difference is None else undefined_comparison(0)._replace(difference=difference)


def _same_test_set(a: Run, b: Run) -> bool:
    """Whether two runs were tested on the same examples, as far as their predictions are stored."""
    if a.test is None or b.test is None:
        return True
    one, other = a.test, b.test
    same = one.task.kind == other.task.kind and one.classes == other.classes
    return same and np.array_equal(one.index, other.index) and np.array_equal(one.target, other.target)
