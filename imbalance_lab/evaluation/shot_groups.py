"""The classes with many, medium and few training examples (Liu et al. 2019, arXiv 1904.05160): each group's means."""

from dataclasses import dataclass
from typing import get_args

from imbalance_lab.class_counts import ShotGroup
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.scores import ClassScores
from imbalance_lab.metrics import macro


@dataclass(frozen=True)
class ShotGroupScores:
    """The means over the classes of a group, each over those for which it is defined; NaN if it is so for none.

    Args:
        group: many, medium or few.
        n_classes: its classes.
        n_tested: those with a test example.
        n_train, n_test: its examples; of labels its positives, so that an example counts once for each label.
        recall, auroc, average_precision: means over the classes, on test.
    """

    group: ShotGroup
    n_classes: int
    n_tested: int
    n_train: int
    n_test: int
    recall: float
    auroc: float
    average_precision: float


def score_shot_groups(test: Evaluation) -> tuple[ShotGroupScores, ...]:
    """The groups that have a class, many first; of a binary task that of the positive class."""
    classes = [test.classes[c] for c in test.predictions.task.reported_classes]
    groups = ((group, [each for each in classes if each.group == group]) for group in get_args(ShotGroup))
    return tuple(_score(group, members) for group, members in groups if members)


def _score(group: ShotGroup, classes: list[ClassScores]) -> ShotGroupScores:
    return ShotGroupScores(
        group=group,
        n_classes=len(classes),
        n_tested=sum(each.n_positive > 0 for each in classes),
        n_train=sum(each.train_count for each in classes),
        n_test=sum(each.n_positive for each in classes),
        recall=macro([each.recall.value for each in classes]),
        auroc=macro([each.auroc.value for each in classes]),
        average_precision=macro([each.average_precision.value for each in classes]),
    )
