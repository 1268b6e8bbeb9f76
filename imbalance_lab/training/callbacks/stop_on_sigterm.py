"""Ends training where it can be resumed exactly, when SIGTERM asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from imbalance_lab.termination import Terminated, listen


class StopOnSigterm(Checkpoint):
    """Writes ``last.ckpt`` after the optimizer step in which SIGTERM came, and raises `Terminated`.

    After the last step of an epoch the epoch is finished first, validation included, for Lightning resumes at steps:
    a validation that was skipped or cut in half would change which model is the best. It is a Checkpoint so that
    Lightning calls it after `BestCheckpoint`, whose state it saves.

    Lightning's own handler is replaced: it does collective communication inside of a signal handler, saves nothing, and
    stops in the middle of a validation. On several processes one that was asked stops all, at the same step.

    Args:
        directory: of the checkpoints.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "last.ckpt"
        self.asked = False

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Round ``trainer.fit``: what goes wrong after SIGTERM, as in loading processes that got it too, is due to it.

        Raises:
            Terminated: if SIGTERM came.
        """
        try:
            yield
        except Terminated:
            raise
        except Exception as error:
            if self.asked:
                raise Terminated(self.path if self.path.is_file() else None) from error
            raise
        if self.asked:
            raise Terminated

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From here on note SIGTERM; Lightning puts the handler from before fit back at its end."""
        listen(self._note)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop within an epoch."""
        is_last = trainer.is_last_batch or batch_idx + 1 >= trainer.num_training_batches
        is_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if is_step and not is_last and trainer.global_step != trainer.max_steps:
            self._stop_if_asked(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop between epochs; after the last there is nothing to resume."""
        is_last = trainer.current_epoch + 1 == trainer.max_epochs or trainer.global_step == trainer.max_steps
        if not is_last and not trainer.should_stop:
            self._stop_if_asked(trainer)

    def _note(self, *_: Any) -> None:
        self.asked = True

    def _stop_if_asked(self, trainer: pl.Trainer) -> None:
        if trainer.strategy.reduce_boolean_decision(self.asked, all=False):
            trainer.save_checkpoint(self.path)
            raise Terminated(self.path)
