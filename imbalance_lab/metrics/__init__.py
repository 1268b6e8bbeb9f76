"""Scores for rare classes: exact, and honest about what is undefined."""

from imbalance_lab.metrics.auroc import AUROC, AveragePrecision, OneVsRest
from imbalance_lab.metrics.bootstrap import Draws, percentile_interval, stratified_bootstrap
from imbalance_lab.metrics.compare_decisions import compare_accuracy, compare_balanced_accuracy
from imbalance_lab.metrics.compare_rankings import RankingComparison, compare_rankings
from imbalance_lab.metrics.comparison import Comparison, SeedMean, holm, in_words, over_seeds
from imbalance_lab.metrics.confusion import balanced_accuracy, confusion_matrix, precision, recall
from imbalance_lab.metrics.intervals import (
    Interval,
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    macro_average_precision_interval,
    wilson,
)
from imbalance_lab.metrics.ranking import Curve, Ranking, log_odds, macro, rank, rank_one_vs_rest

__all__ = [
    "AUROC",
    "AveragePrecision",
    "Comparison",
    "Curve",
    "Draws",
    "Interval",
    "OneVsRest",
    "Ranking",
    "RankingComparison",
    "SeedMean",
    "auroc_interval",
    "average_precision_interval",
    "balanced_accuracy",
    "balanced_accuracy_interval",
    "compare_accuracy",
    "compare_balanced_accuracy",
    "compare_rankings",
    "confusion_matrix",
    "holm",
    "in_words",
    "log_odds",
    "macro",
    "macro_auroc_interval",
    "macro_average_precision_interval",
    "over_seeds",
    "percentile_interval",
    "precision",
    "rank",
    "rank_one_vs_rest",
    "recall",
    "stratified_bootstrap",
    "wilson",
]
