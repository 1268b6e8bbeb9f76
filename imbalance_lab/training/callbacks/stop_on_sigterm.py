"""Stops training on SIGTERM at a step from which it can be resumed exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from imbalance_lab.termination import Terminated, listen


class StopOnSigterm(Checkpoint):
    """Writes ``last.ckpt`` after the optimizer step during which SIGTERM arrived, and raises `Terminated`.

    After the last step of an epoch, the epoch is finished first, including its validation: Lightning resumes at steps,
    and a skipped or partial validation would change which model is best. It is a Checkpoint so that Lightning calls it
    after `BestCheckpoint`, whose state it saves.

    It replaces Lightning's own handler, which communicates between processes inside a signal handler, saves nothing and
    stops in the middle of a validation. With several processes, a signal to one stops all at the same step.

    Args:
        path: of ``last.ckpt``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requested = False

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Wraps ``trainer.fit``: an error after SIGTERM, as of a worker that received it too, counts as SIGTERM.

        Raises:
            Terminated: if SIGTERM arrived.
        """
        try:
            yield
        except Terminated:
            raise
        except Exception as error:
            if self.requested:
                raise Terminated(self.path if self.path.is_file() else None) from error
            raise
        if self.requested:
            raise Terminated

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Install the handler; Lightning restores the previous one when fit ends."""
        listen(self._request)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop within an epoch."""
        is_last = trainer.is_last_batch or batch_idx + 1 >= trainer.num_training_batches
        is_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if is_step and not is_last and trainer.global_step != trainer.max_steps:
            self._stop_if_requested(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop between epochs; after the last one there is nothing to resume."""
        is_last = trainer.current_epoch + 1 == trainer.max_epochs or trainer.global_step == trainer.max_steps
        if not is_last and not trainer.should_stop:
            self._stop_if_requested(trainer)

    def _request(self, *_: Any) -> None:
        self.requested = True

    def _stop_if_requested(self, trainer: pl.Trainer) -> None:
        if trainer.strategy.reduce_boolean_decision(self.requested, all=False):
            trainer.save_checkpoint(self.path)
            raise Terminated(self.path)
