"""Curves and, unless multilabel, the confusion matrix of the validation epochs as TensorBoard figures."""

import time

import lightning.pytorch as pl
from lightning.pytorch.loggers import TensorBoardLogger

from imbalance_lab.class_counts import SHOT_LIMITS, ShotLimits
from imbalance_lab.report.curves import Curves, draw_both
from imbalance_lab.report.figures import draw_confusion
from imbalance_lab.training.classifier import Classifier

MAX_FIGURES = 20
"""TensorBoard shows ten pictures of a run; drawing one takes as long as training an epoch on a small table."""

SHARE = 20
"""Seconds of training for each second of drawing."""


class CurveFigures(pl.Callback):
    """Draws ROC and PR curves and, unless multilabel, the confusion matrix after some validation epochs of a fit.

    These are the first, the last, and others so many epochs apart that there are about `MAX_FIGURES`, and so long apart
    that drawing takes a twentieth of the time.

    Args:
        train_counts: training examples of each class; the rarest class is drawn on top.
        limits: of the groups of classes with many, medium and few of them.
    """

    def __init__(self, train_counts: list[int], limits: ShotLimits = SHOT_LIMITS) -> None:
        self.train_counts, self.limits = train_counts, limits
        self.drawn: int | None = None
        self.not_before = 0.0

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the rankings of the classifier on the first process."""
        assert isinstance(pl_module, Classifier)
        # On every process: it gathers, and the classifier reads it from the cache.
        rankings, confusion = pl_module.ranking.compute(), pl_module.confusion.compute()
        if trainer.state.fn != "fit" or not trainer.is_global_zero:
            return
        epoch, last = trainer.current_epoch, trainer.max_epochs or -1
        started = time.monotonic()
        if not is_due(epoch, self.drawn, last) or (started < self.not_before and epoch + 1 != last):
            return
        self.drawn = epoch
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                task = pl_module.task
                of = (task.classes, rankings, self.train_counts, task.reported_classes)
                curves = draw_both(Curves(*of, limits=self.limits))
                logger.experiment.add_figure("val/curves", curves, trainer.global_step)
                if task.is_multilabel:  # labels have no confusion matrix
                    continue
                matrix = draw_confusion(task.classes, confusion.cpu().numpy(), size=(5, 4.6), brief=True)
                logger.experiment.add_figure("val/confusion", matrix, trainer.global_step)
        ended = time.monotonic()
        self.not_before = ended + SHARE * (ended - started)


def is_due(epoch: int, drawn: int | None, max_epochs: int) -> bool:
    """Whether an epoch, from 0, has figures, after the last one that had; ``max_epochs`` is −1 without a limit.

    >>> is_due(0, None, 100), is_due(3, 0, 100), is_due(5, 0, 100), is_due(99, 97, 100), is_due(1, 0, 3)
    (True, False, True, True, True)
    """
    apart = max(1, max_epochs // MAX_FIGURES)
    return drawn is None or epoch - drawn >= apart or (epoch > drawn and epoch + 1 == max_epochs)
