"""Every public NumPy function that takes targets gives the same numbers for every integer dtype, list and tensor."""

import inspect

import numpy as np
import pytest
import torch

from imbalance_lab import metrics, posthoc
from imbalance_lab.evaluation.decisions import score_decisions
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.task import Task

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
N, C = 400, 50  # of so many classes target · C + decision does not fit into 8 bits
RNG = np.random.default_rng(0)
CLASSES, TWO = RNG.permutation(np.arange(N) % C), RNG.permutation(np.arange(N) % 2)
LABELS = RNG.integers(0, 2, (N, 3))
LOGITS = RNG.normal(size=(N, C)).astype(np.float32) + 3 * np.eye(C, dtype=np.float32)[CLASSES]
OTHER = RNG.normal(size=(N, C)).astype(np.float32) + 2 * np.eye(C, dtype=np.float32)[CLASSES]
PAIR = RNG.normal(size=(N, 2)).astype(np.float32) + np.eye(2, dtype=np.float32)[TWO]
OF_LABELS = (RNG.normal(size=(N, 3)) + LABELS).astype(np.float32)
UNIFORM, HALVES = (1 / C,) * C, (0.5, 0.5)
P, RIGHT, ALSO = posthoc.probabilities(LOGITS, "softmax"), LOGITS.argmax(1) == CLASSES, OTHER.argmax(1) == CLASSES
RULES = (
    *(posthoc.MaxF1(), posthoc.AlertBudget(100), posthoc.MinCost(1, 5), posthoc.MinRecall(0.9)),
    *(posthoc.MaxFPR(0.2), posthoc.MinPrecision(0.5)),
)
THRESHOLD = posthoc.MaxF1()(PAIR[:, 1], TWO == 1)
NAMES = tuple(str(c) for c in range(C))

