"""A run beside its baselines: the same scores, tests and post-processing as elsewhere, corrected over the baselines."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.baselines import BaselineReport, compare_with_baselines
from imbalance_lab.evaluation.comparison import compare
from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.stored_baselines import (
    StoredBaseline,
    StoredBaselines,
    baseline_predictions,
    read_baselines,
)
from imbalance_lab.metrics import holm
from imbalance_lab.posthoc import MaxF1, PostProcessor, fit_postprocessor

KEYS = ("class_prior", "logistic_regression", "gradient_boosting")
COUNTS = (900, 60, 40)


def predictions(skill: float, seed: int, classes: int = 2, n: int = 1500) -> Predictions:
    target = np.random.default_rng(9).choice(classes, n, p=np.array(COUNTS[:classes]) / sum(COUNTS[:classes]))
    noise = np.random.default_rng(seed).normal(size=(n, classes))
    logits = (0.5 * noise + skill * np.eye(classes)[target]).astype(np.float32)
    return Predictions.of(tuple("abc"[:classes]), np.arange(n), target, logits if skill else logits * 0)


def fitted(of: Predictions) -> PostProcessor:
    prior = [count / sum(COUNTS[: len(of.classes)]) for count in COUNTS[: len(of.classes)]]
    return fit_postprocessor(of.logits, of.target, of.classes, MaxF1(), train_prior=prior)


def report(run: Predictions, skills: tuple[float, ...] = (0, 0.6, 1.1)) -> BaselineReport:
    classes = len(run.classes)
    stored = [
        StoredBaseline(key, "made up", predictions(skill, 20 + at, classes), predictions(skill, 10 + at, classes))
        for at, (key, skill) in enumerate(zip(KEYS, skills, strict=True))
    ]
    test = Evaluation(run, COUNTS[:classes])
    processed = Evaluation(adjusted(run, fitted(run)), COUNTS[:classes])
    found = StoredBaselines(tuple(stored), {})
    return compare_with_baselines(test, processed, found, [fitted(each.val) for each in stored])


def test_the_scores_are_those_of_the_positive_class_and_of_calibrated_probabilities() -> None:
    run = predictions(1.0, 1)
    found = report(run)
    positive, z = run.target == 1, run.logits.astype(float)
    assert found.of_class == "b"
    assert found.run["auroc"].value == pytest.approx(roc_auc_score(positive, z[:, 1] - z[:, 0]))
    assert found.run["average_precision"].value == pytest.approx(average_precision_score(positive, z[:, 1] - z[:, 0]))
    p = fitted(run).probabilities(z)[:, 1]
    assert found.run["log_loss"].value == pytest.approx(log_loss(positive, p), rel=1e-5)
    assert found.run["brier_score"].value == pytest.approx(brier_score_loss(positive, p), rel=1e-5)
    regression = found.baselines[1]
    own, val = predictions(0.6, 11), predictions(0.6, 21)  # calibrated on its own validation predictions
    p = fitted(val).probabilities(own.logits)[:, 1]
    assert regression.scores["log_loss"].value == pytest.approx(log_loss(positive, p), rel=1e-5)
    assert regression.raw_losses["log_loss"] > regression.scores["log_loss"].value


@pytest.mark.parametrize("classes", [2, 3])
def test_differences_are_those_of_compare_with_holm_over_the_baselines(classes: int) -> None:
    run = predictions(1.0, 1, classes)
    found = report(run)
    for name in ("auroc", "average_precision"):
        p = []
        for at, each in enumerate(found.baselines):
            other = predictions((0, 0.6, 1.1)[at], 10 + at, classes)
            alone = compare(run, other)
            same = alone.classes["b"] if classes == 2 and name == "auroc" else alone.scores[name]
            compared = each.differences[name].comparison
            expected = found.run[name].value - each.scores[name].value
            assert compared.difference == pytest.approx(expected)
            if classes == 3 or name == "auroc":
                assert compared.p == pytest.approx(same.comparison.p)
            p.append(compared.p)
        assert [each.differences[name].adjusted_p for each in found.baselines] == holm(p)
    assert (found.of_class is None) == (classes == 3)


def test_what_ranks_nothing_has_no_interval_but_is_compared() -> None:
    prior = report(predictions(1.0, 1)).baselines[0]
    assert prior.scores["auroc"].value == 0.5
    assert prior.scores["auroc"].interval is None
    assert prior.scores["log_loss"].interval is not None
    assert prior.differences["auroc"].is_distinguishable


def test_equal_models_are_equal() -> None:
    run = predictions(0.6, 11)
    stored = StoredBaseline("logistic_regression", "", run, run)
    test, processed = Evaluation(run, COUNTS[:2]), Evaluation(adjusted(run, fitted(run)), COUNTS[:2])
    found = compare_with_baselines(test, processed, StoredBaselines((stored,), {}), [fitted(run)])
    for compared in found.baselines[0].differences.values():
        assert compared.comparison.difference == 0
        assert compared.adjusted_p == 1
        assert not compared.is_distinguishable


def test_json_has_null_for_undefined_and_names_what_was_left_out() -> None:
    run = predictions(1.0, 1)
    content = report(run).as_json()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["models"][0]["scores"]["auroc"] == {"value": 0.5, "ci95": None}
    nothing = StoredBaselines((), {"gradient_boosting": "no luck"})
    test = Evaluation(run, COUNTS[:2])
    empty = compare_with_baselines(test, test, nothing, [])
    assert empty.as_json()["left_out"] == {"gradient boosting": "no luck"}
    assert empty.as_json()["models"] == []


def test_stored_baselines_are_read_back_or_told_apart(tmp_path: Path) -> None:
    run, directory = predictions(1.0, 1), RunDirectory(tmp_path)
    sigmoid = replace(run, task=replace(run.task, activation="sigmoid"))
    stored = baseline_predictions(sigmoid, run.logits / 2, is_multilabel=False)
    assert stored.task.activation == "softmax"
    for split in ("val", "test"):
        stored.write(directory.baseline_predictions("logistic_regression", split))
    listed = [{"key": "logistic_regression", "about": "x"}, {"key": "gradient_boosting", "left_out": "no luck"}]
    found = read_baselines(directory, {"baselines": listed}, run, run)
    assert found is not None
    assert [each.name for each in found.stored] == ["logistic regression"]
    np.testing.assert_array_equal(found.stored[0].test.logits, run.logits / 2)
    assert found.left_out == {"gradient_boosting": "no luck"}
    assert read_baselines(directory, {}, run, run) is None  # of an earlier release
    with pytest.raises(UsageError, match=r"logistic_regression_test\.parquet is of another run"):
        read_baselines(directory, {"baselines": listed}, run, replace(run, index=run.index + 1))
    path = directory.baseline_predictions("logistic_regression", "val")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UsageError, match=r"logistic_regression_val\.parquet is damaged"):
        read_baselines(directory, {"baselines": listed}, run, run)
    path.unlink()
    with pytest.raises(UsageError, match=r"logistic_regression_val\.parquet is missing"):
        read_baselines(directory, {"baselines": listed}, run, run)


def test_a_class_without_a_test_example_leaves_its_difference_undefined() -> None:
    run = predictions(1.0, 1)
    run = replace(run, target=np.zeros_like(run.target))
    stored = StoredBaseline("logistic_regression", "", predictions(0.6, 21), replace(run, logits=run.logits / 2))
    test = Evaluation(run, COUNTS[:2])
    found = compare_with_baselines(test, test, StoredBaselines((stored,), {}), [fitted(stored.val)])
    assert math.isnan(found.run["auroc"].value)
    assert found.baselines[0].differences["auroc"].comparison.interval is None
    json.dumps(found.as_json(), allow_nan=False)
