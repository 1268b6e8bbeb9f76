"""The runs of a sweep, or any others, read from their directories and ranked on validation.

A run with a damaged file is told apart here: it has no scores, and `Run.damage` says which file it is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.earlier_scores import with_todays_losses
from imbalance_lab.evaluation.epoch_history import EpochHistory, read_history
from imbalance_lab.evaluation.fold_scores import Folds
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.score_keys import is_lower_better, stored_scores
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.stored_baselines import ListedBaseline, list_baselines
from imbalance_lab.evaluation.stored_files import reading

ScoreName = Literal["auroc", "average_precision", "balanced_accuracy", "accuracy"]
SCORES: dict[str, str] = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "balanced_accuracy": "bal. acc.",
    "accuracy": "accuracy",
}
"""The scores that runs can be ranked by, and their headings; AUROC and AP are macro."""


@dataclass(frozen=True)
class Run:
    """One run as its directory describes it.

    Args:
        directory: its files.
        name: what it is called in tables.
        overrides: of its command line, by key.
        scores: the content of its `RunDirectory.scores`; None if it did not finish.
        state: its error, or else its state, which explains why there are no scores.
        history: the scores of its epochs; None if nothing was logged.
        test: its test predictions; None if it has no scores, or no such file.
        damage: the sentence on a file that cannot be read; None if every file can.
        baselines: of its table.
        folds: the scores of its folds, if it is a cross-validation.
        is_pruned: whether a search has stopped it, because others had better scores.
    """

    directory: RunDirectory
    name: str
    overrides: dict[str, str]
    scores: dict[str, Any] | None
    state: str
    history: EpochHistory | None = None
    test: Predictions | None = None
    damage: str | None = None
    baselines: tuple[ListedBaseline, ...] = ()
    folds: Folds | None = None
    is_pruned: bool = False

    def score(self, split: Split, name: str) -> Score | None:
        """A score by its key, see `score_keys`; None where it is undefined or the run has none."""
        return self.scores_of(split).get(name)

    def scores_of(self, split: Split) -> Mapping[str, Score]:
        """All defined scores of a split, "val" or "test", by key."""
        return self._stored.get(split, {})

    @cached_property
    def _stored(self) -> dict[str, dict[str, Score]]:
        return {} if self.scores is None else {split: stored_scores(self.scores, split) for split in ("val", "test")}

    def val(self, name: str = "auroc") -> float:
        """The validation score that runs are ranked by, negative if lower is better; −∞ for a run without one."""
        score = self.score("val", name)
        return float("-inf") if score is None else -score.value if is_lower_better(name) else score.value


def read_run(path: Path, name: str = "") -> Run:
    """Read what a comparison needs of a run; ``name`` defaults to the name of its directory."""
    directory, name = RunDirectory(path), name or path.name
    try:
        return _read_whole(directory, name)
    except UsageError as error:
        return Run(directory, name, overrides={}, scores=None, state="damaged", damage=str(error))


def _read_whole(directory: RunDirectory, name: str) -> Run:
    status, overrides, scores = directory.read_status(), directory.read_overrides(), directory.read_scores()
    history, test = read_history(directory), None
    baselines: tuple[ListedBaseline, ...] = ()
    folds: Folds | None = None
    if scores is not None and directory.predictions("test").exists():
        test = directory.read_predictions("test")
        with reading(directory.scores, directory.evaluate_again):
            check_agreement(scores["test"], test, is_mean="cross_validation" in scores)
            baselines = list_baselines(directory, scores)
            folds = Folds.from_json(scores["cross_validation"]) if "cross_validation" in scores else None
    if scores is not None:
        scores = with_todays_losses(scores, directory, test)
    state = status.get("error") or status["state"]
    is_pruned = status["state"] == "pruned"
    return Run(directory, name, overrides, scores, state, history, test, None, baselines, folds, is_pruned)


def check_agreement(scores: Mapping[str, Any], predictions: Predictions, *, is_mean: bool = False) -> None:
    """Check what is cheap to compute of stored scores against the predictions that they are said to be of.

    Args:
        scores: of a split.
        predictions: for that split.
        is_mean: whether the scores are means over folds, which their predictions together need not have.

    Raises:
        ValueError: naming what differs.
    """
    target, task = predictions.target, predictions.task
    facts: dict[str, Any] = {"n": len(target)}
    if scores.get("classes"):
        facts["names of the classes"] = list(task.classes)
        facts["n_positive of the classes"] = task.one_hot(target).sum(0).tolist()
    stored = {
        "n": scores.get("n", len(target)),
        "names of the classes": [each["name"] for each in scores.get("classes", [])],
        "n_positive of the classes": [each["n_positive"] for each in scores.get("classes", [])],
    }
    for name, fact in facts.items():
        if stored[name] != fact:
            raise ValueError(f"{name}: {_shortened(stored[name])}, but {_shortened(fact)} in the predictions")
    accuracy = float(task.correct(predictions.logits, target).mean())
    reported = (scores.get("accuracy") or {}).get("value")
    if not is_mean and reported is not None and not math.isclose(reported, accuracy, abs_tol=1e-6):
        raise ValueError(f"accuracy: {reported:g}, but {accuracy:g} in the predictions")


def _shortened(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def read_sweep(path: Path) -> list[Run]:
    """The runs directly below ``path``, the best validation AUROC first; empty if there are none."""
    return rank_runs([read_run(below) for below in path.glob("*") if RunDirectory(below).is_run])


def rank_runs(runs: Sequence[Run], score: str = "auroc") -> list[Run]:
    """The best on validation first; equal ones by name."""
    return sorted(runs, key=lambda run: (-run.val(score), run.name))


def varied_overrides(runs: Sequence[Run]) -> list[str]:
    """The keys of the overrides that differ between the runs."""
    keys = dict.fromkeys(key for run in runs for key in run.overrides)
    return [key for key in keys if len({run.overrides.get(key) for run in runs}) > 1]


def group_by_test_set(runs: Sequence[Run]) -> list[dict[str, Predictions]]:
    """The stored test predictions by run, a group for each set of examples, targets and classes."""
    groups: dict[tuple[Any, ...], dict[str, Predictions]] = {}
    for run in runs:
        if run.test is not None:
            test_set = run.test.task.kind, run.test.classes, run.test.index.tobytes(), run.test.target.tobytes()
            groups.setdefault(test_set, {})[run.name] = run.test
    return list(groups.values())
