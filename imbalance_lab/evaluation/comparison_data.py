"""Everything that the comparison of several runs shows, complete and typed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imbalance_lab.class_counts import ShotLimits
from imbalance_lab.evaluation.baseline_settings import compare_baselines, find_baselines
from imbalance_lab.evaluation.best_setting import corrected_score
from imbalance_lab.evaluation.comparison import RunComparison, compare_runs
from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.fold_comparison import NestedSelection, select_nested
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.setting_comparison import SettingComparison, compare_settings
from imbalance_lab.evaluation.settings import Setting, find_settings
from imbalance_lab.evaluation.study import Study
from imbalance_lab.evaluation.sweep import Run, group_by_test_set, varied_overrides


@dataclass(frozen=True)
class ComparedRuns:
    """The runs with predictions for the same test examples.

    Args:
        evaluations: by run name, best on validation first; only runs with scores, whose class counts are known.
        runs: the names of all runs, best on validation first.
        comparisons: each other run against the baseline or the best.
    """

    evaluations: Mapping[str, Evaluation]
    runs: tuple[str, ...]
    comparisons: tuple[RunComparison, ...]

    @property
    def rarest_ranked(self) -> list[int]:
        """The classes with ROC and PR curves, the rarest in training first."""
        if not self.evaluations:
            return []
        first = next(iter(self.evaluations.values()))
        order = np.argsort(first.train_counts, kind="stable").tolist()
        return [c for c in order if first.rankings[c].is_defined]


@dataclass(frozen=True)
class ComparisonData:
    """All data of a comparison.

    Args:
        runs: those without damage, best on validation first.
        damaged: those that are left out, because a file of theirs cannot be read.
        score: the name of the score that they are ranked by.
        varied: keys of the overrides that differ.
        groups: the runs by the examples that they were tested on; only within one are runs compared.
        histories: the scores of the epochs by run name.
        settings: the runs by what sets them apart but the replicates; the best on validation first.
        setting_comparisons: each other setting against the baseline or the best.
        n_settings: how many settings were tried: those with a validation score.
        best_corrected: the test score of the best setting, with an interval that accounts for the selection.
        nested: what the choice among cross-validated settings is worth.
        baselines: of the table that all runs share, not counted among the settings.
        baseline_comparisons: each of them against the setting that the others are compared with.
        study: the search that the runs are trials of; None for others.
        baselines_differ: whether the runs have different baselines, which then are left out.
    """

    runs: tuple[Run, ...]
    score: str
    varied: tuple[str, ...]
    groups: tuple[ComparedRuns, ...]
    histories: Mapping[str, EpochHistory]
    damaged: tuple[Run, ...] = ()
    settings: tuple[Setting, ...] = ()
    setting_comparisons: tuple[SettingComparison, ...] = ()
    n_settings: int = 0
    best_corrected: Score | None = None
    nested: NestedSelection | None = None
    baselines: tuple[Setting, ...] = ()
    baseline_comparisons: tuple[SettingComparison, ...] = ()
    baselines_differ: bool = False
    study: Study | None = None

    @property
    def rows(self) -> tuple[Setting, ...]:
        """The rows of a table: the settings, and below them the baselines."""
        return (*self.settings, *self.baselines)

    @property
    def best(self) -> Run | None:
        """The best run on validation; None if no run has that score."""
        return next((run for run in self.runs if run.score("val", self.score) is not None), None)

    @property
    def without_predictions(self) -> list[Run]:
        """The runs whose scores are known, but not the predictions that they are of."""
        return [run for run in self.runs if run.scores is not None and run.test is None]

    @property
    def unfinished(self) -> list[Run]:
        """The runs without scores."""
        return [run for run in self.runs if run.scores is None]

    @property
    def comparisons(self) -> list[RunComparison]:
        """Of all test sets."""
        return [each for group in self.groups for each in group.comparisons]

    @property
    def comparisons_of_best(self) -> list[RunComparison]:
        """Those with the best run on one side."""
        best = self.best
        return [] if best is None else [each for each in self.comparisons if label(best.name) in (each.a, each.b)]


def compute_comparison_data(
    runs: Sequence[Run], score: str = "auroc", baseline: str | None = None, study: Study | None = None
) -> ComparisonData:
    """Compare runs, which come best first, on their stored test predictions.

    Args:
        runs: see `imbalance_lab.evaluation.sweep.rank_runs`.
        score: a key of `imbalance_lab.evaluation.score_keys`.
        baseline: the name of the run that others are compared with; the best of each test set if None.
        study: the search that they are trials of.
    """
    damaged = tuple(run for run in runs if run.damage is not None)
    runs = [run for run in runs if run.damage is None]
    histories = {run.name: run.history for run in runs if run.history is not None}
    settings = find_settings(runs, score)
    reference = _setting_name(settings, baseline) if baseline is not None else None
    baselines, differ = find_baselines(runs, score)
    against = next((each for each in settings if reference in (None, each.name)), None)
    return ComparisonData(
        study=study,
        baselines=baselines,
        baseline_comparisons=compare_baselines(baselines, against, score),
        baselines_differ=differ,
        settings=settings,
        setting_comparisons=compare_settings(settings, score, reference),
        n_settings=sum(not math.isnan(each.val.value) for each in settings),
        best_corrected=corrected_score(settings, score),
        nested=select_nested([each for each in settings if not math.isnan(each.val.value)], score),
        runs=tuple(runs),
        damaged=damaged,
        score=score,
        varied=tuple(varied_overrides(runs)),
        groups=tuple(_compare_group(stored, runs, baseline) for stored in group_by_test_set(runs)),
        histories=histories,
    )


def _setting_name(settings: Sequence[Setting], run: str | None) -> str | None:
    """The name of the setting that a run belongs to."""
    return next((each.name for each in settings if run in {member.name for member in each.runs}), None)


def label(name: str) -> str:
    """What a run is called in a sentence."""
    return f"run {name}"


def _compare_group(stored: Mapping[str, Predictions], runs: Sequence[Run], baseline: str | None) -> ComparedRuns:
    train_counts = {
        run.name: [each["train_count"] for each in run.scores["test"].get("classes", [])] for run in runs if run.scores
    }
    folded = {run.name for run in runs if run.folds is not None}  # compared fold by fold
    own_model = {name: each for name, each in stored.items() if name not in folded}
    limits = {run.name: ShotLimits(**run.scores.get("shot_limits", {})) for run in runs if run.scores}
    return ComparedRuns(
        evaluations={
            name: Evaluation(each, train_counts[name], limits[name])
            for name, each in stored.items()
            if train_counts.get(name)
        },
        runs=tuple(stored),
        comparisons=tuple(_compare(own_model, baseline)),
    )


def _compare(stored: Mapping[str, Predictions], baseline: str | None) -> list[RunComparison]:
    """Every other run against ``baseline``, if it is among them, or else against the first."""
    if len(stored) < 2:
        return []
    reference = baseline if baseline is not None and baseline in stored else next(iter(stored))
    return compare_runs({label(name): each for name, each in stored.items()}, reference=label(reference))
