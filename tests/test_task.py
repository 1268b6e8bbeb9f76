"""The task: which kind targets have, and what follows from it, for arrays and tensors alike."""

import json

import numpy as np
import pytest
import torch

from imbalance_lab.task import Task, check_positive, one_hot

MULTICLASS = Task("multiclass", ("a", "b", "c"))
MULTILABEL = Task("multilabel", ("torn", "late"), "sigmoid")


@pytest.mark.parametrize(
    ("targets", "kind", "activation"),
    [
        (np.array([0, 1, 2]), "multiclass", "softmax"),
        (np.array([[0, 1, 1]]), "multilabel", "sigmoid"),
        (torch.tensor([[0, 1, 1]]), "multilabel", "sigmoid"),
    ],
)
def test_the_kind_follows_from_the_targets(targets, kind, activation):
    task = Task.from_targets("abc", targets)
    assert (task.kind, task.activation, task.num_classes) == (kind, activation, 3)
    assert task.positive is None


@pytest.mark.parametrize(("targets", "positive"), [([0, 0, 1], 1), ([1, 1, 0], 0), ([0, 1], 1)])
def test_the_positive_class_is_the_rarer_one(targets, positive):
    assert Task.from_targets("ab", np.array(targets)).positive == positive
    assert Task.from_targets("ab", torch.tensor(targets)).positive == positive
    assert Task.from_targets("ab", np.array(targets), positive=1 - positive).positive == 1 - positive


def test_labels_and_classes_are_predicted_alike_from_arrays_and_tensors():
    logits = np.array([[0.0, -1], [2, -1e-9], [-3, 4]])
    expected = {MULTILABEL: [[1, 0], [1, 0], [0, 1]], Task("binary", ("n", "p"), positive=1): [0, 0, 1]}
    for task, labels in expected.items():
        assert task.predict_labels(logits).tolist() == labels
        tensor = task.predict_labels(torch.from_numpy(logits))
        assert tensor.dtype == torch.int64
        assert tensor.tolist() == labels


def test_an_example_is_correct_if_all_of_its_labels_are():
    logits = np.array([[1.0, -1], [1, 1]])
    assert MULTILABEL.correct(logits, np.array([[1, 0], [1, 0]])).tolist() == [True, False]
    assert MULTICLASS.correct(np.eye(3), np.array([0, 2, 2])).tolist() == [True, False, True]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.int8])
def test_one_hot(dtype):
    assert one_hot(np.array([0, 2], dtype), 3).tolist() == [[True, False, False], [False, False, True]]
    assert one_hot(np.array([[0, 1]], dtype), 2).tolist() == [[False, True]]


def test_counts():
    assert MULTICLASS.count(torch.tensor([0, 0, 2])).tolist() == [2, 0, 1]
    assert MULTILABEL.count(torch.tensor([[0, 1], [1, 1]])).tolist() == [1, 2]


def test_under_sigmoid_each_class_is_ranked_by_its_own_logit():
    sigmoid = Task("multiclass", ("a", "b", "c"), "sigmoid")
    assert (MULTICLASS.ranking_task, sigmoid.ranking_task, MULTILABEL.ranking_task) == (
        "multiclass",
        "multilabel",
        "multilabel",
    )
    assert Task("multilabel", ("only",), "sigmoid").ranking_task == "binary"
    targets = torch.tensor([0, 2])
    assert torch.equal(MULTICLASS.ranking_target(targets), targets)
    assert sigmoid.ranking_target(targets).tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("task", [MULTICLASS, MULTILABEL, Task("binary", ("0", "1"), positive=0)])
def test_it_travels_as_plain_values(task):
    assert Task.from_dict(json.loads(json.dumps(task.as_dict()))) == task


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ternary", ("a", "b")), "kind must be one of binary, multiclass, multilabel, got 'ternary'"),
        (("binary", ("a", "b", "c")), "a binary task has two classes, got 3"),
        (("multilabel", ("a", "b"), "softmax"), "a multilabel task needs activation=sigmoid, got softmax"),
        (("multiclass", ("a", "b", "c"), "relu"), "activation must be softmax or sigmoid, got 'relu'"),
        (("multiclass", ()), "a task needs at least one class"),
        (("multiclass", ("a", "b", "c"), "softmax", 1), "positive=1 is not a class of a binary task"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Task(*arguments)


def test_a_positive_class_is_one_of_two():
    check_positive("b", ("a", "b"), is_multilabel=False)
    with pytest.raises(ValueError, match="positive=c is not a class of the data: choose a or b"):
        check_positive("c", ("a", "b"), is_multilabel=False)
    with pytest.raises(ValueError, match="the data have 4 classes, a, b, c …: leave it out"):
        check_positive("a", tuple("abcd"), is_multilabel=False)
    with pytest.raises(ValueError, match="the data have 2 labels, a, b: leave it out"):
        check_positive("a", ("a", "b"), is_multilabel=True)
