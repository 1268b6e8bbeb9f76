"""Which decisions a report speaks of, and what they come to, counted by hand."""

import numpy as np
import pytest

from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.operating_point import OperatingPoint, compute_operating_point
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.rare_classes import find_rare_classes
from imbalance_lab.posthoc import MaxF1, MinRecall, NoCalibration, PostProcessor, fit_postprocessor
from imbalance_lab.task import Task


def scored(task: Task, n: int, seed: int, share: float = 0.2) -> Predictions:
    """Random predictions; in a binary task, of class 1 with probability ``share``."""
    rng, C = np.random.default_rng(seed), task.num_classes
    target = (rng.random(n) < share).astype(np.int64) if C == 2 else rng.integers(0, C, n)
    if task.is_multilabel:
        target = (rng.random((n, C)) < share).astype(np.int64)
    logits = rng.normal(size=(n, C)) + 1.5 * task.one_hot(target) - 1
    return Predictions(task, np.arange(n), target, logits.astype(np.float32))


def point_of(
    task: Task, rule: object, *, is_rule_chosen: bool, counts: list[int] | None = None
) -> tuple[OperatingPoint, PostProcessor, Evaluation]:
    counts = counts or [100] * task.num_classes
    val, test = (Evaluation(scored(task, 400, seed), counts) for seed in (0, 1))
    fitted = fit_postprocessor(
        *(val.predictions.logits, val.predictions.target, task.classes, rule),  # type: ignore[arg-type]
        train_prior=None,
        activation=task.activation,
        calibration=NoCalibration(),
    )
    on_test = fitted.evaluate_on(test.predictions.logits, test.predictions.target)
    return compute_operating_point(val, test, fitted, on_test, is_rule_chosen=is_rule_chosen), fitted, test


BINARY = Task("binary", ("no", "yes"), positive=1)
MULTICLASS = Task("multiclass", ("a", "b", "c"))
MULTILABEL = Task("multilabel", ("a", "b", "c"), "sigmoid")
UNREACHABLE = MaxF1(min_positives=1000)


@pytest.mark.parametrize(
    ("task", "rule", "chosen", "basis"),
    [
        (BINARY, MaxF1(), False, "thresholds"),
        (BINARY, UNREACHABLE, True, "most probable class"),
        (MULTICLASS, MaxF1(), False, "most probable class"),
        (MULTICLASS, MaxF1(), True, "thresholds"),
        (MULTICLASS, UNREACHABLE, True, "most probable class"),
        (MULTILABEL, MaxF1(), False, "probability ½"),
        (MULTILABEL, MaxF1(), True, "thresholds"),
    ],
)
def test_what_decides(task: Task, rule: object, chosen: bool, basis: str) -> None:
    point, _, test = point_of(task, rule, is_rule_chosen=chosen)
    assert point.basis == basis
    assert point.as_json() == {"by": basis, "rule": str(rule) if basis == "thresholds" else None}
    target = task.one_hot(test.predictions.target)
    flags = target & False
    if basis == "thresholds":
        for c, each in enumerate(point.thresholds):
            assert each.threshold is not None
            z = test.predictions.logits.astype(np.float64)
            p = 1 / (1 + np.exp(-z)) if task.is_multilabel else np.exp(z) / np.exp(z).sum(1, keepdims=True)
            flags[:, c] = p[:, c] >= each.threshold - 1e-9
    else:
        flags = task.one_hot(task.predict_labels(test.predictions.logits))
    for decision in point.decisions:
        c = decision.class_index
        tp, fp = int((flags & target)[:, c].sum()), int((flags & ~target)[:, c].sum())
        assert decision.on_test == DecisionCounts(tp, fp, int(target[:, c].sum()), int((~target)[:, c].sum()))
    if basis == "thresholds":
        assert point.n_flagged == int(flags[:, list(point.reported)].any(1).sum())
        assert point.flagged_share == point.n_flagged / 400


@pytest.mark.parametrize("positive", [0, 1])
def test_a_binary_report_speaks_of_the_positive_class_also_where_it_is_the_commoner(positive: int) -> None:
    task = Task("binary", ("no", "yes"), positive=positive)
    point, fitted, _ = point_of(task, MinRecall(0.8), is_rule_chosen=False, counts=[5000, 30])
    assert point.binary is not None
    assert (point.binary.name, len(point.decisions), len(point.thresholds)) == (task.classes[positive], 1, 2)
    chosen = fitted.thresholds[positive]
    assert not isinstance(chosen, str)
    assert point.binary.on_val == DecisionCounts.at(chosen)
    assert [each.name for each in point.with_threshold] == [task.classes[positive]]
    rare = find_rare_classes(point)
    assert [each.name for each in (*rare.tested, *rare.untested, *rare.undecided)] == [task.classes[positive]]
    assert rare.missed_common == ()


def test_the_macro_auroc_of_two_classes_is_that_of_the_positive() -> None:
    test = Evaluation(scored(BINARY, 400, 1), [300, 30])
    assert test.macro_auroc.value == test.classes[1].auroc.value
    assert test.macro_auroc.interval == pytest.approx(test.classes[1].auroc.interval)


def test_thresholds_come_rarest_first_and_those_without_are_counted_by_reason() -> None:
    task = Task("multiclass", tuple("abcd"))
    counts = [10, 500, 70, 3]
    target = np.repeat([0, 1, 2, 3], [30, 200, 60, 4])
    logits = (4 * np.eye(4)[target] + np.random.default_rng(0).normal(size=(294, 4))).astype(np.float32)
    val = Evaluation(Predictions(task, np.arange(294), target, logits), counts)
    fitted = fit_postprocessor(logits, target, task.classes, MaxF1(), train_prior=None)
    point = compute_operating_point(val, val, fitted, fitted.evaluate_on(logits, target), is_rule_chosen=True)
    assert [each.name for each in point.with_threshold] == ["a", "c", "b"]
    (missing,) = point.missing
    assert (missing.classes, missing.fewest) == ((3,), 4)
    rare = find_rare_classes(point)
    assert (rare.n, [each.name for each in rare.undecided]) == (2, ["d"])
