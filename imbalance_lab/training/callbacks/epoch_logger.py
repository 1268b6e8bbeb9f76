"""One line per epoch, in a terminal above the bar."""

from typing import Any

import lightning.pytorch as pl

from imbalance_lab.tags import MONITOR, score_tag


class EpochLogger(pl.Callback):
    """Prints the number of the epoch, its training loss and its validation AUROC.

    Lightning keeps the scores of the last validation; for an epoch without one they are not printed again. Of data
    without a validation split, the training loss is all there is.
    """

    def __init__(self) -> None:
        self.is_validated = False

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember that this epoch has scores."""
        self.is_validated = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line of this epoch."""
        classifier: Any = pl_module
        is_validated, self.is_validated = self.is_validated, False
        text = "  not validated"
        if not trainer.enable_validation:
            text = f"  train loss {float(classifier.train_loss.compute()):.4f}"  # gathered from every process
        if not trainer.is_global_zero:
            return
        scores = trainer.callback_metrics
        if is_validated:
            text = f"  train loss {scores[score_tag('train', 'loss')]:.4f}  val AUROC {scores[MONITOR]:.4f}"
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}{text}", flush=True)
