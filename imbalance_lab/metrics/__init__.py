"""Scores for rare classes: exact, and honest about what is undefined."""

from imbalance_lab.metrics.auroc import AUROC, AveragePrecision, OneVsRest
from imbalance_lab.metrics.calibration import (
    brier,
    brier_skill,
    calibration_error,
    classwise_calibration_error,
    net_benefit,
)
from imbalance_lab.metrics.confusion import (
    balanced_accuracy,
    confusion_matrix,
    f1,
    geometric_mean_recall,
    harmonic_mean_recall,
    macro_f1,
    matthews,
    precision,
    recall,
    recall_by_group,
    worst_recall,
)
from imbalance_lab.metrics.cuts import partial_auroc, precision_at, precision_at_recall, recall_at_precision
from imbalance_lab.metrics.intervals import (
    Interval,
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    wilson,
)
from imbalance_lab.metrics.ranking import Curve, Ranking, log_odds, macro, rank, rank_one_vs_rest

__all__ = [
    "AUROC",
    "AveragePrecision",
    "Curve",
    "Interval",
    "OneVsRest",
    "Ranking",
    "auroc_interval",
    "average_precision_interval",
    "balanced_accuracy",
    "balanced_accuracy_interval",
    "brier",
    "brier_skill",
    "calibration_error",
    "classwise_calibration_error",
    "confusion_matrix",
    "f1",
    "geometric_mean_recall",
    "harmonic_mean_recall",
    "log_odds",
    "macro",
    "macro_auroc_interval",
    "macro_f1",
    "matthews",
    "net_benefit",
    "partial_auroc",
    "precision",
    "precision_at",
    "precision_at_recall",
    "rank",
    "rank_one_vs_rest",
    "recall",
    "recall_at_precision",
    "recall_by_group",
    "wilson",
    "worst_recall",
]
