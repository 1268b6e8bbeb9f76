"""What is kept of a run: its logits for validation and test, and what a post-processing must know.

Every score is computed from what is kept, so that it can be computed again, and other scores later.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measurements.program import finished_run

from imbalance_lab.app.linear_head import linear_head_of
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import atomic_write
from imbalance_lab.posthoc import LinearHead
from imbalance_lab.task import Task


@dataclass(frozen=True)
class StoredRun:
    """The predictions of a run's last epoch.

    Attributes:
        val, test: the predictions.
        train_prior: the class priors that the logits stand for, (C,); None if unknown.
        train_counts: training examples of each class, (C,).
        epochs: that were trained.
        head: the linear head that the logits are of; None for another.
    """

    val: Predictions
    test: Predictions
    train_prior: tuple[float, ...] | None
    train_counts: tuple[int, ...]
    epochs: int
    head: LinearHead | None = None

    @classmethod
    def of(cls, directory: RunDirectory) -> "StoredRun":
        """What a finished run says; of its last epoch, not of the one with the best validation score."""
        metadata = directory.read_metadata()
        paths = [directory.predictions(split, "last") for split in ("val", "test")]
        if all(path.is_file() for path in paths):
            val, test = map(Predictions.read, paths)
        else:  # the last epoch is the best one
            val, test = (directory.read_predictions(split) for split in ("val", "test"))
        last = read_checkpoint_file(directory.last_checkpoint)
        prior = metadata["train_prior"]
        counts, epochs = tuple(metadata["train_counts"]), int(last["epoch"]) + 1
        return cls(val, test, prior and tuple(prior), counts, epochs, linear_head_of(last))

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        facts = {
            "task": self.test.task.as_dict(),
            "train_prior": self.train_prior,
            "train_counts": self.train_counts,
            "epochs": self.epochs,
            "head": None if self.head is None else self.head.as_json(),
        }
        arrays: dict[str, Any] = {"facts": np.array(json.dumps(facts))}
        for split, each in (("val", self.val), ("test", self.test)):
            arrays |= {f"{split}_index": each.index, f"{split}_target": each.target, f"{split}_logits": each.logits}
        with atomic_write(path) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def read(cls, path: Path) -> "StoredRun":
        """Read what `write` wrote."""
        with np.load(path) as file:
            facts = json.loads(str(file["facts"]))
            task = Task.from_dict(facts["task"])
            val, test = (
                Predictions(task, file[f"{split}_index"], file[f"{split}_target"], file[f"{split}_logits"])
                for split in ("val", "test")
            )
        prior, head = facts["train_prior"], facts["head"]
        counts = tuple(facts["train_counts"])
        return cls(val, test, prior and tuple(prior), counts, facts["epochs"], head and LinearHead.from_json(head))


def train_program(overrides: list[str]) -> StoredRun:
    """What is kept of ``python train.py OVERRIDES``."""
    with finished_run(overrides) as directory:
        return StoredRun.of(directory)
