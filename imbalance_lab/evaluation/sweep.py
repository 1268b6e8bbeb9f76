"""The runs of a sweep, or any others, read from their directories and ranked on validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imbalance_lab.evaluation.evaluation import Score
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.report_data import EpochHistory
from imbalance_lab.evaluation.run_directory import RunDirectory, Split

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
    """

    directory: RunDirectory
    name: str
    overrides: dict[str, str]
    scores: dict[str, Any] | None
    state: str

    def score(self, split: Split, name: str) -> Score | None:
        """A score by its name in `SCORES`; None where it is undefined or the run has none."""
        content = None if self.scores is None else self.scores[split].get(name)
        if content is None or content["value"] is None:
            return None
        ends = content["ci95"]
        return Score(content["value"], None if ends is None else (ends[0], ends[1]))

    def val(self, name: str = "auroc") -> float:
        """The validation score that runs are ranked by; −∞ for a run without one."""
        score = self.score("val", name)
        return float("-inf") if score is None else score.value

    def read_history(self) -> EpochHistory | None:
        """The scores of its epochs; None if nothing was logged."""
        return EpochHistory.from_rows(self.directory.read_epochs())


def read_run(path: Path, name: str = "") -> Run:
    """Read a run's overrides and scores; ``name`` defaults to the name of its directory."""
    directory = RunDirectory(path)
    status = directory.read_status()
    return Run(
        directory=directory,
        name=name or path.name,
        overrides=directory.read_overrides(),
        scores=directory.read_scores(),
        state=status.get("error") or status["state"],
    )


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
        if run.directory.predictions("test").is_file():
            stored = run.directory.read_predictions("test")
            test_set = stored.classes, stored.index.tobytes(), stored.target.tobytes()
            groups.setdefault(test_set, {})[run.name] = stored
    return list(groups.values())