OF_MANY = {
    "brier_score": lambda y: metrics.brier_score(P, y),
    "brier_skill_score": lambda y: metrics.brier_skill_score(P, y),
    "log_loss": lambda y: metrics.log_loss(P, y),
    "calibration_error": lambda y: metrics.calibration_error(P, y),
    "classwise_calibration_error": lambda y: metrics.classwise_calibration_error(P, y),
    "compare_balanced_accuracy": lambda y: metrics.compare_balanced_accuracy(RIGHT, ALSO, y),
    "compare_rankings": lambda y: metrics.compare_rankings(LOGITS, OTHER, y),
    "confusion_matrix": lambda y: metrics.confusion_matrix(LOGITS.argmax(1), y, C).tolist(),
    "confusion_matrix, decision": lambda y: metrics.confusion_matrix(y, CLASSES, C).tolist(),
    "macro_auroc_interval": lambda y: metrics.macro_auroc_interval(metrics.rank_one_vs_rest(LOGITS, y), LOGITS, y),
    "macro_average_precision_interval": lambda y: metrics.macro_average_precision_interval(
        metrics.rank_one_vs_rest(LOGITS, y), LOGITS, y
    ),
    "rank_one_vs_rest": lambda y: [each.auroc for each in metrics.rank_one_vs_rest(LOGITS, y)],
    "rank_one_vs_rest, tensor": lambda y: [e.auroc for e in metrics.rank_one_vs_rest(torch.from_numpy(LOGITS), y)],
    "stratified_bootstrap": lambda y: metrics.stratified_bootstrap(LOGITS, y, draws=3).auroc.tolist(),
    "choose_tau": lambda y: posthoc.choose_tau(LOGITS, y, UNIFORM),
    "BiasCorrectedScaling": lambda y: posthoc.BiasCorrectedScaling().fit(LOGITS, y),
    "fit_temperature": lambda y: posthoc.fit_temperature(LOGITS, y),
    "TemperatureScaling": lambda y: posthoc.TemperatureScaling().fit(LOGITS, y, UNIFORM),
    "fit_postprocessor": lambda y: posthoc.fit_postprocessor(
        LOGITS, y, NAMES, posthoc.MaxF1(2), train_prior=UNIFORM
    ).as_json(),
    "score_decisions": lambda y: score_decisions(Task("multiclass", NAMES), LOGITS, y).balanced_accuracy,
    "Evaluation": lambda y: Evaluation(Predictions.of(NAMES, np.arange(N), y, LOGITS), [9] * C).as_json(),
}
OF_TWO = {
    "brier_score": lambda y: metrics.brier_score(P[:, 0], y),
    "log_loss": lambda y: metrics.log_loss(P[:, 0], y),
    "calibration_error": lambda y: metrics.calibration_error(P[:, 0], y),
    "net_benefit": lambda y: metrics.net_benefit(P[:, 0], y, [0.2, 0.5]).tolist(),
    "compare_accuracy": lambda y: (metrics.compare_accuracy(y, RIGHT), metrics.compare_accuracy(RIGHT, y)),
    "compare_balanced_accuracy": lambda y: metrics.compare_balanced_accuracy(y, ALSO, y),
    "compare_rankings": lambda y: metrics.compare_rankings(PAIR, OTHER[:, :2], y, "average_precision"),
    "confusion_matrix": lambda y: metrics.confusion_matrix(PAIR.argmax(1), y, 2).tolist(),
    "rank_one_vs_rest": lambda y: [each.auroc for each in metrics.rank_one_vs_rest(PAIR, y)],
    "rank_one_vs_rest, tensor": lambda y: [e.auroc for e in metrics.rank_one_vs_rest(torch.from_numpy(PAIR), y)],
    "choose_tau": lambda y: posthoc.choose_tau(PAIR, y, HALVES),
    "fit_temperature": lambda y: posthoc.fit_temperature(PAIR, y),
    "BiasCorrectedScaling": lambda y: posthoc.BiasCorrectedScaling().fit(PAIR, y),
    "TemperatureScaling": lambda y: posthoc.TemperatureScaling().fit(PAIR, y, HALVES),
    "fit_postprocessor": lambda y: posthoc.fit_postprocessor(
        PAIR, y, "ab", posthoc.MaxF1(), train_prior=HALVES
    ).as_json(),
    "PostProcessor.evaluate_on": lambda y: posthoc.fit_postprocessor(
        PAIR, TWO, "ab", RULES[0], train_prior=HALVES
    ).evaluate_on(PAIR, y),
    "fit_prediction_sets": lambda y: posthoc.fit_prediction_sets(
        posthoc.fit_postprocessor(PAIR, TWO, "ab", RULES[0], train_prior=HALVES),
        posthoc.ClassConditionalConformal(),
        *(PAIR, y),
    ).as_json(),
    "Threshold.on": lambda y: THRESHOLD.on(PAIR[:, 1], y),
    "Evaluation": lambda y: Evaluation(Predictions.of(("a", "b"), np.arange(N), y, PAIR), [9, 9]).as_json(),
} | {type(rule).__name__: lambda y, rule=rule: rule(PAIR[:, 1], y) for rule in RULES}
OF_LABEL = {
    "brier_score": lambda y: metrics.brier_score(OF_LABELS.clip(0, 1), y),
    "log_loss": lambda y: metrics.log_loss(OF_LABELS.clip(0, 1), y),
    "brier_skill_score": lambda y: metrics.brier_skill_score(OF_LABELS.clip(0, 1), y),
    "classwise_calibration_error": lambda y: metrics.classwise_calibration_error(OF_LABELS.clip(0, 1), y),
    "compare_label_balanced_accuracy": lambda y: metrics.compare_label_balanced_accuracy(y, 1 - LABELS, y),
    "compare_rankings": lambda y: metrics.compare_rankings(OF_LABELS, -OF_LABELS, y),
    "label_balanced_accuracy_interval": lambda y: metrics.label_balanced_accuracy_interval(OF_LABELS > 0.5, y),
    "label_confusion": lambda y: (
        metrics.label_confusion(OF_LABELS > 0.5, y).tolist(),
        metrics.label_confusion(y, y)[0, 0, 0],
    ),
    "macro_auroc_interval": lambda y: metrics.macro_auroc_interval(
        metrics.rank_one_vs_rest(OF_LABELS, y), OF_LABELS, y
    ),
    "rank_one_vs_rest": lambda y: [each.auroc for each in metrics.rank_one_vs_rest(OF_LABELS, y)],
    "rank_one_vs_rest, tensor": lambda y: [e.auroc for e in metrics.rank_one_vs_rest(torch.from_numpy(OF_LABELS), y)],
    "stratified_bootstrap": lambda y: metrics.stratified_bootstrap(OF_LABELS, y, draws=3).auroc.tolist(),
    "choose_tau": lambda y: posthoc.choose_tau(OF_LABELS, y, (0.5,) * 3, activation="sigmoid"),
    "fit_temperature": lambda y: posthoc.fit_temperature(OF_LABELS, y, activation="sigmoid"),
    "BiasCorrectedScaling": lambda y: posthoc.BiasCorrectedScaling().fit(OF_LABELS, y, activation="sigmoid"),
    "score_decisions": lambda y: (
        score_decisions(Task("multilabel", tuple("abc"), "sigmoid"), OF_LABELS - 0.5, y).balanced_accuracy_interval
    ),
    "Evaluation": lambda y: Evaluation(
        Predictions.of(tuple("abc"), np.arange(N), y, OF_LABELS, "sigmoid"), [9] * 3
    ).as_json(),
}
CASES = [
    *((f"classes: {name}", f, CLASSES, False) for name, f in OF_MANY.items()),
    *((f"two: {name}", f, TWO, True) for name, f in OF_TWO.items()),
    *((f"labels: {name}", f, LABELS, True) for name, f in OF_LABEL.items()),
]


