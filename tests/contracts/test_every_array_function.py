"""Every exported function on arrays: the same numbers for every dtype, list and tensor, and one sentence for misuse.

A case names the arguments of one call by their role; the role says which values mean the same and which are refused.
"""

import inspect
from typing import NamedTuple

import numpy as np
import pytest
import torch

from imbalance_lab import metrics, posthoc
from imbalance_lab.evaluation.decisions import score_decisions
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.task import Task

N, C = 120, 3
RNG = np.random.default_rng(0)
CLASSES = RNG.permutation(np.arange(N) % C)
LABELS = RNG.integers(0, 2, (N, C))
HAS = (CLASSES == 1).astype(int)
LOGITS = (RNG.normal(size=(N, C)) + 1.5 * np.eye(C)[CLASSES]).astype(np.float32)
OTHER = (RNG.normal(size=(N, C)) + np.eye(C)[CLASSES]).astype(np.float32)
SCORES = LOGITS[:, 1]
P = posthoc.probabilities(LOGITS, "softmax")
SIGMOID = posthoc.probabilities(OTHER, "sigmoid")
RIGHT, ALSO = ((each.argmax(1) == CLASSES).astype(int) for each in (LOGITS, OTHER))
CONFUSION = metrics.confusion_matrix(LOGITS.argmax(1), CLASSES, C)
OF_LABELS = metrics.label_confusion(OTHER > 0, LABELS)
RANKING, RANKINGS = metrics.rank(SCORES[HAS == 1], SCORES[HAS == 0]), metrics.rank_one_vs_rest(LOGITS, CLASSES)
PRIOR, NAMES = (1 / C,) * C, ("a", "b", "c")
THRESHOLD = posthoc.MaxF1()(SCORES, HAS)
FITTED = posthoc.fit_postprocessor(LOGITS, CLASSES, NAMES, posthoc.MaxF1(), train_prior=PRIOR)
SETS = posthoc.ClassConditionalConformal(0.2)
COMPARISON = metrics.compare_accuracy(RIGHT, ALSO)


class Case(NamedTuple):
    """A call; ``roles`` has each argument's value and role, ``rest`` what is not varied."""

    function: object
    roles: dict
    rest: dict

    def __call__(self, **changed):
        values = {name: value for name, (value, _) in self.roles.items()} | changed
        return self.function(**values, **self.rest)


def case(function, rest=None, **roles):
    return Case(function, roles, rest or {})


LEVEL = (0.9, "level")
OF_CONFUSION = ("balanced_accuracy", "f1", "geometric_mean_recall", "harmonic_mean_recall", "macro_f1",
                "matthews_corrcoef", "precision", "recall", "worst_class_recall")  # fmt: skip
OF_LABEL_CONFUSION = ("label_balanced_accuracy", "label_decision_scores", "label_precision", "label_recall")
RULES = (posthoc.MaxF1(), posthoc.AlertBudget(100), posthoc.MinCost(1, 5), posthoc.MinRecall(0.5),
         posthoc.MaxFPR(0.2), posthoc.MinPrecision(0.3))  # fmt: skip
