"""One table of several runs, those of a sweep or any others, best first, read from their directories."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf
from rich.table import Table

from imbalance_lab.evaluation.comparison import RunComparison, compare_runs
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.metrics import over_seeds
from imbalance_lab.report.terminal import number, plain_table

SCORES = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "balanced_accuracy": "bal. acc.",
    "accuracy": "accuracy",
}
"""What runs can be ranked by, and its heading; AUROC and AP are macro."""


class Run(NamedTuple):
    """What a run's directory says about it; ``metrics`` is None if it did not finish, and then ``why`` says why."""

    directory: Path
    name: str
    overrides: dict[str, str]
    metrics: dict[str, Any] | None
    why: str

    def val(self, score: str = "auroc") -> float:
        """A score on validation, by which runs are ranked; −∞ for a run without one."""
        value = None if self.metrics is None else self.metrics["val"][score]["value"]
        return float("-inf") if value is None else float(value)

    @property
    def test_predictions(self) -> Path:
        """The file of its stored predictions."""
        return self.directory / "predictions" / "test.parquet"


def read_run(directory: Path, name: str = "") -> Run:
    """Read a run's overrides and scores; it is called by its directory's name unless another is given."""
    overrides = OmegaConf.load(directory / ".hydra" / "overrides.yaml")
    metrics, status = directory / "metrics.json", directory / "status.json"
    state = json.loads(status.read_text(encoding="utf-8")) if status.is_file() else {"state": "not started"}
    return Run(
        directory=directory,
        name=name or directory.name,
        overrides={key: value for key, _, value in (str(each).lstrip("+~").partition("=") for each in overrides)},
        metrics=json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else None,
        why=state.get("error") or state["state"],
    )


def read_sweep(directory: Path) -> list[Run]:
    """The runs below ``directory``, best validation AUROC first."""
    return ranked([read_run(file.parent.parent) for file in directory.glob("*/.hydra/overrides.yaml")])


def ranked(runs: Sequence[Run], score: str = "auroc") -> list[Run]:
    """The best on validation first."""
    return sorted(runs, key=lambda run: (-run.val(score), run.name))


def varied_keys(runs: Sequence[Run]) -> list[str]:
    """The overrides that differ between the runs."""
    keys = dict.fromkeys(key for run in runs for key in run.overrides)
    return [key for key in keys if len({run.overrides.get(key) for run in runs}) > 1]


def sweep_table(runs: Sequence[Run], score: str = "auroc") -> Table:
    """One row a run, in the order given; only overrides that differ between the runs are shown."""
    varied = varied_keys(runs)
    table = plain_table(f"{len(runs)} runs, best validation {SCORES[score]} first")
    table.add_column("run", no_wrap=True)
    for heading in varied:
        table.add_column(heading, overflow="fold")  # where there is no room, these give way, not the scores
    second = "balanced_accuracy" if score == "auroc" else "auroc"
    for heading in (f"val {SCORES[score]}", *(f"test {SCORES[each]} [95 % CI]" for each in (score, second))):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        swept = [run.overrides.get(key, "") for key in varied]
        table.add_row(run.name, *swept, *_scores(run, score, second))
    return table


def failure_lines(runs: Sequence[Run]) -> list[str]:
    """Why runs have no scores."""
    return [f"run {run.name} has no scores: {run.why}" for run in runs if run.metrics is None]


def comparison_lines(runs: Sequence[Run], score: str = "auroc", baseline: str | None = None) -> list[str]:
    """How each run differs on test from the best one, or from ``baseline``, in words.

    Runs that were tested on other examples, or know other classes, are compared among themselves.
    """
    together = same_examples(runs)
    lines = []
    for place, stored in enumerate(together, 1):
        if len(together) > 1:
            lines.append(f"test set {place} of {len(together)}: run {', '.join(stored)}")
        lines += [f"test {SCORES[score]}: {each.in_words(score)}" for each in compared(stored, baseline)]
    return lines


def compared(stored: Mapping[str, Predictions], baseline: str | None = None) -> list[RunComparison]:
    """Every other of these runs against ``baseline``, if it is among them, or else against the first."""
    if len(stored) < 2:
        return []
    reference = baseline if baseline in stored else next(iter(stored))
    return compare_runs({f"run {name}": each for name, each in stored.items()}, reference=f"run {reference}")


def same_examples(runs: Sequence[Run]) -> list[dict[str, Predictions]]:
    """The stored test predictions by run, those for the same examples and classes together."""
    together: dict[tuple[Any, ...], dict[str, Predictions]] = {}
    for run in runs:
        if run.test_predictions.is_file():
            stored = Predictions.read(run.test_predictions)
            tested_on = stored.classes, stored.index.tobytes(), stored.target.tobytes()
            together.setdefault(tested_on, {})[run.name] = stored
    return list(together.values())


def seed_lines(runs: Sequence[Run], score: str = "auroc") -> list[str]:
    """The mean of a test score, with its t interval, of runs that differ in the seed only."""
    families: dict[tuple[tuple[str, str], ...], list[Run]] = {}
    for run in runs:
        if run.metrics is not None and run.metrics["test"][score]["value"] is not None:
            rest = tuple((key, value) for key, value in run.overrides.items() if key != "seed")
            families.setdefault(rest, []).append(run)
    varied = {pair for rest in families for pair in rest if not all(pair in other for other in families)}
    lines = []
    for rest, family in families.items():
        if len(family) > 1:
            name = " ".join(f"{key}={value}" for key, value in rest if (key, value) in varied) or "all runs"
            mean, ends, n = over_seeds([run.metrics["test"][score]["value"] for run in family if run.metrics])
            ends = None if ends is None else (max(0.0, ends[0]), min(1.0, ends[1]))  # Student's knows no bounds
            lines.append(f"{name}: test {SCORES[score]} {_with_interval({'value': mean, 'ci95': ends})} over {n} seeds")
    return lines


def _scores(run: Run, first: str, second: str) -> list[str]:
    if run.metrics is None:
        return ["–", "–", "–"]
    test = run.metrics["test"]
    return [number(run.val(first)).replace("-inf", "–"), _with_interval(test[first]), _with_interval(test[second])]


def _with_interval(score: dict[str, Any]) -> str:
    if score["value"] is None:
        return "–"
    ends = score["ci95"]
    return number(score["value"]) + ("" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]")