@pytest.mark.parametrize(("function", "target", "is_binary"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_dtype_of_targets_changes_nothing(function, target, is_binary):
    expected = repr(function(target))
    for dtype in (*DTYPES, "bool") if is_binary else DTYPES:
        assert repr(function(target.astype(dtype))) == expected, dtype
    assert repr(function(target.tolist())) == expected, "a list"
    for dtype in (torch.int64, torch.uint8, torch.uint16, *([torch.bool] if is_binary else [])):
        assert repr(function(torch.from_numpy(target).to(dtype))) == expected, f"a tensor of {dtype}"


def test_every_function_with_a_target_is_among_them():
    tried = {name.split(": ")[1].split(",")[0] for name, *_ in CASES}
    for package in (metrics, posthoc):
        for name in package.__all__:
            thing = getattr(package, name)
            called = type(thing).__call__ if not inspect.isfunction(thing) else thing
            if inspect.isclass(thing):
                called = vars(thing).get("__call__")
            if (
                called is None
                or (inspect.isclass(thing) and issubclass(thing, torch.nn.Module))
                or name in {"ThresholdRule", "NoThresholds"}  # neither looks at its targets
            ):
                continue
            reported = inspect.signature(called).parameters
            if {"target", "positive"} & set(reported) and name not in {"rank"}:
                assert name in tried, f"{name} takes targets and is not tried here"


def test_uint8_balanced_accuracy_is_that_of_int64():
    expected = metrics.balanced_accuracy(metrics.confusion_matrix(LOGITS.argmax(1), CLASSES, C))
    small = metrics.confusion_matrix(LOGITS.argmax(1).astype(np.uint8), CLASSES.astype(np.uint8), C)
    assert metrics.balanced_accuracy(small) == expected == pytest.approx(RIGHT.mean())


@pytest.mark.parametrize(
    ("function", "invalid", "message"),
    [
        (
            lambda y: metrics.confusion_matrix(TWO, y, 2),
            TWO.astype(float),
            "target must be integer or bool, got float64",
        ),
        (lambda y: metrics.confusion_matrix(TWO, y, 2), TWO + 1, r"target must lie in \[0, 1\], got 1 to 2"),
        (lambda y: metrics.confusion_matrix(TWO, y, 2), TWO - 1, r"target must lie in \[0, 1\], got -1 to 0"),
        (lambda y: posthoc.MaxF1()(PAIR[:, 1], y), TWO + 1, "positive must be 0 or 1, got 2 for example"),
        (lambda y: posthoc.MaxF1()(PAIR[:, 1], y), np.flatnonzero(TWO), "positive must be 0 or 1"),
        (
            lambda y: posthoc.MaxF1()(PAIR[:, 1], y),
            TWO[:5] == 1,
            r"must both have shape \(N,\), got \(400,\) and \(5,\)",
        ),
        (lambda y: metrics.rank_one_vs_rest(OF_LABELS, y), LABELS * 3, "target must be 0 or 1, got 3"),
        (lambda y: metrics.brier_score(P, y), np.full(N, 2**64 - 1, np.uint64), "got 18446744073709551615"),
    ],
)
def test_invalid_targets_raise(function, invalid, message):
    with pytest.raises((TypeError, ValueError), match=message):
        function(invalid)
