"""The curves of every validation epoch as TensorBoard figures."""

import lightning.pytorch as pl
from lightning.pytorch.loggers import TensorBoardLogger

from imbalance_lab.classifier import Classifier
from imbalance_lab.report.curves import draw_both


class CurveFigures(pl.Callback):
    """Draws the ROC and PR curves of each validation epoch of a fit.

    Args:
        train_counts: training examples of each class; rare classes are drawn dark.
    """

    def __init__(self, train_counts: list[int]) -> None:
        self.train_counts = train_counts

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw, on the first process, what the classifier has just ranked."""
        assert isinstance(pl_module, Classifier)
        rankings = (
            pl_module.ranking.compute()
        )  # on every process: it gathers, and the classifier reads it from the cache
        if trainer.state.fn != "fit" or not trainer.is_global_zero:
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                figure = draw_both(pl_module.classes, rankings, self.train_counts)
                logger.experiment.add_figure("val/curves", figure, trainer.global_step)
