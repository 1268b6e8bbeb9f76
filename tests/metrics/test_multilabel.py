"""Multilabel predictions against scikit-learn's scores of each label."""

import warnings

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as sk

from imbalance_lab.metrics import (
    balanced_accuracy_interval,
    compare_balanced_accuracy,
    compare_label_balanced_accuracy,
    confusion_matrix,
    label_balanced_accuracy,
    label_balanced_accuracy_interval,
    label_confusion,
    label_decision_scores,
    label_precision,
    label_recall,
)

SENSITIVITY, SPECIFICITY = 0.8, 0.9


def seeded(n=300, shares=(0.4, 0.1, 0.05), seed=0):
    """Correlated multilabel targets, and two models that find the same examples hard."""
    rng = np.random.default_rng(seed)
    labels = len(shares)
    target = (np.sqrt(0.5) * (rng.normal(size=(n, 1)) + rng.normal(size=(n, labels))) > norm.isf(shares)).astype(int)
    hard = rng.normal(size=(n, 1))

    def right():
        return norm.cdf(np.sqrt(0.5) * (hard + rng.normal(size=(n, labels)))) < np.where(
            target == 1, SENSITIVITY, SPECIFICITY
        )

    return target, right(), right()


def test_every_score_matches_scikit_learn():
    target, right, _ = seeded()
    decision = np.where(right, target, 1 - target)
    confusion = label_confusion(decision, target)
    assert np.array_equal(confusion, sk.multilabel_confusion_matrix(target, decision))
    assert label_recall(confusion) == pytest.approx(sk.recall_score(target, decision, average=None))
    assert label_precision(confusion) == pytest.approx(sk.precision_score(target, decision, average=None))
    columns = list(zip(target.T, decision.T, strict=True))
    balanced = np.mean([sk.balanced_accuracy_score(*each) for each in columns])
    assert label_balanced_accuracy(confusion) == pytest.approx(balanced)
    scores = label_decision_scores(confusion)
    assert scores["macro_f1"] == pytest.approx(sk.f1_score(target, decision, average="macro"))
    assert scores["matthews_corrcoef"] == pytest.approx(np.mean([sk.matthews_corrcoef(*each) for each in columns]))
    assert scores["worst_class_recall"] == min(label_recall(confusion))
    recalls = np.array([sk.recall_score(*each, average=None) for each in columns])
    assert scores["geometric_mean_recall"] == pytest.approx(np.sqrt(recalls.prod(1)).mean())
    assert scores["harmonic_mean_recall"] == pytest.approx((2 / (1 / recalls).sum(1)).mean())


def test_a_label_that_no_or_every_example_has_is_left_out():
    target, right, other = seeded()
    constant = np.stack([np.zeros(300, int), np.ones(300, int)], 1)
    wide = np.concatenate([target, constant], 1)
    decision = np.concatenate([np.where(right, target, 1 - target), constant], 1)
    few, many = (label_confusion(d[:, :k], t[:, :k]) for d, t, k in ((decision, wide, 3), (decision, wide, 5)))
    assert label_balanced_accuracy(many) == label_balanced_accuracy(few)
    assert np.isnan(label_recall(many)[3])
    assert label_recall(many)[4] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ends = label_balanced_accuracy_interval(decision, wide)
    assert ends == label_balanced_accuracy_interval(decision[:, :3], target)
    assert label_balanced_accuracy_interval(constant, constant) is None
    all_right = np.ones((300, 2), bool)
    one, more = (
        compare_label_balanced_accuracy(right, other, target),
        compare_label_balanced_accuracy(
            np.concatenate([right, all_right], 1), np.concatenate([other, all_right], 1), wide
        ),
    )
    assert one == more
    assert compare_label_balanced_accuracy(all_right, all_right, constant).interval is None


def test_a_single_label_equals_two_classes():
    target, right, other = (each[:, :1] for each in seeded(shares=(0.2,)))
    decision = np.where(right, target, 1 - target)
    as_classes = compare_balanced_accuracy(right[:, 0], other[:, 0], target[:, 0])
    as_label = compare_label_balanced_accuracy(right, other, target)
    # The variance of classes uses n − 1 of each class's n, that of labels N − 1 of all.
    assert as_label.difference == pytest.approx(as_classes.difference)
    assert as_label.interval == pytest.approx(as_classes.interval)
    assert as_label.p == pytest.approx(as_classes.p)
    assert as_label.n_positive == as_classes.n_positive
    of_classes = balanced_accuracy_interval(confusion_matrix(decision[:, 0], target[:, 0], 2))
    assert label_balanced_accuracy_interval(decision, target) == pytest.approx(of_classes, abs=0.005)


def test_a_duplicated_label_does_not_narrow_the_interval():
    target, right, other = seeded(shares=(0.2,))
    twice = [np.repeat(each, 2, 1) for each in (target, right, other)]
    decision = np.where(twice[1], twice[0], 1 - twice[0])
    once = label_balanced_accuracy_interval(decision[:, :1], target)
    assert label_balanced_accuracy_interval(decision, twice[0]) == pytest.approx(once)
    found, again = (
        compare_label_balanced_accuracy(right, other, target),
        compare_label_balanced_accuracy(twice[1], twice[2], twice[0]),
    )
    middle = found.difference
    assert again.difference == pytest.approx(middle)
    # Only the degrees of freedom differ.
    assert np.array(again.interval) - middle == pytest.approx(np.array(found.interval) - middle, rel=0.02)


@pytest.mark.parametrize("shares", [(0.3, 0.1), (0.05, 0.02, 0.03)])
def test_intervals_cover_and_the_comparison_keeps_its_level(shares):
    covered, zero, reps = 0, 0, 300
    for seed in range(reps):
        target, right, other = seeded(300, shares, seed)
        low, high = label_balanced_accuracy_interval(np.where(right, target, 1 - target), target) or (0, 1)
        covered += low <= (SENSITIVITY + SPECIFICITY) / 2 <= high
        interval = compare_label_balanced_accuracy(right, other, target).interval
        zero += interval is None or interval[0] <= 0 <= interval[1]
    assert covered / reps >= 0.925  # two errors of a simulation below 95 %
    assert zero / reps >= 0.925


def test_mismatched_shapes_raise():
    with pytest.raises(ValueError, match="of the same examples"):
        compare_label_balanced_accuracy(np.ones((3, 2), bool), np.ones((3, 2), bool), np.ones((3, 1), np.int64))
