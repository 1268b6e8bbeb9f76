"""What a model decides: one class of several an example, or each of several labels by itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.metrics import Interval
from imbalance_lab.metrics.entrance import as_scores, as_target

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Decisions:
    """The decisions on a split, counted and scored.

    Args:
        true_positives, targets, predicted: of each class, its examples that were found, all of them, and all that were taken for
            it, (C,).
        correct: whether all is right that was decided of an example, (N,).
        confusion: (C, C), rows are targets, columns decisions; None of labels, which may hold together.
        balanced_accuracy: the mean recall; of labels, the mean of (recall + specificity) / 2.
        balanced_accuracy_interval: its 95 % interval.
        scores: further ones, by name.
    """

    true_positives: Counts
    targets: Counts
    predicted: Counts
    correct: NDArray[np.bool_]
    confusion: Counts | None
    balanced_accuracy: float
    balanced_accuracy_interval: Interval | None
    scores: dict[str, float]

    @property
    def recall(self) -> NDArray[np.float64]:
        """The share of each class's examples that were found, (C,); NaN for a class without an example."""
        return self.true_positives / np.where(self.targets == 0, np.nan, self.targets)

    @property
    def precision(self) -> NDArray[np.float64]:
        """The share of what was taken for each class that is of it, (C,); NaN for a class never decided."""
        return self.true_positives / np.where(self.predicted == 0, np.nan, self.predicted)


def predict_labels(logits: NDArray[np.floating[Any]], target: Counts) -> Decisions:
    """Decide by logits (N, C): for class numbers (N,) the largest, for 0/1 labels (N, C) each that is ≥ 0."""
    logits, target = as_scores(logits, "logits"), as_target(target)
    return _of_labels(logits, target) if target.ndim == 2 else _of_classes(logits, target)


def _of_classes(logits: NDArray[np.floating[Any]], target: Counts) -> Decisions:
    decision = logits.argmax(1)
    confusion = metrics.confusion_matrix(decision, target, logits.shape[1])
    scores = (
        metrics.macro_f1,
        metrics.matthews_corrcoef,
        metrics.geometric_mean_recall,
        metrics.harmonic_mean_recall,
        metrics.worst_class_recall,
    )
    return Decisions(
        true_positives=confusion.diagonal(),
        targets=confusion.sum(1),
        predicted=confusion.sum(0),
        correct=decision == target,
        confusion=confusion,
        balanced_accuracy=metrics.balanced_accuracy(confusion),
        balanced_accuracy_interval=metrics.balanced_accuracy_interval(confusion),
        scores={score.__name__: score(confusion) for score in scores},
    )


def _of_labels(logits: NDArray[np.floating[Any]], target: Counts) -> Decisions:
    decision = logits >= 0
    confusion = metrics.label_confusion(decision, target)
    return Decisions(
        true_positives=confusion[:, 1, 1],
        targets=confusion[:, 1].sum(1),
        predicted=confusion[:, :, 1].sum(1),
        correct=(decision == target).all(1),
        confusion=None,
        balanced_accuracy=metrics.label_balanced_accuracy(confusion),
        balanced_accuracy_interval=metrics.label_balanced_accuracy_interval(decision, target),
        scores=metrics.label_decision_scores(confusion),
    )
