"""Watches that a backbone whose features were computed once stays frozen."""

from typing import Any

import lightning.pytorch as pl

from imbalance_lab.backbones.members import is_frozen
from imbalance_lab.data import Batch
from imbalance_lab.errors import UsageError


class KeepFrozen(pl.Callback):
    """Ends a run in which something trains the backbone, whose features would then be those of other weights."""

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Look before the first step of an epoch, after whatever other callbacks do at its start."""
        backbone: Any = pl_module.backbone
        if batch_idx == 0 and batch.is_features and not is_frozen(backbone):
            raise UsageError(
                "a strategy or callback trains the backbone that was frozen at first, and whose features were computed "
                "once: set features.cache=false"
            )
