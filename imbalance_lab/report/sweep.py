"""One table of all runs of a sweep, best first, read from their directories."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf
from rich.table import Table

from imbalance_lab.comparison import compare_runs
from imbalance_lab.metrics import over_seeds
from imbalance_lab.predictions import Predictions
from imbalance_lab.report.screen import number, plain_table


class Run(NamedTuple):
    """What a run's directory says about it; ``metrics`` is None if it did not finish, and then ``why`` says why."""

    directory: Path
    overrides: dict[str, str]
    metrics: dict[str, Any] | None
    why: str

    @property
    def val_auroc(self) -> float:
        """The score that runs are ranked by; −∞ for a run without one."""
        value = None if self.metrics is None else self.metrics["val"]["auroc"]["value"]
        return float("-inf") if value is None else float(value)


def read_run(directory: Path) -> Run:
    """Read a run's overrides and scores."""
    overrides = OmegaConf.load(directory / ".hydra" / "overrides.yaml")
    metrics, status = directory / "metrics.json", directory / "status.json"
    state = json.loads(status.read_text(encoding="utf-8")) if status.is_file() else {"state": "not started"}
    return Run(
        directory=directory,
        overrides={key: value for key, _, value in (str(each).lstrip("+~").partition("=") for each in overrides)},
        metrics=json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else None,
        why=state.get("error") or state["state"],
    )


def read_sweep(directory: Path) -> list[Run]:
    """The runs below ``directory``, best validation AUROC first."""
    runs = [read_run(file.parent.parent) for file in directory.glob("*/.hydra/overrides.yaml")]
    return sorted(runs, key=lambda run: (-run.val_auroc, run.directory.name))


def sweep_table(runs: Sequence[Run]) -> Table:
    """One row a run, in the order given; only overrides that differ between the runs are shown."""
    keys = dict.fromkeys(key for run in runs for key in run.overrides)
    varied = [key for key in keys if len({run.overrides.get(key) for run in runs}) > 1]
    table = plain_table(f"{len(runs)} runs, best validation AUROC first")
    table.add_column("run", no_wrap=True)
    for heading in varied:
        table.add_column(heading, overflow="fold")  # where there is no room, these give way, not the scores
    for heading in ("val AUROC", "test AUROC [95 % CI]", "test bal. acc. [95 % CI]"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        swept = [run.overrides.get(key, "") for key in varied]
        table.add_row(run.directory.name, *swept, *_scores(run))
    return table


def failure_lines(runs: Sequence[Run]) -> list[str]:
    """Why runs have no scores."""
    return [f"run {run.directory.name} has no scores: {run.why}" for run in runs if run.metrics is None]


def comparison_lines(runs: Sequence[Run]) -> list[str]:
    """How each run differs from the best one on test, in words; empty where the test examples differ."""
    files = {f"run {run.directory.name}": run.directory / "predictions" / "test.parquet" for run in runs}
    stored = {name: Predictions.read(file) for name, file in files.items() if file.is_file()}
    if len(stored) < 2:
        return []
    try:
        compared = compare_runs(stored, reference=next(iter(stored)))
    except ValueError:  # other classes or other examples: nothing to compare in pairs
        return []
    return [f"test AUROC: {each.in_words('auroc')}" for each in compared]


def seed_lines(runs: Sequence[Run]) -> list[str]:
    """The mean test AUROC, with its t interval, of runs that differ in the seed only."""
    families: dict[tuple[tuple[str, str], ...], list[Run]] = {}
    for run in runs:
        if run.metrics is not None and run.metrics["test"]["auroc"]["value"] is not None:
            rest = tuple((key, value) for key, value in run.overrides.items() if key != "seed")
            families.setdefault(rest, []).append(run)
    varied = {pair for rest in families for pair in rest if not all(pair in other for other in families)}
    lines = []
    for rest, family in families.items():
        if len(family) > 1:
            name = " ".join(f"{key}={value}" for key, value in rest if (key, value) in varied) or "all runs"
            mean, ends, n = over_seeds([run.metrics["test"]["auroc"]["value"] for run in family if run.metrics])
            ends = None if ends is None else (max(0.0, ends[0]), min(1.0, ends[1]))  # Student's knows no bounds
            lines.append(f"{name}: test AUROC {_with_interval({'value': mean, 'ci95': ends})} over {n} seeds")
    return lines


def _scores(run: Run) -> list[str]:
    if run.metrics is None:
        return ["–", "–", "–"]
    test = run.metrics["test"]
    return [
        number(run.val_auroc).replace("-inf", "–"),
        _with_interval(test["auroc"]),
        _with_interval(test["balanced_accuracy"]),
    ]


def _with_interval(score: dict[str, Any]) -> str:
    if score["value"] is None:
        return "–"
    ends = score["ci95"]
    return number(score["value"]) + ("" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]")
