"""Means over the classes with many, medium and few training examples, against scikit-learn and by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, recall_score, roc_auc_score

from imbalance_lab.class_counts import ShotLimits
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.shot_groups import score_shot_groups

COUNTS = [101, 100, 20, 19, 3, 500, 7]
MEMBERS = {"many": [0, 5], "medium": [1, 2], "few": [3, 4, 6]}  # class 6 has no test example


def evaluation(counts: list[int], n_tested: int, n: int = 300) -> Evaluation:
    rng = np.random.default_rng(0)
    target = rng.integers(0, n_tested, n)
    logits = rng.normal(size=(n, len(counts))).astype(np.float32)
    logits[np.arange(n), target] += 1.5
    names = tuple(f"class {c}" for c in range(len(counts)))
    return Evaluation(Predictions.of(names, np.arange(n), target, logits), counts)


def test_groups_are_means_over_their_classes() -> None:
    test = evaluation(COUNTS, 6)
    target, logits = test.predictions.target, test.predictions.logits.astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    recalls = recall_score(target, logits.argmax(1), labels=range(6), average=None)
    groups = score_shot_groups(test)
    assert [each.group for each in groups] == ["many", "medium", "few"]
    for each in groups:
        members = MEMBERS[each.group]
        tested = [c for c in members if c < 6]
        assert (each.n_classes, each.n_tested) == (len(members), len(tested))
        assert each.n_train == sum(COUNTS[c] for c in members)
        assert each.n_test == np.isin(target, members).sum()
        assert each.recall == pytest.approx(np.mean(recalls[tested]))
        assert each.auroc == pytest.approx(np.mean([roc_auc_score(target == c, shares[:, c]) for c in tested]))
        precisions = [average_precision_score(target == c, shares[:, c]) for c in tested]
        assert each.average_precision == pytest.approx(np.mean(precisions))
    stored = test.as_json()
    for name in ("recall", "auroc", "average_precision"):
        assert stored[f"{name}_by_shot_group"] == {each.group: getattr(each, name) for each in groups}


def test_a_group_without_a_test_example_is_undefined_not_zero() -> None:
    test = evaluation([200, 50, 3], 2)
    few = score_shot_groups(test)[-1]
    assert (few.group, few.n_classes, few.n_tested, few.n_test) == ("few", 1, 0, 0)
    assert all(math.isnan(value) for value in (few.recall, few.auroc, few.average_precision))
    assert test.as_json()["auroc_by_shot_group"]["few"] is None


def test_a_group_without_a_class_is_left_out_and_a_binary_task_has_one() -> None:
    assert [each.group for each in score_shot_groups(evaluation([200, 300, 3], 3))] == ["many", "few"]
    assert len(score_shot_groups(evaluation([200, 3], 2))) == 1


def test_other_limits_make_other_groups_everywhere() -> None:
    test = replace(evaluation(COUNTS, 6), limits=ShotLimits(20, 8))
    groups = {each.group: each.n_classes for each in score_shot_groups(test)}
    assert groups == {"many": 3, "medium": 2, "few": 2}  # 101, 100, 500; 20, 19; 3, 7
    written = test.as_json()
    assert [each["group"] for each in written["classes"]] == ["many", "many", "medium", "medium", "few", "many", "few"]
    assert written["recall_by_shot_group"] == {each.group: each.recall for each in score_shot_groups(test)}
