"""Metrics for rare classes: exact, with confidence intervals, and NaN where undefined.

The torchmetrics classes are imported when first used: torchmetrics takes seconds to import, and the functions on NumPy
arrays do not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from imbalance_lab.metrics.averaging import macro
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
from imbalance_lab.metrics.compare_losses import compare_losses
from imbalance_lab.metrics.compare_rankings import (
    RankingComparison,
    compare_rankings,
)
from imbalance_lab.metrics.confusion import (
    balanced_accuracy,
    confusion_matrix,
    geometric_mean_recall,
    harmonic_mean_recall,
    mean_by_shot_group,
    precision,
    recall,
    recall_by_shot_group,
    worst_class_recall,
)
from imbalance_lab.metrics.f1_score import f1, macro_f1
from imbalance_lab.metrics.intervals import (
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    macro_average_precision_interval,
    planned_auroc_interval,
    wilson_interval,
)
from imbalance_lab.metrics.log_odds import softmax_log_odds
from imbalance_lab.metrics.matthews import matthews_corrcoef
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
    log_loss,
    net_benefit,
)
from imbalance_lab.metrics.ranking import (
    Curve,
    Ranking,
    rank,
    rank_one_vs_rest,
)
from imbalance_lab.metrics.replicates import ReplicateMean, replicate_mean
from imbalance_lab.metrics.resampled import resampled_mean
from imbalance_lab.metrics.significance import (
    Comparison,
    describe,
    holm,
)
from imbalance_lab.metrics.types import Interval

if TYPE_CHECKING:
    from imbalance_lab.metrics.auroc import AUROC, StreamingAUROC
    from imbalance_lab.metrics.average_precision import AveragePrecision, StreamingAveragePrecision
    from imbalance_lab.metrics.one_vs_rest import OneVsRest
    from imbalance_lab.metrics.streaming import StreamingOneVsRest

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
    "ReplicateMean",
    "StreamingAUROC",
    "StreamingAveragePrecision",
    "StreamingOneVsRest",
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
    "compare_losses",
    "compare_rankings",
    "confusion_matrix",
    "describe",
    "f1",
    "geometric_mean_recall",
    "harmonic_mean_recall",
    "holm",
    "label_balanced_accuracy",
    "label_balanced_accuracy_interval",
    "label_confusion",
    "label_decision_scores",
    "label_precision",
    "label_recall",
    "log_loss",
    "macro",
    "macro_auroc_interval",
    "macro_average_precision_interval",
    "macro_f1",
    "matthews_corrcoef",
    "mean_by_shot_group",
    "net_benefit",
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
    "replicate_mean",
    "resampled_mean",
    "softmax_log_odds",
    "stratified_bootstrap",
    "wilson_interval",
    "worst_class_recall",
]

_MODULE_OF = {
    "AUROC": "auroc",
    "AveragePrecision": "average_precision",
    "OneVsRest": "one_vs_rest",
    "StreamingAUROC": "auroc",
    "StreamingAveragePrecision": "average_precision",
    "StreamingOneVsRest": "streaming",
}

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name

    def __getattr__(name: str) -> Any:
        """Import a torchmetrics class when it is first used."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
