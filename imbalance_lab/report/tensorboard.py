"""Curves and, unless multilabel, the confusion matrix of every validation epoch as TensorBoard figures."""

import lightning.pytorch as pl
from lightning.pytorch.loggers import TensorBoardLogger

from imbalance_lab.report.curves import Curves, draw_both
from imbalance_lab.report.figures import draw_confusion
from imbalance_lab.training.classifier import Classifier


class CurveFigures(pl.Callback):
    """Draws ROC and PR curves and, unless multilabel, the confusion matrix after each validation epoch of a fit.

    Args:
        train_counts: training examples of each class; the rarest class is drawn on top.
    """

    def __init__(self, train_counts: list[int]) -> None:
        self.train_counts = train_counts

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the rankings of the classifier on the first process."""
        assert isinstance(pl_module, Classifier)
        # On every process: it gathers, and the classifier reads it from the cache.
        rankings, confusion = pl_module.ranking.compute(), pl_module.confusion.compute()
        if trainer.state.fn != "fit" or not trainer.is_global_zero:
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                task = pl_module.task
                curves = draw_both(Curves(task.classes, rankings, self.train_counts, task.reported_classes))
                logger.experiment.add_figure("val/curves", curves, trainer.global_step)
                if task.is_multilabel:  # labels have no confusion matrix
                    continue
                matrix = draw_confusion(task.classes, confusion.cpu().numpy(), size=(5, 4.6), brief=True)
                logger.experiment.add_figure("val/confusion", matrix, trainer.global_step)
