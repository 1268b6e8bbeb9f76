import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sklearn
from torchmetrics.functional import classification as torchmetrics

from imbalance_lab import metrics
from imbalance_lab.metrics import confusion_matrix

confusions = arrays(np.int64, st.integers(2, 5).map(lambda c: (c, c)), elements=st.integers(0, 6))

OVER_CLASSES = [
    metrics.balanced_accuracy,
    metrics.macro_f1,
    metrics.geometric_mean_recall,
    metrics.harmonic_mean_recall,
    metrics.worst_class_recall,
]


def as_lists(confusion):
    """The examples that a confusion matrix counts: targets and predictions."""
    target, preds = np.nonzero(confusion)
    return np.repeat(target, confusion[target, preds]), np.repeat(preds, confusion[target, preds])


def full(seed=0, classes=4):
    """A confusion matrix with every class present, decided and found."""
    return np.random.default_rng(seed).integers(1, 30, (classes, classes))


@given(confusions)
def test_f1_matches_scikit_learn_if_the_class_has_an_example(confusion):
    target, preds = as_lists(confusion)
    if not len(target):
        assert np.isnan(metrics.f1(confusion)).all()
        return
    theirs = sklearn.f1_score(target, preds, labels=range(len(confusion)), average=None, zero_division=0)
    has = confusion.sum(1) > 0
    np.testing.assert_allclose(metrics.f1(confusion), np.where(has, theirs, np.nan))
    assert metrics.macro_f1(confusion) == pytest.approx(theirs[has].mean())


def test_macro_f1_leaves_out_an_absent_class_that_scikit_learn_and_torchmetrics_count_as_zero():
    target, preds = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    ours = metrics.macro_f1(confusion_matrix(preds, target, 4))
    assert ours == pytest.approx((1 + 2 / 3) / 2)
    assert sklearn.f1_score(target, preds, average="macro") == pytest.approx((1 + 2 / 3 + 0) / 3)
    present = torchmetrics.multiclass_f1_score(torch.tensor(preds), torch.tensor(target), 4, average="macro")
    assert float(present) < ours


@given(confusions)
def test_matthews_matches_scikit_learn_but_is_undefined_for_a_constant(confusion):
    target, preds = as_lists(confusion)
    ours = metrics.matthews_corrcoef(confusion)
    if len(set(target)) < 2 or len(set(preds)) < 2:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(sklearn.matthews_corrcoef(target, preds), abs=1e-12)
        assert -1 - 1e-12 <= ours <= 1 + 1e-12


def test_matthews_of_a_hundred_million_examples_keeps_full_precision():
    big = np.array([[99_000_000, 400_000], [300_000, 300_000]])
    tn, fp, fn, tp = (int(count) for count in big.ravel())
    by_hand = (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    assert metrics.matthews_corrcoef(big) == pytest.approx(by_hand, rel=1e-12)


@given(confusions)
def test_means_of_recall_by_brute_force(confusion):
    recalls = [row[c] / sum(row) for c, row in enumerate(confusion.tolist()) if sum(row)]
    if not recalls:
        assert all(np.isnan(score(confusion)) for score in OVER_CLASSES)
        return
    assert metrics.worst_class_recall(confusion) == min(recalls)
    assert metrics.geometric_mean_recall(confusion) == pytest.approx(np.prod(recalls) ** (1 / len(recalls)))
    harmonic = 0 if 0 in recalls else len(recalls) / sum(1 / r for r in recalls)
    assert metrics.harmonic_mean_recall(confusion) == pytest.approx(harmonic)


@given(confusions)
def test_worst_harmonic_geometric_and_balanced_are_in_this_order(confusion):
    if confusion.any():
        worst, harmonic, geometric, mean = (
            metrics.worst_class_recall(confusion),
            metrics.harmonic_mean_recall(confusion),
            metrics.geometric_mean_recall(confusion),
            metrics.balanced_accuracy(confusion),
        )
        assert worst <= harmonic + 1e-12
        assert harmonic <= geometric + 1e-12
        assert geometric <= mean + 1e-12


@pytest.mark.parametrize("score", [*OVER_CLASSES, metrics.matthews_corrcoef])
def test_the_order_of_the_classes_does_not_matter(score):
    confusion, order = full(), np.random.default_rng(1).permutation(4)
    assert score(confusion[np.ix_(order, order)]) == pytest.approx(score(confusion))


@pytest.mark.parametrize("score", OVER_CLASSES)
def test_a_class_without_an_example_is_left_out(score):
    with_absent = np.zeros((5, 5), np.int64)
    with_absent[:4, :4] = full()
    assert score(with_absent) == pytest.approx(score(full()))


@pytest.mark.parametrize("score", [*OVER_CLASSES, metrics.matthews_corrcoef])
def test_without_examples_the_score_is_nan(score):
    with warnings.catch_warnings(action="error"):
        assert np.isnan(score(np.zeros((3, 3), np.int64)))


def test_recall_by_group():
    confusion = np.array([[8, 2, 0, 0], [1, 9, 0, 0], [0, 0, 5, 5], [0, 0, 0, 0]])
    assert metrics.recall_by_shot_group(confusion, [500, 101, 20, 3]) == pytest.approx(
        {"many": 0.85, "medium": 0.5, "few": float("nan")}, nan_ok=True
    )
    assert metrics.recall_by_shot_group(confusion, [500, 101, 200, 300]) == pytest.approx(
        {"many": (0.8 + 0.9 + 0.5) / 3}
    )
