"""Saves the state of a run, from which it can be resumed exactly: after every epoch, in between, and when stopped."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint

from imbalance_lab.files import atomic_write
from imbalance_lab.termination import StopRequest, Terminated

_STOP, _SAVE = 2, 1


class LastCheckpoint(Checkpoint):
    """Writes ``last.ckpt`` after every epoch, every few minutes within one, and at the step in which a signal arrived.

    A signal in the last step of an epoch lets the epoch end first, including its validation: Lightning resumes at
    steps, and a skipped or partial validation would change which model is best. With several processes, a signal to
    one stops all at the same step. It must come after `BestCheckpoint` in the list of callbacks, whose state it saves.

    Args:
        path: of the checkpoint.
        stop: the signal that this process has received, if any.
        every_minutes: save within an epoch this long after the last save; None for only after epochs.
        on_save: called with the trainer whenever the weights are saved after an epoch.
    """

    def __init__(
        self,
        path: Path,
        stop: StopRequest,
        *,
        every_minutes: float | None = None,
        on_save: Callable[[pl.Trainer], None] | None = None,
    ) -> None:
        self.path = path
        self.stop = stop
        self.every_seconds = None if every_minutes is None else 60 * every_minutes
        self.on_save = on_save
        self.saved_at = time.monotonic()
        self.step = -1
        self.is_finished = False

    def state_dict(self) -> dict[str, Any]:
        """Whether the training is finished: then there is nothing to resume but the test."""
        return {"is_finished": self.is_finished}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.saved_at = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save or stop within an epoch."""
        is_last = trainer.is_last_batch or batch_idx + 1 >= trainer.num_training_batches
        is_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if not is_step or is_last or trainer.global_step == trainer.max_steps:
            return
        wanted = self._wanted(trainer)
        if wanted:
            self._save(trainer)
        if wanted >= _STOP:
            raise Terminated(self._signum(), self.path)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after an epoch, and stop if asked to; after the last epoch the stop comes after ``fit``."""
        self.is_finished = (
            trainer.should_stop
            or trainer.current_epoch + 1 == trainer.max_epochs
            or trainer.global_step == trainer.max_steps
        )
        self._save(trainer)
        if self.on_save is not None:
            self.on_save(trainer)
        if not self.is_finished and self._wanted(trainer) >= _STOP:
            raise Terminated(self._signum(), self.path)

    def adopt(self, path: Path, step: int) -> None:
        """Take over the last state of a run that is already trained."""
        if path.resolve() != self.path.resolve():
            with atomic_write(self.path) as temporary:
                shutil.copyfile(path, temporary)
        self.step = step

    def _save(self, trainer: pl.Trainer) -> None:
        self.step = trainer.global_step
        trainer.save_checkpoint(self.path)
        self.saved_at = time.monotonic()

    def _wanted(self, trainer: pl.Trainer) -> int:
        """What any process wants: to stop, to save, or 0; the first process has the clock."""
        is_due = self.every_seconds is not None and time.monotonic() - self.saved_at >= self.every_seconds
        wanted = _STOP if self.stop.signum is not None else _SAVE if is_due and trainer.is_global_zero else 0
        if trainer.world_size == 1:
            return wanted
        everyone = torch.tensor(wanted, device=trainer.strategy.root_device)
        torch.distributed.all_reduce(everyone, op=torch.distributed.ReduceOp.MAX)
        return int(everyone)

    def _signum(self) -> int:
        return Terminated().signum if self.stop.signum is None else self.stop.signum
