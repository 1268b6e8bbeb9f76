"""Scores for rare classes: exact, and honest about what is undefined."""

from imbalance_lab.metrics.auroc import (
    AUROC,
    AveragePrecision,
    OneVsRest,
)
from imbalance_lab.metrics.bootstrap import (
    Draws,
    percentile_interval,
    stratified_bootstrap,
)
from imbalance_lab.metrics.calibration import (
    brier,
    brier_skill,
    calibration_error,
    classwise_calibration_error,
    net_benefit,
)
from imbalance_lab.metrics.compare_decisions import (
    compare_accuracy,
    compare_balanced_accuracy,
    compare_label_balanced_accuracy,
)
from imbalance_lab.metrics.compare_rankings import (
    RankingComparison,
    compare_rankings,
)
from imbalance_lab.metrics.comparison import (
    Comparison,
    SeedMean,
    holm,
    in_words,
    over_seeds,
)
from imbalance_lab.metrics.confusion import (
    balanced_accuracy,
    confusion_matrix,
    f1,
    geometric_mean_recall,
    harmonic_mean_recall,
    macro_f1,
    matthews,
    mean_by_group,
    precision,
    recall,
    recall_by_group,
    worst_recall,
)
from imbalance_lab.metrics.cuts import (
    precision_at,
    precision_at_recall,
    recall_at_precision,
)
from imbalance_lab.metrics.inputs import (
    Task,
)
from imbalance_lab.metrics.intervals import (
    Interval,
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    macro_average_precision_interval,
    planned_auroc_interval,
    wilson,
)
from imbalance_lab.metrics.labels import (
    label_balanced_accuracy,
    label_balanced_accuracy_interval,
    label_confusion,
    label_decision_scores,
    label_precision,
    label_recall,
)
from imbalance_lab.metrics.ranking import (
    Curve,
    Ranking,
    macro,
    rank,
    rank_one_vs_rest,
)
from imbalance_lab.metrics.scores import (
    log_odds,
)
from imbalance_lab.metrics.streaming import (
    StreamingAUROC,
    StreamingAveragePrecision,
    StreamingOneVsRest,
)

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
    "StreamingAUROC",
    "StreamingAveragePrecision",
    "StreamingOneVsRest",
    "Task",
    "auroc_interval",
    "average_precision_interval",
    "balanced_accuracy",
    "balanced_accuracy_interval",
    "brier",
    "brier_skill",
    "calibration_error",
    "classwise_calibration_error",
    "compare_accuracy",
    "compare_balanced_accuracy",
    "compare_label_balanced_accuracy",
    "compare_rankings",
    "confusion_matrix",
    "f1",
    "geometric_mean_recall",
    "harmonic_mean_recall",
    "holm",
    "in_words",
    "label_balanced_accuracy",
    "label_balanced_accuracy_interval",
    "label_confusion",
    "label_decision_scores",
    "label_precision",
    "label_recall",
    "log_odds",
    "macro",
    "macro_auroc_interval",
    "macro_average_precision_interval",
    "macro_f1",
    "matthews",
    "mean_by_group",
    "net_benefit",
    "over_seeds",
    "percentile_interval",
    "planned_auroc_interval",
    "precision",
    "precision_at",
    "precision_at_recall",
    "rank",
    "rank_one_vs_rest",
    "recall",
    "recall_at_precision",
    "recall_by_group",
    "stratified_bootstrap",
    "wilson",
    "worst_recall",
]