SCORED, MASK = (LOGITS, "scores"), (HAS, "mask")
WITH_TARGET = {"logits": (LOGITS, "logits"), "target": (CLASSES, "target")}
CASES = {
    **{name: case(getattr(metrics, name), confusion=(CONFUSION, "confusion")) for name in OF_CONFUSION},
    **{name: case(getattr(metrics, name), confusion=(OF_LABELS, "confusion")) for name in OF_LABEL_CONFUSION},
    "auroc_interval": case(metrics.auroc_interval, ranking=(RANKING, "ranking"), level=LEVEL),
    "average_precision_interval": case(metrics.average_precision_interval, ranking=(RANKING, "ranking"), level=LEVEL),
    "balanced_accuracy_interval": case(
        metrics.balanced_accuracy_interval, confusion=(CONFUSION, "confusion"), level=LEVEL
    ),
    "brier_score": case(metrics.brier_score, probability=(P, "rows"), target=(CLASSES, "target")),
    "brier_score of one class": case(metrics.brier_score, probability=(P[:, 1], "probability"), target=MASK),
    "brier_score of labels": case(metrics.brier_score, probability=(SIGMOID, "probability"), target=(LABELS, "mask")),
    "brier_skill_score": case(metrics.brier_skill_score, probability=(P, "rows"), target=(CLASSES, "target")),
    "calibration_error": case(metrics.calibration_error, probability=(P, "rows"), target=(CLASSES, "target")),
    "classwise_calibration_error": case(
        metrics.classwise_calibration_error, probability=(P, "rows"), target=(CLASSES, "target")
    ),
    "net_benefit": case(
        metrics.net_benefit, probability=(P[:, 1], "probability"), target=MASK, threshold=([0.2, 0.5], "open unit")
    ),
    "compare_accuracy": case(metrics.compare_accuracy, a=(RIGHT, "mask"), b=(ALSO, "mask"), level=LEVEL),
    "compare_balanced_accuracy": case(
        metrics.compare_balanced_accuracy, a=(RIGHT, "mask"), b=(ALSO, "mask"), target=(CLASSES, "strata"), level=LEVEL
    ),
    "compare_label_balanced_accuracy": case(
        metrics.compare_label_balanced_accuracy,
        a=(1 * (SIGMOID > 0.5), "mask"), b=(1 - LABELS, "mask"), target=(LABELS, "mask"), level=LEVEL,
    ),
    "compare_losses": case(metrics.compare_losses, a=(SCORES, "scores"), b=(OTHER[:, 1], "scores"), level=LEVEL),
    "log_loss": case(metrics.log_loss, probability=(P, "rows"), target=(CLASSES, "target")),
    "log_loss of one class": case(metrics.log_loss, probability=(P[:, 1], "probability"), target=MASK),
    "log_loss of labels": case(metrics.log_loss, probability=(SIGMOID, "probability"), target=(LABELS, "mask")),
    "compare_rankings": case(
        metrics.compare_rankings, a=SCORED, b=(OTHER, "scores"), target=(CLASSES, "target"), level=LEVEL
    ),
    "confusion_matrix": case(
        metrics.confusion_matrix, {"num_classes": C},
        preds=(LOGITS.argmax(1), "target"), target=(CLASSES, "target"),
    ),
    "holm": case(metrics.holm, p=([0.01, 0.2, 0.5], "p")),
    "label_balanced_accuracy_interval": case(
        metrics.label_balanced_accuracy_interval, preds=(1 * (OTHER > 0), "mask"), target=(LABELS, "mask"), level=LEVEL
    ),
    "label_confusion": case(metrics.label_confusion, preds=(1 * (OTHER > 0), "mask"), target=(LABELS, "mask")),
    "macro": case(metrics.macro, values=([0.25, 0.5], "values")),
    "macro_auroc_interval": case(
        metrics.macro_auroc_interval, {"rankings": RANKINGS}, scores=SCORED, target=(CLASSES, "target"), level=LEVEL
    ),
    "macro_average_precision_interval": case(
        metrics.macro_average_precision_interval, {"rankings": RANKINGS},
        scores=SCORED, target=(CLASSES, "target"), level=LEVEL,
    ),
    "mean_by_shot_group": case(
        metrics.mean_by_shot_group, values=([0.25, 0.5, 0.75], "values"), train_counts=([9, 50, 500], "values")
    ),
    "resampled_mean": case(metrics.resampled_mean, {"test_per_train": 0.25}, values=([0.25, 0.5], "values")),
    "replicate_mean": case(metrics.replicate_mean, values=([0.25, 0.5], "values")),
    "percentile_interval": case(metrics.percentile_interval, values=(SCORES, "draws"), level=LEVEL),
    "planned_auroc_interval": case(
        metrics.planned_auroc_interval, {"n_positive": 9, "n_negative": 90}, area=(0.8, "level"), level=LEVEL
    ),
    "precision_at": case(metrics.precision_at, ranking=(RANKING, "ranking"), k=(5, "count")),
    "precision_at_recall": case(metrics.precision_at_recall, ranking=(RANKING, "ranking"), min_recall=(0.5, "rate")),
    "recall_at_precision": case(metrics.recall_at_precision, ranking=(RANKING, "ranking"), min_precision=(0.5, "rate")),
    "rank": case(metrics.rank, positive=(SCORES[:40], "one side"), negative=(SCORES[40:], "one side")),
    "rank_one_vs_rest": case(metrics.rank_one_vs_rest, scores=SCORED, target=(CLASSES, "target")),
    "rank_one_vs_rest of labels": case(metrics.rank_one_vs_rest, scores=SCORED, target=(LABELS, "mask")),
    "recall_by_shot_group": case(
        metrics.recall_by_shot_group, confusion=(CONFUSION, "confusion"), train_counts=([9, 50, 500], "values")
    ),
    "stratified_bootstrap": case(
        metrics.stratified_bootstrap, {"draws": 3}, scores=SCORED, target=(CLASSES, "target")
    ),
    "wilson_interval": case(metrics.wilson_interval, {"trials": 9}, successes=(5, "hits of 9"), level=LEVEL),
    "choose_tau": case(posthoc.choose_tau, {"train_prior": PRIOR}, **WITH_TARGET),
    "examples_needed": case(posthoc.examples_needed, rate=(0.9, "level"), confidence=(0.9, "level")),
    "fit_temperature": case(posthoc.fit_temperature, **WITH_TARGET),
    "fit_postprocessor": case(
        posthoc.fit_postprocessor, {"classes": NAMES, "rule": posthoc.MaxF1(), "train_prior": PRIOR}, **WITH_TARGET
    ),
    "fit_prediction_sets": case(
        lambda logits, target: posthoc.fit_prediction_sets(FITTED, SETS, logits, target).as_json(), **WITH_TARGET
    ),
    "calibration_examples_needed": case(posthoc.calibration_examples_needed, alpha=(0.1, "level")),
    "flag_highest": case(posthoc.flag_highest, {"k": 5}, scores=(SCORES, "batch")),
    "implied_prior": case(posthoc.implied_prior, counts=([900.0, 100.0], "train counts")),
    "log_odds": case(posthoc.log_odds, {"activation": "softmax"}, logits=(LOGITS, "batch")),
    "probabilities": case(posthoc.probabilities, {"activation": "softmax"}, logits=(LOGITS, "batch")),
    "BiasCorrectedScaling": case(posthoc.BiasCorrectedScaling().fit, **WITH_TARGET),
    "TemperatureScaling": case(posthoc.TemperatureScaling().fit, {"train_prior": PRIOR}, **WITH_TARGET),
    "NoCalibration": case(
        posthoc.NoCalibration().fit, {"train_prior": PRIOR, "activation": "softmax"}, **WITH_TARGET
    ),
    "PostHocLogitAdjustment": case(
        posthoc.PostHocLogitAdjustment("macro_f1").fit, {"train_prior": PRIOR, "activation": "softmax"}, **WITH_TARGET
    ),
    "Calibration": case(FITTED.calibration, logits=(LOGITS, "batch")),
    "PostProcessor.evaluate_on": case(FITTED.evaluate_on, logits=SCORED, target=(CLASSES, "target")),
    **{f"PostProcessor.{name}": case(getattr(FITTED, name), logits=(LOGITS, "batch"))
       for name in ("adjusted", "probabilities", "log_odds", "predict_labels", "flags")},
    "Threshold": case(THRESHOLD.on, scores=(SCORES, "scores"), positive=MASK),
    "Threshold.flags": case(THRESHOLD.flags, scores=(SCORES, "batch")),
    **{type(rule).__name__: case(rule, scores=(SCORES, "scores"), positive=MASK) for rule in RULES},
    "score_decisions": case(score_decisions, {"task": Task("multiclass", NAMES)}, **WITH_TARGET),
    "Predictions": case(
        lambda logits, target: Evaluation(Predictions.of(NAMES, np.arange(N), target, logits), [9] * C).as_json(),
        **WITH_TARGET,
    ),
    "Evaluation": case(
        lambda train_counts: Evaluation(Predictions.of(NAMES, np.arange(N), CLASSES, LOGITS), train_counts).as_json(),
        train_counts=([9, 50, 500], "values"),
    ),
}  # fmt: skip
EXEMPT = {
    "results, not functions": "BootstrapScores Comparison Curve Interval Ranking RankingComparison ReplicateMean "
        "PriorShift ClassConditionalSets ClassQuantile",
    "torchmetrics classes, tested in test_every_target_dtype and tests/metrics":
        "AUROC AveragePrecision OneVsRest StreamingAUROC StreamingAveragePrecision StreamingOneVsRest",
    "takes results": "describe",
    "takes tensors of a net only, see below": "softmax_log_odds tau_normalized",
    "names, protocols, errors and what has no arrays": "Activation CalibrationMethod ClassPriors DeployPrior "
        "ConformalMethod NoPredictionSets NoPriorCorrection PriorCorrection ThresholdError ThresholdRule "
        "validate_postprocessing LinearHead NoThresholds TauNormalization postprocessor_without_examples",
    "its methods are cases": "PostProcessor",
    "called by fit_prediction_sets, which checks": "ClassConditionalConformal",
}  # fmt: skip

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
INTEGER_TENSORS = (torch.uint8, torch.int16, torch.int64, torch.uint16)
FLOATING = {"scores", "logits", "rows", "probability", "one side", "batch", "draws", "values", "p", "train counts",
            "open unit"}  # fmt: skip


