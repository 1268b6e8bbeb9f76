from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imbalance_lab.evaluation.decisions import Decisions, score_decisions
from imbalance_lab.metrics import confusion_matrix, label_confusion
from imbalance_lab.task import Task


def decide(logits: NDArray[Any], target: NDArray[Any]) -> Decisions:
    task = Task.from_targets([f"class {c}" for c in range(logits.shape[1])], target)
    return score_decisions(task, logits, target)


def test_the_largest_logit_is_predicted():
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    made = decide(logits, target)
    confusion = confusion_matrix(logits.argmax(1), target, 3)
    assert made.confusion is not None
    assert np.array_equal(made.confusion, confusion)
    assert np.array_equal(made.correct, logits.argmax(1) == target)
    assert made.recall.tolist() == (confusion.diagonal() / confusion.sum(1)).tolist()
    assert made.precision.tolist() == (confusion.diagonal() / confusion.sum(0)).tolist()


def test_labels_are_predicted_by_the_sign_of_their_logit():
    logits = np.array([[0.0, -1], [2, -1e-9], [-3, 4], [-1, -1]])
    target = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
    made = decide(logits, target)
    assert made.confusion is None
    assert made.correct.tolist() == [True, False, False, False]
    assert (made.true_positives.tolist(), made.targets.tolist(), made.predicted.tolist()) == ([1, 1], [2, 2], [2, 1])
    assert made.recall.tolist() == [0.5, 0.5]
    assert made.precision.tolist() == [0.5, 1.0]
    assert np.array_equal(label_confusion(logits >= 0, target)[:, 1, 1], made.true_positives)


def test_recall_without_examples_and_precision_without_predictions_are_nan():
    made = decide(np.full((3, 1), -1.0), np.zeros((3, 1), np.int64))
    assert np.isnan([made.recall[0], made.precision[0], made.balanced_accuracy]).all()
    assert made.balanced_accuracy_interval is None
    assert made.correct.all()


@pytest.mark.parametrize("width", [1, 2])
def test_scores_have_the_same_names_either_way(width):
    rng = np.random.default_rng(1)
    labels = decide(rng.normal(size=(40, width)), rng.integers(0, 2, (40, width)))
    assert labels.scores.keys() == decide(rng.normal(size=(40, 2)), rng.integers(0, 2, 40)).scores.keys()
