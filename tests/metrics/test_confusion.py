import numpy as np
import pytest
from sklearn import metrics as sk

from imbalance_lab.metrics import balanced_accuracy, confusion_matrix, precision, recall


@pytest.fixture
def seeded():
    rng = np.random.default_rng(3)
    target = rng.choice(4, 200, p=[0.7, 0.2, 0.08, 0.02])
    preds = np.where(rng.random(200) < 0.6, target, rng.integers(0, 4, 200))
    return preds, target


def test_every_score_matches_scikit_learn(seeded):
    preds, target = seeded
    confusion = confusion_matrix(preds, target, 4)
    assert confusion.tolist() == sk.confusion_matrix(target, preds).tolist()
    np.testing.assert_allclose(recall(confusion), sk.recall_score(target, preds, average=None))
    np.testing.assert_allclose(precision(confusion), sk.precision_score(target, preds, average=None))
    assert balanced_accuracy(confusion) == pytest.approx(sk.balanced_accuracy_score(target, preds))


def test_rows_are_targets_and_columns_predictions():
    confusion = confusion_matrix(np.array([2, 2, 0]), np.array([1, 1, 0]), 3)
    assert confusion.tolist() == [[1, 0, 0], [0, 0, 2], [0, 0, 0]]


def test_an_absent_class_has_no_recall_and_a_class_never_predicted_no_precision():
    confusion = confusion_matrix(np.array([0, 3, 0, 1]), np.array([0, 0, 0, 1]), 4)
    np.testing.assert_equal(recall(confusion), [2 / 3, 1, np.nan, np.nan])
    np.testing.assert_equal(precision(confusion), [1, 1, np.nan, 0])
    assert balanced_accuracy(confusion) == pytest.approx((2 / 3 + 1) / 2)


def test_an_absent_class_that_is_predicted_does_not_count():
    # torchmetrics' macro recall says 0.5: it counts class 2, which has no example, as 0.
    target, preds = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    assert balanced_accuracy(confusion_matrix(preds, target, 3)) == 0.75


def test_without_examples_there_is_no_matrix_and_of_zeros_no_score():
    nothing = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="preds must not be empty"):
        confusion_matrix(nothing, nothing, 3)
    assert np.isnan(balanced_accuracy(np.zeros((3, 3), int)))