def same_values(value, role):
    """Other ways to write a value that must give the same numbers."""
    if role in FLOATING:
        array = np.asarray(value, np.float64 if isinstance(value, list) else None)
        return [
            array,
            array.astype(np.float64),
            array.tolist(),
            torch.as_tensor(array.copy()),
            np.asfortranarray(array),
        ]
    if role in {"target", "strata", "confusion"}:
        return [*(value.astype(d) for d in INTEGERS), value.tolist(),
                *(torch.from_numpy(value).to(d) for d in INTEGER_TENSORS)]  # fmt: skip
    if role == "mask":
        return [*(value.astype(d) for d in (*INTEGERS, "bool")), value.tolist(), value.astype(bool).tolist(),
                *(torch.from_numpy(value).to(d) for d in (*INTEGER_TENSORS, torch.bool))]  # fmt: skip
    return [np.float64(value), np.float32(value)] if role in {"rate"} else []


def with_entry(value, entry):
    changed = np.array(value, np.float64 if isinstance(entry, float) else np.int64)
    changed[(3 % len(changed), *([0] * (changed.ndim - 1)))] = entry
    return changed


def refused_values(value, role):
    """Values that must be refused, by what is wrong with them."""
    if role in {"level", "open unit"}:
        wrong = {"0": 0.0, "1": 1.0, "percent": 95, "negative": -0.1, "NaN": float("nan"), "text": "0.95", "None": None}
        return {k: [v] if role == "open unit" and isinstance(v, float | int) else v for k, v in wrong.items()}
    if role == "rate":
        return {"0": 0.0, "above 1": 1.5, "NaN": float("nan")}
    if role == "count":
        return {"0": 0, "fraction": 2.5, "text": "5"}
    if role == "hits of 9":
        return {"hits > n": 10, "negative": -1, "NaN": float("nan")}
    if role == "ranking":
        return {"scores": SCORES, "None": None}
    array = np.asarray(value)
    general = {"text": array.astype(str), "None": None}
    if role == "confusion":
        return general | {"negative": with_entry(array, -1), "normalized": array / 9, "a row": array[0],
                          "empty": array[:0]}  # fmt: skip
    shorter = {"shorter": array[:-1], "empty": array[:0], "a dimension more": array[..., None, None]}
    if role in {"target", "strata", "mask"}:
        wrong = general | shorter | {"floats": array.astype(float), "negative": with_entry(array, -1)}
        if role == "target":
            wrong["out of range"] = with_entry(array, C)
        if role == "mask":
            wrong |= {"2": with_entry(array, 2), "indices": np.arange(len(array))}
        return wrong
    wrong = general | {"complex": array.astype(complex)}
    if role in {"values", "p", "train counts"}:
        return wrong | {"a matrix": array[None]} | ({"above 1": with_entry(array, 1.5)} if role == "p" else {})
    wrong |= {"NaN": with_entry(array, float("nan")), "NaN in a tensor": torch.from_numpy(with_entry(array, np.nan)),
              "a dimension more": array[..., None, None]}  # fmt: skip
    if role in {"scores", "logits", "rows", "probability"}:
        wrong |= shorter
    if role == "logits":
        wrong["infinite"] = with_entry(array, float("inf"))
    if role in {"rows", "probability"}:
        wrong |= {"above 1": with_entry(array, 1.5), "negative": with_entry(array, -0.1)}
    if role == "rows":
        wrong["rows that do not sum to 1"] = array * 0.9
    return wrong


