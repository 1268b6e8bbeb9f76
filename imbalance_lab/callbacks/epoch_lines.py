"""Progress where there is no terminal to draw a bar on: one line an epoch."""

import lightning.pytorch as pl

from imbalance_lab.tags import MONITOR, score_tag


class EpochLines(pl.Callback):
    """Prints the epoch, the training loss and the validation AUROC."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line of the epoch that ends."""
        if trainer.is_global_zero:
            scores = trainer.callback_metrics
            print(
                f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
                f"  train loss {scores[score_tag('train', 'loss')]:.4f}  val AUROC {scores[MONITOR]:.4f}",
                flush=True,
            )
