"""Cross-validated settings, compared fold by fold, and chosen fold by fold: nested selection.

Two settings that were cross-validated on the same folds are compared by the corrected resampled t test of their
differences on each (see `metrics.resampled`). Of several replicates (seeds) the mean of each fold counts.

The score of the setting that is best on validation over all folds is too good by luck: it was chosen. Nested selection
chooses anew in each fold, on the validation examples of that fold alone, and takes the score of the chosen setting on
what the fold tests, which had no part in the choice. The mean over the folds is what choosing so is worth (Varma &
Simon 2006, "Bias in error estimation when using cross-validation for model selection", BMC Bioinformatics 7).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imbalance_lab.evaluation.fold_scores import Folds, interval_of
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.score_keys import is_lower_better
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.metrics.replicates import ReplicateMean
from imbalance_lab.metrics.resampled import resampled_mean

if TYPE_CHECKING:
    from imbalance_lab.evaluation.settings import Setting


@dataclass(frozen=True)
class NestedSelection:
    """What the choice among settings is worth, by nested cross-validation.

    Args:
        score: the mean test score of the setting that each fold has chosen, with its interval.
        chosen: names of settings, and how many folds have chosen each; the most frequent first.
        n: folds.
    """

    score: Score
    chosen: tuple[tuple[str, int], ...]
    n: int


def are_cross_validated(runs: Sequence[Run]) -> bool:
    """Whether all of the runs were cross-validated on the same folds."""
    first = runs[0] if runs else None
    return first is not None and all(have_same_folds(first, each) for each in runs)


def have_same_folds(a: Run, b: Run) -> bool:
    """Whether two runs were cross-validated, and their folds have the same examples."""
    if a.folds is None or b.folds is None or len(a.folds.scores) != len(b.folds.scores):
        return False
    if [each.n_test for each in a.folds.scores] != [each.n_test for each in b.folds.scores]:
        return False
    if a.test is None or b.test is None:
        return True
    same = np.array_equal(a.test.index, b.test.index) and np.array_equal(a.test.target, b.test.target)
    return bool(same and a.test.fold is not None and b.test.fold is not None and a.test.fold.equals(b.test.fold))


def values_of_folds(runs: Sequence[Run], split: Split, key: str) -> dict[int, float]:
    """The mean of a score over runs for each fold in which all of them have it."""
    found: dict[int, list[float]] = {}
    for run in runs:
        for fold in _folds(run).scores:
            if key in fold.of(split):
                found.setdefault(fold.number, []).append(fold.of(split)[key])
    return {number: math.fsum(values) / len(runs) for number, values in found.items() if len(values) == len(runs)}


def mean_of_folds(runs: Sequence[Run], split: Split, key: str) -> Score:
    """The mean of a score over the folds of runs, which are replicates of one setting."""
    values = list(values_of_folds(runs, split, key).values())
    if not values:
        return Score(math.nan)
    mean = resampled_mean(values, _folds(runs[0]).test_per_train)
    return Score(mean.mean, interval_of(mean, key) if split == "test" else None)


def compare_folds(pairs: Sequence[tuple[Run, Run]], key: str) -> ReplicateMean | None:
    """The mean difference of a test score over the folds of pairs of runs; None unless all have the same folds."""
    if not pairs or not are_cross_validated([run for pair in pairs for run in pair]):
        return None
    of_a, of_b = (values_of_folds([pair[side] for pair in pairs], "test", key) for side in (0, 1))
    differences = [value - of_b[number] for number, value in of_a.items() if number in of_b]
    return resampled_mean(differences, _folds(pairs[0][0]).test_per_train) if differences else None


def select_nested(settings: "Sequence[Setting]", key: str) -> NestedSelection | None:
    """What choosing among settings on validation is worth; None unless all were cross-validated on the same folds.

    Args:
        settings: those with a validation score.
        key: of the score that they are chosen by.
    """
    if not settings or not are_cross_validated([run for each in settings for run in each.runs]):
        return None
    sign = -1 if is_lower_better(key) else 1
    vals = [values_of_folds(each.runs, "val", key) for each in settings]
    tests = [values_of_folds(each.runs, "test", key) for each in settings]
    chosen, values = Counter[str](), []
    for fold in _folds(settings[0].runs[0]).scores:
        known = [place for place, val in enumerate(vals) if fold.number in val]
        if not known:
            continue
        best = max(known, key=lambda place: sign * vals[place][fold.number])
        chosen[settings[best].name] += 1
        if fold.number in tests[best]:
            values.append(tests[best][fold.number])
    if not values:
        return None
    mean = resampled_mean(values, _folds(settings[0].runs[0]).test_per_train)
    return NestedSelection(Score(mean.mean, interval_of(mean, key)), tuple(chosen.most_common()), chosen.total())


def _folds(run: Run) -> Folds:
    assert run.folds is not None
    return run.folds
