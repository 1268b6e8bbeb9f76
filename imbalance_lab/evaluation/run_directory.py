"""The directory of a run: every file name that it holds, and how each is read and written.

It is the interface between training and everything after it: who knows the directory needs nothing else of the run.
"""

import csv
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write, process_exists, process_start, write_json

if TYPE_CHECKING:
    from imbalance_lab.evaluation.predictions import Predictions

Split = Literal["val", "test"]
CONFIG_FOLDER = ".hydra"
"""Where Hydra stores the configuration of a run, below its directory."""


@dataclass(frozen=True)
class RunDirectory:
    """A run's files, by what they are; each exists once it was written."""

    path: Path

    @property
    def config(self) -> Path:
        """The composed configuration, YAML."""
        return self.path / CONFIG_FOLDER / "config.yaml"

    @property
    def overrides(self) -> Path:
        """The overrides of the command line, a YAML list."""
        return self.path / CONFIG_FOLDER / "overrides.yaml"

    @property
    def hydra(self) -> Path:
        """Hydra's own configuration, YAML."""
        return self.path / CONFIG_FOLDER / "hydra.yaml"

    @property
    def status(self) -> Path:
        """Whether it runs, finished or failed, since when, and why."""
        return self.path / "status.json"

    @property
    def metadata(self) -> Path:
        """What an evaluation needs beside the predictions: command, seed, checkpoint, counts, priors, versions."""
        return self.path / "run.json"

    @property
    def traceback(self) -> Path:
        """For a run of a sweep that failed by a bug: where."""
        return self.path / "traceback.txt"

    @property
    def resumed_from(self) -> Path:
        """For a resumed run: the checkpoint, the place in training, and the configuration of each earlier run."""
        return self.path / "resumed_from.json"

    @property
    def data_summary(self) -> Path:
        """The summary of the data before training."""
        return self.path / "data_summary.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that files are written to while a run trains."""
        return self.path, self.checkpoints, self.path / "predictions", self.path / "predictions" / "last"

    @property
    def best_checkpoint(self) -> Path:
        """The epoch with the best monitored score."""
        return self.checkpoints / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """The last epoch."""
        return self.checkpoints / "last.ckpt"

    @property
    def epochs(self) -> Path:
        """Every epoch's scores, CSV."""
        return self.path / "metrics.csv"

    @property
    def scores(self) -> Path:
        """The final scores."""
        return self.path / "metrics.json"

    @property
    def operating_point(self) -> Path:
        """Calibration, class priors and thresholds."""
        return self.path / "operating_point.json"

    @property
    def report(self) -> Path:
        """The page that a person opens."""
        return self.path / "report.html"

    @property
    def curves(self) -> Path:
        """Every vertex of the ROC and PR curves, CSV."""
        return self.path / "curves.csv"

    @property
    def roc(self) -> Path:
        """The ROC curves, PNG."""
        return self.path / "roc.png"

    @property
    def pr(self) -> Path:
        """The precision-recall curves, PNG."""
        return self.path / "pr.png"

    @property
    def tables(self) -> Path:
        """The folder of the report's tables, CSV."""
        return self.path / "tables"

    @property
    def images(self) -> Path:
        """The folder of the report's plots, PNG and SVG."""
        return self.path / "images"

    @property
    def mistakes(self) -> Path:
        """The worst mistakes on the rarest classes, Parquet."""
        return self.path / "predictions" / "mistakes.parquet"

    def predictions(self, split: Split, *, of_last: bool = False) -> Path:
        """The stored predictions of a split, Parquet; of the last epoch instead of the best one if asked for."""
        folder = self.path / "predictions"
        return (folder / "last" if of_last else folder) / f"{split}.parquet"

    @property
    def published(self) -> tuple[Path, ...]:
        """The files that experiment trackers store with a run, as far as they exist."""
        files = (self.report, self.scores, self.operating_point, self.curves, self.roc, self.pr, self.config)
        return tuple(file for file in files if file.is_file())

    def read_predictions(self, split: Split) -> "Predictions":
        """The stored predictions of a split."""
        from imbalance_lab.evaluation.predictions import Predictions  # here: what it imports takes a second

        return Predictions.read(self.predictions(split))

    def read_metadata(self) -> dict[str, Any]:
        """What `write_metadata` wrote."""
        return _read_json(self.metadata)

    def write_metadata(self, content: Mapping[str, Any]) -> None:
        """Write what an evaluation needs beside the predictions."""
        write_json(self.metadata, dict(content))

    def read_scores(self) -> dict[str, Any] | None:
        """The final scores; None for a run that has none."""
        return _read_json(self.scores) if self.scores.is_file() else None

    def read_status(self) -> dict[str, Any]:
        """The status; "not started" where there is none, "killed" where it says "running" of a process that is gone."""
        status = _read_json(self.status) if self.status.is_file() else {"state": "not started"}
        if status.get("state") == "running" and _is_gone(status):
            status |= {"state": "killed", "error": "killed: its process has ended without a word"}
        return status

    def read_resumed_from(self) -> list[dict[str, Any]]:
        """The earlier runs that this one was resumed from, the first one first."""
        entries: list[dict[str, Any]] = _read_json(self.resumed_from)["resumed"] if self.resumed_from.is_file() else []
        return entries

    def read_override_list(self) -> list[str]:
        """The overrides of the command line, as they were given."""
        return [str(each) for each in yaml.safe_load(self.overrides.read_text(encoding="utf-8")) or []]

    def write_status(self, content: Mapping[str, Any]) -> None:
        """Write the status."""
        write_json(self.status, dict(content))

    def read_overrides(self) -> dict[str, str]:
        """The overrides of the command line by key, in its order."""
        pairs = (each.lstrip("+~").partition("=") for each in self.read_override_list())
        return {key: value for key, _, value in pairs}

    def read_epochs(self) -> list[dict[str, str]]:
        """The rows of `epochs` that belong to an epoch; none where nothing was logged."""
        if not self.epochs.is_file():
            return []
        with self.epochs.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row.get("epoch")]

    @property
    def is_run(self) -> bool:
        """Whether it is the directory of a run, finished or not."""
        return self.overrides.is_file()

    @classmethod
    def find(cls, path: Path) -> list["RunDirectory"]:
        """The run that ``path`` is, or the runs directly below it, by name.

        Raises:
            UsageError: if there is none.
        """
        run = cls(path)
        if run.is_run:
            return [run]
        below = [each for each in map(cls, sorted(path.glob("*"))) if each.is_run]
        if not below:
            raise UsageError(
                f"{path} is neither a run directory nor a sweep directory: there is no {CONFIG_FOLDER}/overrides.yaml"
            )
        return below

    def write_text(self, path: Path, text: str) -> None:
        """Write one of the files whole or not at all."""
        with atomic_write(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")

    def __iter__(self) -> Iterator[Path]:
        """Every file that is there."""
        return (path for path in self.path.rglob("*") if path.is_file())


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _is_gone(status: Mapping[str, Any]) -> bool:
    """Whether the process of a status ran on this machine and no longer does."""
    if status.get("host") != socket.gethostname() or not isinstance(status.get("pid"), int):
        return False
    return not process_exists(status["pid"]) or process_start(status["pid"]) != status.get("process_start")
