"""The confusion matrix, and recall and precision from it: rows are targets, columns are predictions.

The recall of a class without an example is NaN, and every mean over the classes leaves it out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.class_counts import ShotGroup, shot_group
from imbalance_lab.metrics.array_inputs import as_target
from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.types import Counts


def confusion_matrix(preds: ArrayLike, target: ArrayLike, num_classes: int) -> Counts:
    """Count the predictions of each class for each target.

    Args:
        preds: predicted class indices (N,): an array, list or tensor of any integer dtype or bool.
        target: class indices (N,), likewise.
        num_classes: C.

    Returns:
        (C, C), rows are targets, columns are predictions.

    Raises:
        ValueError: for a class index outside [0, C), or for different shapes.
    """
    preds, target = as_target(preds, "preds"), as_target(target)
    if preds.ndim != 1 or preds.shape != target.shape:
        raise ValueError(f"preds and target must both be (N,), got {preds.shape} and {target.shape}")
    for name, indices in (("preds", preds), ("target", target)):
        if len(indices) and not 0 <= indices.min() <= indices.max() < num_classes:
            raise ValueError(f"{name} must lie in [0, {num_classes - 1}], got {indices.min()} to {indices.max()}")
    flat = np.bincount(target * num_classes + preds, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes)


def recall(confusion: Counts) -> NDArray[np.float64]:
    """The share of each class's examples that is predicted as that class, (C,); NaN for a class without an example."""
    return ratio(confusion.diagonal(), confusion.sum(1))


def precision(confusion: Counts) -> NDArray[np.float64]:
    """The share of each class's predictions that is correct, (C,); NaN for a class that is never predicted."""
    return ratio(confusion.diagonal(), confusion.sum(0))


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


def recall_by_shot_group(confusion: Counts, train_counts: Sequence[int]) -> dict[ShotGroup, float]:
    """The mean recall of the classes with many, medium and few training examples ("many-shot accuracy" etc.).

    Groups without a class are left out; a group whose classes have no examples is NaN. On a balanced split this equals
    the accuracy over the group's examples, as Liu et al. 2019 (arXiv 1904.05160) compute it.
    """
    return mean_by_shot_group(recall(confusion).tolist(), train_counts)


def mean_by_shot_group(values: Sequence[float], train_counts: Sequence[int]) -> dict[ShotGroup, float]:
    """The mean, without NaN, of the values of the classes with many, medium and few training examples."""
    groups: dict[ShotGroup, list[float]] = {"many": [], "medium": [], "few": []}
    for count, value in zip(train_counts, values, strict=True):
        groups[shot_group(int(count))].append(value)
    return {group: macro(values) for group, values in groups.items() if values}


def ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """Part / whole, NaN where the whole is 0."""
    with np.errstate(invalid="ignore"):
        return part / np.where(whole == 0, np.nan, whole)


def _defined_recalls(confusion: Counts) -> NDArray[np.float64]:
    values = recall(confusion)
    return values[~np.isnan(values)]
