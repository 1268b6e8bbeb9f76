"""The scores of a validation, by tag: those that are logged after every epoch, and that can be monitored."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics import Ranking, balanced_accuracy, label_balanced_accuracy, label_recall, macro, recall
from imbalance_lab.tags import MONITOR, score_tag
from imbalance_lab.task import Task


def validation_scores(task: Task) -> list[str]:
    """The tags of the scores that are logged after every validation, and that can be monitored."""
    summaries = [
        score_tag("val", "loss"),
        MONITOR,
        score_tag("val", "average_precision", average="macro"),
        score_tag("val", "balanced_accuracy"),
    ]
    scores = ("auroc", "average_precision", "recall")
    return summaries + [score_tag("val", score, of_class=name) for score in scores for name in task.classes]


def score_validation(task: Task, rankings: Sequence[Ranking], confusion: NDArray[Any], loss: float) -> dict[str, float]:
    """The scores of a validation by tag, NaN where undefined.

    Args:
        task: its classes.
        rankings: of each class against the rest.
        confusion: of the classes, (C, C), or of labels, (C, 2, 2).
        loss: the mean loss.
    """
    balanced, recalls = (label_balanced_accuracy, label_recall) if task.is_multilabel else (balanced_accuracy, recall)
    scores = {
        score_tag("val", "loss"): loss,
        MONITOR: macro([ranking.auroc for ranking in rankings]),
        score_tag("val", "average_precision", average="macro"): macro(
            [ranking.average_precision for ranking in rankings]
        ),
        score_tag("val", "balanced_accuracy"): balanced(confusion),
    }
    for name, ranking, class_recall in zip(task.classes, rankings, recalls(confusion), strict=True):
        scores[score_tag("val", "auroc", of_class=name)] = ranking.auroc
        scores[score_tag("val", "average_precision", of_class=name)] = ranking.average_precision
        scores[score_tag("val", "recall", of_class=name)] = float(class_recall)
    return scores


def check_logits(logits: Tensor, index: Tensor, split: str) -> None:
    """Raise an error if logits (n, C) are not finite.

    Args:
        logits: of a batch.
        index: (n,), names the examples.
        split: they are of.

    Raises:
        FloatingPointError: naming the first examples.
    """
    finite = logits.isfinite().all(1)
    if not finite.all():
        raise FloatingPointError(
            f"the logits of {int((~finite).sum())} {split} examples are not finite: index "
            f"{index[~finite][:8].tolist()}: look for non-finite inputs among them"
        )
