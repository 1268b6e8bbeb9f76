"""Scores for rare classes: exact, and honest about what is undefined."""

from imbalance_lab.metrics.auroc import (
    AUROC,
    AveragePrecision,
    OneVsRest,
)
from imbalance_lab.metrics.bootstrap import (
    BootstrapScores,
    percentile_interval,
    stratified_bootstrap,
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
from imbalance_lab.metrics.confusion import (
    balanced_accuracy,
    confusion_matrix,
    f1,
    geometric_mean_recall,
    harmonic_mean_recall,
    macro_f1,
    matthews_corrcoef,
    mean_by_shot_group,
    precision,
    recall,
    recall_by_shot_group,
    worst_class_recall,
)
from imbalance_lab.metrics.intervals import (
    Interval,
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    macro_average_precision_interval,
    planned_auroc_interval,
    wilson_interval,
)
from imbalance_lab.metrics.log_odds import (
    log_odds,
)
from imbalance_lab.metrics.multilabel import (
    label_balanced_accuracy,
    label_balanced_accuracy_interval,
    label_confusion,
    label_decision_scores,
    label_precision,
    label_recall,
)
from imbalance_lab.metrics.operating_points import (
    precision_at,
    precision_at_recall,
    recall_at_precision,
)
from imbalance_lab.metrics.probability_scores import (
    brier_score,
    brier_skill_score,
    calibration_error,
    classwise_calibration_error,
    net_benefit,
)
from imbalance_lab.metrics.ranking import (
    Curve,
    Ranking,
    macro,
    rank,
    rank_one_vs_rest,
)
from imbalance_lab.metrics.significance import (
    Comparison,
    SeedMean,
    holm,
    in_words,
    over_seeds,
)
from imbalance_lab.metrics.streaming import (
    StreamingAUROC,
    StreamingAveragePrecision,
    StreamingOneVsRest,
)
from imbalance_lab.metrics.validation import (
    Task,
)

__all__ = [
    "AUROC",
    "AveragePrecision",
    "BootstrapScores",
    "Comparison",
    "Curve",
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
    "brier_score",
    "brier_skill_score",
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
    "matthews_corrcoef",
    "mean_by_shot_group",
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
    "recall_by_shot_group",
    "stratified_bootstrap",
    "wilson_interval",
    "worst_class_recall",
]
