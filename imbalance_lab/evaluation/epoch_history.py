"""The scores of the epochs of a run, and which epoch's model was kept."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imbalance_lab.evaluation.run_directory import NO_EPOCHS, RunDirectory
from imbalance_lab.evaluation.scores import defined
from imbalance_lab.evaluation.stored_files import reading
from imbalance_lab.tags import MONITOR, score_tag


@dataclass(frozen=True)
class EpochHistory:
    """Scores of every validation epoch; epochs count from one, None is undefined or not logged.

    Of a run without a validation split: the training loss of every epoch.

    Args:
        epoch: (E,) numbers of the epochs.
        auroc, val_loss, train_loss: (E,) macro AUROC on validation, and the losses.
        best: position of the epoch whose model was kept.
    """

    epoch: tuple[int, ...]
    auroc: tuple[float | None, ...]
    val_loss: tuple[float | None, ...]
    train_loss: tuple[float | None, ...]
    best: int

    @property
    def is_validated(self) -> bool:
        """Whether an epoch was scored on validation; else the last one is the best."""
        return any(value is not None for value in (*self.auroc, *self.val_loss))

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, str]], kept: int | None = None) -> "EpochHistory | None":
        """From the rows of `metrics.csv`; None if no epoch logged a validation AUROC, or at least a training loss.

        ``kept`` is the number of the epoch whose model was kept, as its checkpoint says; None for the best AUROC.
        """
        loss = score_tag("train", "loss")
        rows = [row for row in rows if row.get(MONITOR)] or [row for row in rows if row.get(loss)]
        if not rows:
            return None
        auroc, val_loss, train_loss = (
            tuple(defined(float(row[name])) if row.get(name) else None for row in rows)
            for name in (MONITOR, score_tag("val", "loss"), loss)
        )
        for value in (*auroc, *val_loss, *train_loss):
            if value is not None and math.isinf(value):
                raise ValueError("a score is infinite")
        epochs = tuple(int(float(row["epoch"])) + 1 for row in rows)
        best = int(np.argmax([-math.inf if value is None else value for value in auroc]))
        if not any(value is not None for value in (*auroc, *val_loss)):
            best = len(epochs) - 1  # nothing was validated: the last epoch is the model
        if kept in epochs:
            best = len(epochs) - 1 - epochs[::-1].index(kept)
        return cls(epochs, auroc, val_loss, train_loss, best)


def read_history(run: RunDirectory, kept: int | None = None) -> EpochHistory | None:
    """The scores of the epochs of a run; None if nothing was logged. ``kept`` is as in `EpochHistory.from_rows`.

    Raises:
        UsageError: for a damaged file.
    """
    rows = run.read_epochs()
    with reading(run.epochs, NO_EPOCHS):
        return EpochHistory.from_rows(rows, kept)
