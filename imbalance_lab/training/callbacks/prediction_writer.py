"""Stores what a model predicts when it is validated or tested by itself (not during fit)."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import torch.distributed as dist
from torch import Tensor

from imbalance_lab.data import Batch
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.posthoc import Activation


class PredictionWriter(pl.Callback):
    """Gathers the logits that each process's evaluation steps return; the first process writes them.

    Args:
        directory: gets ``val.parquet`` and ``test.parquet``.
        classes: names of the classes.
        activation: how the logits become probabilities.
    """

    def __init__(self, directory: Path, classes: tuple[str, ...], activation: Activation) -> None:
        self.directory = directory
        self.classes = classes
        self.activation = activation
        self.parts: list[tuple[Tensor, Tensor, Tensor]] = []

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Keep a batch, if this is no epoch of a fit."""
        if trainer.state.fn == "validate":
            self._keep(batch, outputs)

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Keep a batch."""
        self._keep(batch, outputs)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the validation split."""
        if trainer.state.fn == "validate":
            self._write(trainer, "val")

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the test split."""
        self._write(trainer, "test")

    def _keep(self, batch: Batch, logits: Tensor) -> None:
        self.parts.append((batch.index.cpu(), batch.target.cpu(), logits.float().cpu()))

    def _write(self, trainer: pl.Trainer, split: str) -> None:
        parts, self.parts = self.parts, []
        if trainer.world_size > 1:
            everyone: list[Any] = [None] * trainer.world_size
            dist.all_gather_object(everyone, parts)  # shares differ in length, which tensor collectives do not allow
            parts = [part for share in everyone for part in share]
        if not trainer.is_global_zero:
            return
        columns = [torch.cat(column) for column in zip(*parts, strict=True)]
        order = columns[0].argsort()
        index, target, logits = (column[order].numpy() for column in columns)
        Predictions(self.classes, index, target, logits, self.activation).write(self.directory / f"{split}.parquet")
