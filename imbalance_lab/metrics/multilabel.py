"""Scores of decisions on labels that may hold together: each label is a question of its own, answered yes or no.

Throughout, ``decision`` and ``target`` are 0/1 (N, L), and ``confusion`` is (L, 2, 2): for each label rows are what is
so, columns what was decided, no before yes. Scores that need both answers (all but recall, precision and F1) are
undefined for a label that holds for all examples or for none, and means leave it out.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.metrics import confusion as of_classes
from imbalance_lab.metrics.entrance import as_mask
from imbalance_lab.metrics.influence import Strata
from imbalance_lab.metrics.intervals import Interval, Part, dependent_mean_interval, wilson_interval
from imbalance_lab.metrics.ranking import Counts, macro

Answers = ArrayLike


def label_confusion(decision: Answers, target: Answers) -> Counts:
    """Count each label's right and wrong answers, (L, 2, 2)."""
    decided, so = as_mask(decision, "decision"), as_mask(target, "target")
    counts = [(a & b).sum(0) for a in (~so, so) for b in (~decided, decided)]
    return np.stack(counts, 1).reshape(-1, 2, 2)


def label_recall(confusion: Counts) -> NDArray[np.float64]:
    """The share of each label's positives that were found, (L,); NaN for a label that no example has."""
    return _each(confusion, lambda one: float(of_classes.recall(one)[1]))


def label_precision(confusion: Counts) -> NDArray[np.float64]:
    """The share of each label's alarms that were true, (L,); NaN for a label that was never decided to hold."""
    return _each(confusion, lambda one: float(of_classes.precision(one)[1]))


def label_balanced_accuracy(confusion: Counts) -> float:
    """The mean over the labels of (recall + specificity) / 2."""
    return _mean(confusion, of_classes.balanced_accuracy)


def label_decision_scores(confusion: Counts) -> dict[str, float]:
    """By the names of `imbalance_lab.metrics` for classes: macro F1 and the lowest recall are of the positives.

    Matthews' correlation and the geometric and harmonic mean of recall and specificity are means over the labels.
    """
    found = label_recall(confusion)
    return {
        "macro_f1": macro(_each(confusion, lambda one: float(of_classes.f1(one)[1])).tolist()),
        "matthews_corrcoef": _mean(confusion, of_classes.matthews_corrcoef),
        "geometric_mean_recall": _mean(confusion, of_classes.geometric_mean_recall),
        "harmonic_mean_recall": _mean(confusion, of_classes.harmonic_mean_recall),
        "worst_class_recall": min(found[~np.isnan(found)].tolist(), default=float("nan")),
    }


def label_balanced_accuracy_interval(decision: Answers, target: Answers, level: float = 0.95) -> Interval | None:
    """The interval of `label_balanced_accuracy`, from the influences as `macro_auroc_interval`: labels share examples.

    Its parts are the recall and the specificity of every label.
    """
    decision, target = as_mask(decision, "decision"), as_mask(target, "target")

    def parts() -> Iterator[Part]:
        right = decision == target
        for answer in both_answers(target):
            member, of = answer
            hits, n = int((right[:, of] & member).sum()), int(member.sum())
            influence = np.where(member, right[:, of] - hits / n, 0) / n
            yield Part(hits / n, wilson_interval(hits, n, level), influence, min(hits, n - hits) >= 5)

    return dependent_mean_interval(parts(), Strata(target.astype(np.int64)), level)


def both_answers(target: Answers) -> Iterator[tuple[NDArray[np.bool_], int]]:
    """The examples (N,) of which a label is so, and of which it is not, with its place; labels with both only."""
    for label, so in enumerate(as_mask(target, "target").T):
        if so.any() and not so.all():
            yield so, label
            yield ~so, label


def _each(confusion: Counts, score: Callable[[Counts], float]) -> NDArray[np.float64]:
    return np.array([score(one) for one in confusion])


def _mean(confusion: Counts, score: Callable[[Counts], float]) -> float:
    return macro([score(one) if one.sum(1).all() else float("nan") for one in confusion])
