"""The predicted labels of a split, counted and scored."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.metrics import Interval
from imbalance_lab.metrics.array_inputs import as_examples
from imbalance_lab.task import Task

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Decisions:
    """The predicted labels of a split, counted and scored.

    Args:
        true_positives: examples of each class that were predicted as such, (C,).
        targets: examples of each class, (C,).
        predicted: examples predicted as each class, (C,).
        correct: whether every label of an example is right, (N,).
        confusion: (C, C), rows are targets, columns predictions; None for multilabel tasks.
        balanced_accuracy: the mean recall; for multilabel tasks the mean of (recall + specificity) / 2.
        balanced_accuracy_interval: its 95 % interval.
        scores: further scores by name.
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
        """True positives over examples of each class, (C,); NaN for a class without an example."""
        return self.true_positives / np.where(self.targets == 0, np.nan, self.targets)

    @property
    def precision(self) -> NDArray[np.float64]:
        """True positives over predictions of each class, (C,); NaN for a class that is never predicted."""
        return self.true_positives / np.where(self.predicted == 0, np.nan, self.predicted)


def score_decisions(task: Task, logits: NDArray[np.floating[Any]], target: Counts) -> Decisions:
    """Predict labels from logits (N, C), as `Task.predict_labels` does, and score them against the target."""
    logits, target = as_examples(logits, target, "logits", finite=True)
    if logits.shape[1] != task.num_classes or (target.ndim == 2) != task.is_multilabel:
        raise ValueError(
            f"logits {logits.shape} and target {target.shape} do not fit a {task.kind} task of {task.num_classes} "
            "classes: pass one logit for each, and the targets of that kind"
        )
    predicted, correct = task.predict_labels(logits), task.correct(logits, target)
    if task.is_multilabel:
        return _of_labels(predicted, target, correct)
    return _of_classes(predicted, target, correct, task.num_classes)


def _of_classes(predicted: Counts, target: Counts, correct: NDArray[np.bool_], num_classes: int) -> Decisions:
    confusion = metrics.confusion_matrix(predicted, target, num_classes)
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
        correct=correct,
        confusion=confusion,
        balanced_accuracy=metrics.balanced_accuracy(confusion),
        balanced_accuracy_interval=metrics.balanced_accuracy_interval(confusion),
        scores={score.__name__: score(confusion) for score in scores},
    )


def _of_labels(predicted: Counts, target: Counts, correct: NDArray[np.bool_]) -> Decisions:
    confusion = metrics.label_confusion(predicted, target)
    return Decisions(
        true_positives=confusion[:, 1, 1],
        targets=confusion[:, 1].sum(1),
        predicted=confusion[:, :, 1].sum(1),
        correct=correct,
        confusion=None,
        balanced_accuracy=metrics.label_balanced_accuracy(confusion),
        balanced_accuracy_interval=metrics.label_balanced_accuracy_interval(predicted, target),
        scores=metrics.label_decision_scores(confusion),
    )
