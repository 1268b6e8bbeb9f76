"""Lightning's Rich progress bar, in one line of 100 columns with the scores that matter."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme

from imbalance_lab.tags import MONITOR, score_tag

SHOWN = {score_tag("train", "loss"): "train loss", MONITOR: "val AUROC"}


class ProgressBar(RichProgressBar):
    """Counts epochs from one, calls scores by the names of the final table, and leaves nothing on the screen."""

    def __init__(self) -> None:
        # Each refresh costs about a millisecond.
        super().__init__(refresh_rate=10, leave=False, theme=RichProgressBarTheme(metrics_text_delimiter="  "))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin the bar of a fit."""
        super().on_train_start(trainer, pl_module)
        self._leave_nothing()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin the bar of a validation."""
        super().on_validation_start(trainer, pl_module)
        self._leave_nothing()

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin the bar of a test."""
        super().on_test_start(trainer, pl_module)
        self._leave_nothing()

    def configure_columns(self, trainer: pl.Trainer) -> list[Any]:
        """All but the last, the steps a second, and a shorter bar: the scores need the place."""
        description, bar, *columns, _ = super().configure_columns(trainer)
        bar.bar_width = 24
        return [description, bar, *columns]

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The latest loss and AUROC."""
        scores = super().get_metrics(trainer, pl_module)
        return {name: scores[tag] for tag, name in SHOWN.items() if tag in scores}

    def _get_train_description(self, current_epoch: int) -> str:
        return f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"

    def _leave_nothing(self) -> None:
        if self.progress is not None:
            self.progress.live.transient = True
