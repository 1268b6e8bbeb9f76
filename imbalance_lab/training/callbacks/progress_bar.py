"""Lightning's Rich progress bar, with two scores and at most 100 columns wide."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme

from imbalance_lab.tags import MONITOR, score_tag

DISPLAYED = {score_tag("train", "loss"): "train loss", MONITOR: "val AUROC"}


class ProgressBar(RichProgressBar):
    """Counts epochs from one, names scores as in the final table, and is cleared at the end."""

    def __init__(self) -> None:
        # Each refresh costs about a millisecond.
        super().__init__(refresh_rate=10, leave=False, theme=RichProgressBarTheme(metrics_text_delimiter="  "))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the bar of training."""
        super().on_train_start(trainer, pl_module)
        self._clear_at_end()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the bar of a validation."""
        super().on_validation_start(trainer, pl_module)
        self._clear_at_end()

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the bar of a test."""
        super().on_test_start(trainer, pl_module)
        self._clear_at_end()

    def configure_columns(self, trainer: pl.Trainer) -> list[Any]:
        """All columns but the last, steps per second, and a shorter bar, which leaves room for the scores."""
        description, bar, *columns, _ = super().configure_columns(trainer)
        bar.bar_width = 24
        return [description, bar, *columns]

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The latest loss and AUROC."""
        scores = super().get_metrics(trainer, pl_module)
        return {name: scores[tag] for tag, name in DISPLAYED.items() if tag in scores}

    def _get_train_description(self, current_epoch: int) -> str:
        return f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"

    def _clear_at_end(self) -> None:
        if self.progress is not None:
            self.progress.live.transient = True
