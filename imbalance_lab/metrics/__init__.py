"""Scores for rare classes: exact, and honest about what is undefined."""

from imbalance_lab.metrics.auroc import AUROC, AveragePrecision, OneVsRest
from imbalance_lab.metrics.confusion import balanced_accuracy, confusion_matrix, precision, recall
from imbalance_lab.metrics.intervals import (
    Interval,
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    wilson,
)
from imbalance_lab.metrics.ranking import Curve, Ranking, macro, rank, rank_one_vs_rest
from imbalance_lab.metrics.scores import log_odds
from imbalance_lab.metrics.streaming import StreamingAUROC, StreamingAveragePrecision, StreamingOneVsRest

__all__ = [
    "AUROC",
    "AveragePrecision",
    "Curve",
    "Interval",
    "OneVsRest",
    "Ranking",
    "StreamingAUROC",
    "StreamingAveragePrecision",
    "StreamingOneVsRest",
    "auroc_interval",
    "average_precision_interval",
    "balanced_accuracy",
    "balanced_accuracy_interval",
    "confusion_matrix",
    "log_odds",
    "macro",
    "macro_auroc_interval",
    "precision",
    "rank",
    "rank_one_vs_rest",
    "recall",
    "wilson",
]
