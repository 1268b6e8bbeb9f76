"""Saves the state of a run, from which it can be resumed exactly: after epochs, in between, and when stopped."""

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
from imbalance_lab.training.callbacks.best_checkpoint import BestCheckpoint

_STOP, _SAVE = 2, 1

SHORTEST_SECONDS = 2.0
"""Between two saves after epochs: where epochs take a tenth of a second, saving each would take as long as training."""


class LastCheckpoint(Checkpoint):
    """Writes ``last.ckpt`` after epochs, every few minutes within one, and at the step in which a signal arrived.

    It is written after every epoch that takes `SHORTEST_SECONDS`. Shorter ones are saved when that time has passed, if
    their model is the best so far, so that ``best.ckpt`` is never ahead, and if the training ends with them: what a
    killed process loses are two seconds.

    A signal in the last step of an epoch lets the epoch end first, including its validation: Lightning resumes at
    steps, and a skipped or partial validation would change which model is best. With several processes, a signal to
    one stops all at the same step. It must come after `BestCheckpoint` in the list of callbacks, whose state it saves.

    Args:
        path: of the checkpoint.
        stop: the signal that this process has received, if any.
        every_minutes: save within an epoch this long after the last save; None for only after epochs.
        on_save: called with the trainer after every epoch.
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
        wanted = self._wanted(trainer, self.every_seconds)
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
        wanted = self._wanted(trainer, SHORTEST_SECONDS)
        if wanted or self.is_finished or _is_best(trainer):
            self._save(trainer)
        if self.on_save is not None:
            self.on_save(trainer)
        if not self.is_finished and wanted >= _STOP:
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

    def _wanted(self, trainer: pl.Trainer, seconds: float | None) -> int:
        """What any process wants: to stop, to save after that time, or 0; the first process has the clock."""
        is_due = seconds is not None and time.monotonic() - self.saved_at >= seconds
        wanted = _STOP if self.stop.signum is not None else _SAVE if is_due and trainer.is_global_zero else 0
        if trainer.world_size == 1:
            return wanted
        everyone = torch.tensor(wanted, device=trainer.strategy.root_device)
        torch.distributed.all_reduce(everyone, op=torch.distributed.ReduceOp.MAX)
        return int(everyone)

    def _signum(self) -> int:
        return Terminated().signum if self.stop.signum is None else self.stop.signum


def _is_best(trainer: Any) -> bool:
    """Whether the weights of this step are the best ones so far."""
    return any(isinstance(each, BestCheckpoint) and each.step == trainer.global_step for each in trainer.callbacks)
