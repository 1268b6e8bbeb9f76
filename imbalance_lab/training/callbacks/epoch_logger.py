"""Progress where there is no terminal to draw a bar on: one line an epoch."""

import lightning.pytorch as pl

from imbalance_lab.tags import MONITOR, score_tag


class EpochLogger(pl.Callback):
    """Prints the epoch, and the training loss and the validation AUROC if it was validated.

    What Lightning keeps of an earlier epoch's scores is not printed as those of one that was not validated.
    """

    def __init__(self) -> None:
        self.is_validated = False

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that there are scores."""
        self.is_validated = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line of the epoch that ends."""
        is_validated, self.is_validated = self.is_validated, False
        if not trainer.is_global_zero:
            return
        scores, told = trainer.callback_metrics, "  not validated"
        if is_validated:
            told = f"  train loss {scores[score_tag('train', 'loss')]:.4f}  val AUROC {scores[MONITOR]:.4f}"
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}{told}", flush=True)
