"""The tags of validation scores, whatever the classes are called."""

from imbalance_lab.task import Task
from imbalance_lab.training.validation_scores import validation_scores


def test_no_class_can_take_the_tag_of_a_summary_or_of_another_class() -> None:
    """As a class called "macro" once took that of the mean over classes."""
    task = Task("multiclass", ("macro", "class", "loss", "auroc", "class/macro", "macro/class", "", " "))
    tags = validation_scores(task)
    assert len(set(tags)) == len(tags) == 4 + 3 * 8
