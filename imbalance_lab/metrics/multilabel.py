"""Scores of multilabel predictions: each label is a binary classification of its own.

Throughout, ``preds`` and ``target`` are 0/1 (N, L), and ``confusion`` is (L, 2, 2): for each label, rows are targets
and columns are predictions, negative before positive. Scores that need positives and negatives (all but recall,
precision and F1) are undefined for a label that all examples have or none, and means leave such a label out.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.metrics.array_inputs import as_confusion, as_mask, check_level, check_same_shape
from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.confusion import (
    balanced_accuracy,
    geometric_mean_recall,
    harmonic_mean_recall,
    precision,
    recall,
)
from imbalance_lab.metrics.f1_score import f1
from imbalance_lab.metrics.influence import Strata
from imbalance_lab.metrics.intervals.means import ScoreEstimate, dependent_mean_interval
from imbalance_lab.metrics.intervals.proportions import wilson_interval
from imbalance_lab.metrics.matthews import matthews_corrcoef
from imbalance_lab.metrics.types import Counts, Interval, Mask


def label_confusion(preds: ArrayLike, target: ArrayLike) -> Counts:
    """The confusion matrix of each label, (L, 2, 2)."""
    predicted, actual = _both(preds, target)
    counts = [(a & b).sum(0) for a in (~actual, actual) for b in (~predicted, predicted)]
    return np.stack(counts, 1).reshape(-1, 2, 2)


def label_recall(confusion: Counts) -> NDArray[np.float64]:
    """The share of each label's positives that is predicted, (L,); NaN for a label that no example has."""
    return _of_positives(confusion, recall)


def label_precision(confusion: Counts) -> NDArray[np.float64]:
    """The share of each label's positive predictions that is correct, (L,); NaN for a label that is never predicted."""
    return _of_positives(confusion, precision)


def label_balanced_accuracy(confusion: Counts) -> float:
    """The mean over the labels of (recall + specificity) / 2."""
    return _mean_over_labels(confusion, balanced_accuracy)


def label_decision_scores(confusion: Counts) -> dict[str, float]:
    """The scores of `imbalance_lab.metrics` for classes, by name: macro F1 and the lowest recall are of the positives.

    Matthews' correlation and the geometric and harmonic mean of recall and specificity are means over the labels.
    """
    confusion = as_confusion(confusion, of_labels=True)
    recalls = label_recall(confusion)
    return {
        "macro_f1": macro(_of_positives(confusion, f1).tolist()),
        "matthews_corrcoef": _mean_over_labels(confusion, matthews_corrcoef),
        "geometric_mean_recall": _mean_over_labels(confusion, geometric_mean_recall),
        "harmonic_mean_recall": _mean_over_labels(confusion, harmonic_mean_recall),
        "worst_class_recall": min(recalls[~np.isnan(recalls)].tolist(), default=float("nan")),
    }


def label_balanced_accuracy_interval(preds: ArrayLike, target: ArrayLike, level: float = 0.95) -> Interval | None:
    """The interval of `label_balanced_accuracy` from influences, as `macro_auroc_interval`: labels share examples.

    It is the mean of the recall and the specificity of every label.
    """
    check_level(level)
    predicted, actual = _both(preds, target)
    correct, strata = predicted == actual, Strata(actual.astype(np.int64))

    def estimates() -> Iterator[ScoreEstimate]:
        for members, label in positives_and_negatives(actual):
            n_correct, n = int((correct[:, label] & members).sum()), int(members.sum())
            influence = np.where(members, correct[:, label] - n_correct / n, 0) / n
            interval, error = wilson_interval(n_correct, n, level), float(np.sqrt(strata.variance(influence)))
            yield ScoreEstimate(n_correct / n, interval, influence, error, min(n_correct, n - n_correct) >= 5)

    return dependent_mean_interval(estimates(), strata, level)


def positives_and_negatives(target: ArrayLike) -> Iterator[tuple[Mask, int]]:
    """The positives (N,) and then the negatives (N,) of each label, with its index; labels with both only."""
    for label, positive in enumerate(as_mask(target, "target").T):
        if positive.any() and not positive.all():
            yield positive, label
            yield ~positive, label


def _both(preds: ArrayLike, target: ArrayLike) -> tuple[Mask, Mask]:
    """Predicted and actual labels (N, L), checked."""
    predicted, actual = as_mask(preds, "preds", ndim=2), as_mask(target, "target", ndim=2)
    check_same_shape(preds=predicted, target=actual)
    return predicted, actual


def _of_positives(confusion: Counts, score: Callable[[Counts], NDArray[np.float64]]) -> NDArray[np.float64]:
    """The score of each label's positive class, (L,)."""
    return np.array([float(score(of_label)[1]) for of_label in as_confusion(confusion, of_labels=True)])


def _mean_over_labels(confusion: Counts, score: Callable[[Counts], float]) -> float:
    counts = as_confusion(confusion, of_labels=True)
    return macro([score(of_label) if of_label.sum(1).all() else float("nan") for of_label in counts])
