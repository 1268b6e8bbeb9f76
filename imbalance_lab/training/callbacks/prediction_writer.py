"""Stores the predictions of validation, test and calibration, reusing those computed during training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data import Batch

Split = Literal["val", "test", "calibration"]
ModelName = Literal["best", "last", "stage_1"]
Columns = tuple[Tensor, Tensor, Tensor]
Store = Callable[[Split, NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], ModelName], None]
"""``store(split, index (N,), target, logits (N, C), of)``."""


class PredictionWriter(pl.Callback):
    """Gathers the logits that each process's evaluation steps return; the first process stores them.

    In single-process training the validation logits of each epoch stay in memory until the next, so that those of a
    saved epoch are not computed again: `keep` and `writing`.

    Args:
        store: called with the predictions of a split, ordered by index.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.of: ModelName = "best"
        self.batches: list[Columns] = []
        self.latest: tuple[int, list[Columns]] | None = None
        self.kept: dict[ModelName, list[Columns]] = {}

    def keep(self, trainer: pl.Trainer, of: ModelName) -> None:
        """Keep the validation logits of the weights that are being saved, if they have been computed."""
        self.kept.pop(of, None)
        if self.latest is not None and self.latest[0] == trainer.global_step:
            self.kept[of] = self.latest[1]

    def end_stage(self) -> None:
        """The best model until now is that of stage 1."""
        self.kept.pop("last", None)
        if (batches := self.kept.pop("best", None)) is not None:
            self.kept["stage_1"] = batches

    @contextmanager
    def writing(self, of: ModelName) -> Iterator[set[Split]]:
        """Store the predictions made inside as those of that model; yields the splits still to predict."""
        self.of = of
        batches = self.kept.pop(of, None)
        if batches:
            self._store("val", batches)
        yield {"test"} if batches else {"val", "test"}

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start with no batches."""
        self.batches = []

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Keep a batch, except in multi-process training, where batches are not gathered."""
        if trainer.state.fn == "validate" or trainer.world_size == 1:
            self._keep(batch, outputs)

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Keep a batch."""
        self._keep(batch, outputs)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Store the validation split; during training, keep it until the next epoch."""
        batches, self.batches = self.batches, []
        if trainer.state.fn == "validate":
            self._gather_and_store(trainer, "val", batches)
        elif trainer.world_size == 1 and not _is_limited(trainer.limit_val_batches):
            self.latest = trainer.global_step, batches

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Store the split that was tested."""
        batches, self.batches = self.batches, []
        data: Any = trainer
        self._gather_and_store(trainer, data.datamodule.tested, batches)

    def _keep(self, batch: Batch, logits: Tensor) -> None:
        self.batches.append((batch.index.cpu(), batch.target.cpu(), logits.float().cpu()))

    def _gather_and_store(self, trainer: pl.Trainer, split: Split, batches: list[Columns]) -> None:
        if trainer.world_size > 1:
            everyone: list[Any] = [None] * trainer.world_size
            dist.all_gather_object(everyone, batches)  # lengths differ, which tensor collectives do not allow
            batches = [batch for share in everyone for batch in share]
        if trainer.is_global_zero:
            self._store(split, batches)

    def _store(self, split: Split, batches: list[Columns]) -> None:
        columns = [torch.cat(column) for column in zip(*batches, strict=True)]
        order = columns[0].argsort()
        index, target, logits = (column[order].numpy() for column in columns)
        self.store(split, index, target, logits, self.of)


def _is_limited(limit: float | int) -> bool:
    """Whether ``limit_val_batches`` skips batches."""
    return not (isinstance(limit, float) and limit == 1.0)