def plain(result):
    """The numbers of a result."""
    if isinstance(result, np.ndarray | torch.Tensor):
        return np.asarray(result).tolist()
    if hasattr(result, "as_json"):
        return result.as_json()
    if isinstance(result, metrics.Ranking):
        return [result.auroc, result.auroc_variance, result.average_precision, *result.curve().tp.tolist()]
    if isinstance(result, list | tuple):
        return [plain(each) for each in result]
    return {k: plain(v) for k, v in vars(result).items()} if hasattr(result, "__dataclass_fields__") else result


SAME = [(name, argument) for name, each in CASES.items() for argument, (value, role) in each.roles.items()
        if same_values(value, role)]  # fmt: skip
REFUSED = [(name, argument, wrong) for name, each in CASES.items() for argument, (value, role) in each.roles.items()
           for wrong in refused_values(value, role)]  # fmt: skip


@pytest.mark.parametrize(("name", "argument"), SAME)
def test_every_dtype_list_and_tensor_gives_the_same_numbers(name, argument):
    call = CASES[name]
    expected = repr(plain(call()))
    for same in same_values(*call.roles[argument]):
        assert repr(plain(call(**{argument: same}))) == expected, (type(same), getattr(same, "dtype", None))


@pytest.mark.parametrize(("name", "argument", "wrong"), REFUSED)
def test_misuse_is_refused_in_a_sentence_that_names_the_argument(name, argument, wrong):
    call = CASES[name]
    with pytest.raises((TypeError, ValueError)) as refused:
        call(**{argument: refused_values(*call.roles[argument])[wrong]})
    sentence = str(refused.value)
    assert argument in sentence or {"a dimension more", "shorter", "empty"} & {wrong}, sentence
    assert any(word in sentence for word in ("must", "needs", "not")), sentence
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert "broadcast" not in sentence


