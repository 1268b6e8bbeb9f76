"""The confusion matrix, and recall and precision from it: rows are targets, columns are predictions.

The recall of a class without an example is NaN, and every mean over the classes leaves it out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.class_counts import SHOT_LIMITS, ShotGroup, ShotLimits, shot_group
from imbalance_lab.metrics.array_inputs import as_confusion, as_target, as_values, check_same_shape
from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.types import Counts
from imbalance_lab.validation import check_integer


def confusion_matrix(preds: ArrayLike, target: ArrayLike, num_classes: int) -> Counts:
    """Count the predictions of each class for each target.

    Args:
        preds: predicted class indices (N,): an array, list or tensor of any integer dtype or bool.
        target: class indices (N,), likewise.
        num_classes: C.

    Returns:
        (C, C), rows are targets, columns are predictions.

    Raises:
        TypeError, ValueError: for a class index outside [0, C), different shapes, or no example.
    """
    check_integer("num_classes", num_classes, minimum=1)
    preds, target = (
        as_target(each, name, num_classes=num_classes) for each, name in ((preds, "preds"), (target, "target"))
    )
    if preds.ndim != 1 or target.ndim != 1:
        raise ValueError(
            f"preds and target must both be (N,), got {preds.shape} and {target.shape}: use label_confusion for labels"
        )
    check_same_shape(preds=preds, target=target)
    flat = np.bincount(target * num_classes + preds, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes)


def recall(confusion: Counts) -> NDArray[np.float64]:
    """The share of each class's examples that is predicted as that class, (C,); NaN for a class without an example."""
    counts = as_confusion(confusion)
    return ratio(counts.diagonal(), counts.sum(1))


def precision(confusion: Counts) -> NDArray[np.float64]:
    """The share of each class's predictions that is correct, (C,); NaN for a class that is never predicted."""
    counts = as_confusion(confusion)
    return ratio(counts.diagonal(), counts.sum(0))


def balanced_accuracy(confusion: Counts) -> float:
    """The mean recall over the classes that have an example, as scikit-learn defines it."""
    return macro(recall(confusion).tolist())


def geometric_mean_recall(confusion: Counts) -> float:
    """The geometric mean of the recalls ("G-mean", Kubat & Matwin 1997); 0 if a class has recall 0."""
    recalls = _defined_recalls(confusion)
    with np.errstate(divide="ignore"):
        return float(np.exp(np.log(recalls).mean())) if len(recalls) else float("nan")


def harmonic_mean_recall(confusion: Counts) -> float:
    """The harmonic mean of the recalls, dominated by the worst classes; 0 if a class has recall 0."""
    recalls = _defined_recalls(confusion)
    with np.errstate(divide="ignore"):
        return float(len(recalls) / (1 / recalls).sum()) if len(recalls) else float("nan")


def worst_class_recall(confusion: Counts) -> float:
    """The lowest recall of any class; with few examples in a class, it can be low by chance alone."""
    return min(_defined_recalls(confusion).tolist(), default=float("nan"))


def recall_by_shot_group(
    confusion: Counts, train_counts: Sequence[int], limits: ShotLimits = SHOT_LIMITS
) -> dict[ShotGroup, float]:
    """The mean recall of the classes with many, medium and few training examples ("many-shot accuracy" etc.).

    Groups without a class are left out; a group whose classes have no examples is NaN. On a balanced split this equals
    the accuracy over the group's examples, as Liu et al. 2019 (arXiv 1904.05160) compute it.
    """
    return mean_by_shot_group(recall(confusion).tolist(), train_counts, limits)


def mean_by_shot_group(
    values: Sequence[float], train_counts: Sequence[int], limits: ShotLimits = SHOT_LIMITS
) -> dict[ShotGroup, float]:
    """The mean, without NaN, of the values of the classes with many, medium and few training examples."""
    groups: dict[ShotGroup, list[float]] = {"many": [], "medium": [], "few": []}
    values, counts = as_values(values, "values"), as_values(train_counts, "train_counts")
    if len(values) != len(counts):
        raise ValueError(f"values and train_counts must be of the same classes, got {len(values)} and {len(counts)}")
    for count, value in zip(counts, values, strict=True):
        groups[shot_group(int(count), limits)].append(value)
    return {group: macro(values) for group, values in groups.items() if values}


def ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """Part / whole, NaN where the whole is 0."""
    with np.errstate(invalid="ignore"):
        return part / np.where(whole == 0, np.nan, whole)


def _defined_recalls(confusion: Counts) -> NDArray[np.float64]:
    values = recall(confusion)
    return values[~np.isnan(values)]
