"""One table of all runs of a sweep, best first, read from their directories."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf
from rich.table import Table

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
