"""Stops a trial of a search whose epochs score badly beside those of the other trials."""

import math
from collections.abc import Callable

import lightning.pytorch as pl

from imbalance_lab.termination import Pruned


class Pruning(pl.Callback):
    """Reports the score of each epoch, and stops the training when it is told to.

    The first process asks; all processes of the job get its answer. A run in its last epoch is not stopped.

    Args:
        monitor: the tag of the score.
        report: gets the number of the epoch, from 1 on, and its score; returns whether to stop.
    """

    def __init__(self, monitor: str, report: Callable[[int, float], bool]) -> None:
        self.monitor, self.report = monitor, report
        self.stopped: Pruned | None = None
        self._is_validated = False

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember that this epoch has a score."""
        self._is_validated = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the score, and stop if the answer says so."""
        is_validated, self._is_validated = self._is_validated, False
        if not is_validated:
            return
        epoch, score = trainer.current_epoch + 1, float(trainer.callback_metrics[self.monitor])
        is_last = trainer.max_epochs is not None and 0 <= trainer.max_epochs <= epoch
        stops = trainer.is_global_zero and not math.isnan(score) and self.report(epoch, score) and not is_last
        if trainer.strategy.broadcast(stops):
            self.stopped = Pruned(epoch, trainer.max_epochs, self.monitor, score)
            trainer.should_stop = True
