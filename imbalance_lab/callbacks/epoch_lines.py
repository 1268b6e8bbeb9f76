"""Progress where there is no terminal to draw a bar on: one line an epoch."""

import lightning.pytorch as pl


class EpochLines(pl.Callback):
    """Prints the epoch, the training loss and the validation AUROC."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line of the epoch that ends."""
        if trainer.is_global_zero:
            scores = trainer.callback_metrics
            print(
                f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
                f"  train loss {scores['train/loss']:.4f}  val AUROC {scores['val/auroc/macro']:.4f}",
                flush=True,
            )
