"""Scores of decisions, all derived from one confusion matrix: rows are targets, columns are decisions."""

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.ranking import macro

Counts = NDArray[np.int64]


def confusion_matrix(decision: Counts, target: Counts, num_classes: int) -> Counts:
    """Count how often each class was decided for each target; decision and target (N,) → (C, C)."""
    flat = np.bincount(target * num_classes + decision, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes)


def recall(confusion: Counts) -> NDArray[np.float64]:
    """The share of each class's examples that was found, (C,); NaN for a class without an example."""
    return _ratio(confusion.diagonal(), confusion.sum(1))


def precision(confusion: Counts) -> NDArray[np.float64]:
    """The share of each class's decisions that was right, (C,); NaN for a class that was never decided."""
    return _ratio(confusion.diagonal(), confusion.sum(0))


def balanced_accuracy(confusion: Counts) -> float:
    """The mean recall over the classes that have an example, as scikit-learn defines it."""
    return macro(recall(confusion).tolist())


def _ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return part / np.where(whole == 0, np.nan, whole)