def test_every_exported_function_is_a_case():
    named = {name.split(" ")[0].split(".")[0] for name in CASES} | set(" ".join(EXEMPT.values()).split())
    for package in (metrics, posthoc):
        assert set(package.__all__) <= named, set(package.__all__) - named
    for package in (metrics, posthoc):
        for name in " ".join(EXEMPT.values()).split():
            assert not inspect.isfunction(getattr(package, name, None)) or name in {
                "describe", "softmax_log_odds", "tau_normalized", "validate_postprocessing",
                "postprocessor_without_examples"
            }  # fmt: skip


def test_functions_on_tensors_say_what_arrays_need():
    with pytest.raises(TypeError, match="logits must be a tensor, got ndarray: use imbalance_lab"):
        metrics.softmax_log_odds(LOGITS)
    with pytest.raises(ValueError, match=r"logits must have shape \(N, C\) with C ≥ 2"):
        metrics.softmax_log_odds(torch.zeros(5))
    with pytest.raises(TypeError, match="weight must be a tensor"):
        posthoc.tau_normalized(LOGITS, 1)


def test_a_masked_array_and_ragged_lists_are_refused():
    hidden = np.ma.masked_array(SCORES, mask=HAS)
    with pytest.raises(ValueError, match="scores must not be masked"):
        posthoc.flag_highest(hidden, 3)
    with pytest.raises(ValueError, match="scores must be an array, or a list with rows of one length"):
        metrics.rank_one_vs_rest([[0.1, 0.2], [0.3]], [0, 1])


def test_the_promised_false_positive_rate_holds_for_an_integer_mask():
    rng = np.random.default_rng(1)
    scores, positive = rng.normal(size=4000).astype(np.float32), (rng.random(4000) < 0.1).astype(np.uint8)
    threshold = posthoc.MaxFPR(0.05)(scores, positive)
    assert threshold.n_negative == int((positive == 0).sum())
    fresh = rng.normal(size=100_000).astype(np.float32)
    assert 0.035 < threshold.flags(fresh).mean() < 0.05


def test_sigmoid_probabilities_of_classes_are_scored_without_summing_to_1():
    logits = (OTHER + 1).astype(np.float32)
    found = Evaluation(Predictions.of(NAMES, np.arange(N), CLASSES, logits, "sigmoid"), [9] * C).probability_scores
    p = posthoc.probabilities(logits, "sigmoid")
    assert found["brier_score"] == pytest.approx(((p - np.eye(C)[CLASSES]) ** 2).sum(1).mean())
    assert found["calibration_error"] == metrics.calibration_error(p.max(1), p.argmax(1) == CLASSES)
