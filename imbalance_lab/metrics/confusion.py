"""Scores of decisions, all derived from one confusion matrix: rows are targets, columns are decisions.

A class without an example has no recall and no F1 (NaN), and every score over the classes leaves it out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.class_counts import ShotGroup, shot_group
from imbalance_lab.metrics.entrance import as_target
from imbalance_lab.metrics.ranking import macro

Counts = NDArray[np.int64]


def confusion_matrix(decision: ArrayLike, target: ArrayLike, num_classes: int) -> Counts:
    """Count how often each class was decided for each target; decision and target (N,) → (C, C).

    Both may be arrays, lists or tensors of any integer dtype or bool.

    Raises:
        ValueError: for a class number outside [0, C), and for shapes that do not fit each other.
    """
    decision, target = as_target(decision, "decision"), as_target(target)
    if decision.ndim != 1 or decision.shape != target.shape:
        raise ValueError(f"decision and target must both be (N,), got {decision.shape} and {target.shape}")
    for name, numbers in (("decision", decision), ("target", target)):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < num_classes:
            raise ValueError(f"{name} must lie in [0, {num_classes - 1}], got {numbers.min()} to {numbers.max()}")
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


def f1(confusion: Counts) -> NDArray[np.float64]:
    """The harmonic mean of precision and recall, 2·TP / (targets + decisions), (C,).

    NaN for a class without an example; 0 for one that has examples but is never decided, undefined precision or not.
    """
    targets, decisions = confusion.sum(1), confusion.sum(0)
    return _ratio(2 * confusion.diagonal(), np.where(targets == 0, 0, targets + decisions))


def macro_f1(confusion: Counts) -> float:
    """The mean F1 over the classes that have an example.

    scikit-learn also counts, as 0, a class that has none but was decided; torchmetrics every class that it was told of.
    """
    return macro(f1(confusion).tolist())


def matthews_corrcoef(confusion: Counts) -> float:
    """Matthews' correlation of targets and decisions in [−1, 1], for any number of classes (Gorodkin 2004, R_K).

    NaN if all targets, or all decisions, are of one class: the correlation with a constant. (scikit-learn says 0.)
    """
    targets, decisions = confusion.sum(1).astype(float), confusion.sum(0).astype(float)
    n, hits = targets.sum(), float(confusion.trace())
    spread = (n**2 - targets @ targets) * (n**2 - decisions @ decisions)
    return float((n * hits - targets @ decisions) / np.sqrt(spread)) if spread > 0 else float("nan")


def geometric_mean_recall(confusion: Counts) -> float:
    """The geometric mean of the recalls ("G-mean", Kubat & Matwin 1997); 0 if a class is never found."""
    found = _defined_recalls(confusion)
    with np.errstate(divide="ignore"):
        return float(np.exp(np.log(found).mean())) if len(found) else float("nan")


def harmonic_mean_recall(confusion: Counts) -> float:
    """The harmonic mean of the recalls, which the worst classes dominate; 0 if a class is never found."""
    found = _defined_recalls(confusion)
    with np.errstate(divide="ignore"):
        return float(len(found) / (1 / found).sum()) if len(found) else float("nan")


def worst_class_recall(confusion: Counts) -> float:
    """The lowest recall of any class; where classes have few examples, chance alone makes it low."""
    return min(_defined_recalls(confusion).tolist(), default=float("nan"))


def recall_by_shot_group(confusion: Counts, train_counts: Sequence[int]) -> dict[ShotGroup, float]:
    """The mean recall of the classes with many, medium and few training examples ("many-shot accuracy" and so on).

    Groups without a class are left out; one of classes without an example is NaN. On a balanced split this equals the
    accuracy over the group's examples, as Liu et al. 2019 (arXiv 1904.05160) compute it.
    """
    return mean_by_shot_group(recall(confusion).tolist(), train_counts)


def mean_by_shot_group(values: Sequence[float], train_counts: Sequence[int]) -> dict[ShotGroup, float]:
    """The mean of the classes' values, NaN left out, with many, medium and few training examples."""
    groups: dict[ShotGroup, list[float]] = {"many": [], "medium": [], "few": []}
    for count, value in zip(train_counts, values, strict=True):
        groups[shot_group(int(count))].append(value)
    return {group: macro(values) for group, values in groups.items() if values}


def _defined_recalls(confusion: Counts) -> NDArray[np.float64]:
    values = recall(confusion)
    return values[~np.isnan(values)]


def _ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return part / np.where(whole == 0, np.nan, whole)
