"""Confidence intervals that hold with few positives; each is (low, high) inside [0, 1], or None if undefined.

The usual Wald interval, estimate ± 1.96 standard errors, is much too narrow where positives are few. docs/benchmarks.md
compares the coverage of both; `python scripts/coverage_intervals.py` measures it.
"""

from imbalance_lab.metrics.intervals.auroc import auroc_interval, planned_auroc_interval
from imbalance_lab.metrics.intervals.average_precision import average_precision_interval
from imbalance_lab.metrics.intervals.macro import macro_auroc_interval, macro_average_precision_interval
from imbalance_lab.metrics.intervals.means import mean_interval
from imbalance_lab.metrics.intervals.proportions import balanced_accuracy_interval, wilson_interval

__all__ = [
    "auroc_interval",
    "average_precision_interval",
    "balanced_accuracy_interval",
    "macro_auroc_interval",
    "macro_average_precision_interval",
    "mean_interval",
    "planned_auroc_interval",
    "wilson_interval",
]
