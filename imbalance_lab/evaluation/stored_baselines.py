"""The predictions of the baselines of a run, stored beside its own, so that they are scored again without the data.

Two Parquet files a baseline, of validation and test, with the same columns as the run's own predictions. The run's
metadata list the baselines: ``{"key": …, "about": …}``, or ``{"key": …, "left_out": REASON}``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RESTORE, RunDirectory
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.stored_files import BASELINES, reading
from imbalance_lab.task import Activation, Task

SPLITS: tuple[Split, Split] = ("val", "test")


@dataclass(frozen=True)
class StoredBaseline:
    """A baseline with its predictions for the examples of a run.

    Args:
        key: its name in files, one of `BASELINES`.
        about: how it was trained.
        val, test: its predictions.
    """

    key: str
    about: str
    val: Predictions
    test: Predictions

    @property
    def name(self) -> str:
        """What it is called."""
        return BASELINES[self.key]


@dataclass(frozen=True)
class StoredBaselines:
    """The baselines of a run, and why others were left out, by key."""

    stored: tuple[StoredBaseline, ...]
    left_out: Mapping[str, str]


def baseline_predictions(of_run: Predictions, logits: NDArray[np.float32], is_multilabel: bool) -> Predictions:
    """Logits (N, C) of a baseline for the examples of a run's predictions; of classes they are a softmax's."""
    task = of_run.task
    activation: Activation = "sigmoid" if is_multilabel else "softmax"
    same = Task(task.kind, task.classes, activation, task.positive)
    return Predictions(same, of_run.index, of_run.target, logits, of_run.source, of_run.group)


def read_baselines(
    run: RunDirectory, metadata: Mapping[str, Any], val: Predictions | None, test: Predictions
) -> StoredBaselines | None:
    """The baselines of a run; None for a run without, as of an earlier release.

    Args:
        run: its directory.
        metadata: its content.
        val, test: its own predictions; a run without validation has no baselines.

    Raises:
        UsageError: naming a file that is missing, damaged, or of other examples.
    """
    listed: Sequence[Mapping[str, str]] = metadata.get("baselines") or ()
    if not listed or val is None:
        return None
    found = []
    for each in listed:
        if "left_out" not in each:
            splits = [_read(run, each["key"], split, own) for split, own in zip(SPLITS, (val, test), strict=True)]
            found.append(StoredBaseline(each["key"], each["about"], *splits))
    return StoredBaselines(tuple(found), {each["key"]: each["left_out"] for each in listed if "left_out" in each})


@dataclass(frozen=True)
class ListedBaseline:
    """A baseline that the scores of a run list, before its predictions are read.

    Args:
        key, about: as of `StoredBaseline`.
        digests: of its predictions for validation and test: equal for equal predictions of the same examples.
    """

    key: str
    about: str
    digests: tuple[str, ...]

    def read(self, run: RunDirectory, test: Predictions) -> StoredBaseline:
        """Its predictions, stored in ``run``, whose own are ``test``.

        Raises:
            UsageError: as `read_baselines`.
        """
        return StoredBaseline(self.key, self.about, _read(run, self.key, "val"), _read(run, self.key, "test", test))


def list_baselines(run: RunDirectory, scores: Mapping[str, Any]) -> tuple[ListedBaseline, ...]:
    """The baselines in the content of `metrics.json`, as far as their predictions are there.

    Raises:
        UsageError: for a damaged file.
    """
    found = []
    for each in (scores.get("baselines") or {}).get("models", ()):
        paths = [run.baseline_predictions(each["key"], split) for split in SPLITS]
        if all(path.exists() for path in paths):
            found.append(ListedBaseline(each["key"], each["about"], tuple(map(_digest, paths))))
    return tuple(found)


def _digest(path: Path) -> str:
    """The digest that a file of predictions says it has."""
    with reading(path, RESTORE):
        digest: bytes = pq.read_schema(path).metadata[b"sha256"]
        return digest.decode()


def _read(run: RunDirectory, key: str, split: Split, own: Predictions | None = None) -> Predictions:
    """Its predictions of a split, which are of the same examples as the run's ``own``, if that is known."""
    path = run.baseline_predictions(key, split)
    with reading(path, RESTORE):
        found = Predictions.read(path)
        if own is None:
            return found
        if found.task.classes != own.task.classes or not np.array_equal(found.index, own.index):
            raise UsageError(f"{path} is of another run, it has other examples or classes: {RESTORE}")
    return found
