import json
from dataclasses import replace

import numpy as np
import pytest

from imbalance_lab.evaluation.comparison import compare, compare_runs
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.metrics import holm

CLASSES = ("cat", "dog", "eel")


def run(skill, seed=0, sizes=(300, 80, 15)):
    target = np.random.default_rng(9).permutation(np.repeat(np.arange(3), sizes))
    easy = np.random.default_rng(10).normal(size=(len(target), 3))
    own = np.random.default_rng(seed).normal(size=easy.shape)
    logits = (easy + 0.5 * own + skill * np.eye(3)[target]).astype(np.float32)
    return Predictions.of(CLASSES, np.arange(len(target)), target, logits)


def compared_with_evaluations(a, b):
    """The comparison of two runs, after checking its differences against their evaluations."""
    found, of_a, of_b = compare(a, b), *(Evaluation(r, [300, 80, 15]) for r in (a, b))
    differences = {name: compared.comparison.difference for name, compared in found.scores.items()}
    assert differences == pytest.approx(
        {
            "auroc": of_a.macro_auroc.value - of_b.macro_auroc.value,
            "average_precision": of_a.macro_average_precision.value - of_b.macro_average_precision.value,
            "balanced_accuracy": of_a.balanced_accuracy.value - of_b.balanced_accuracy.value,
            "accuracy": of_a.accuracy.value - of_b.accuracy.value,
        }
    )
    return found, of_a, of_b


def test_differences_are_those_of_the_evaluations():
    found, of_a, of_b = compared_with_evaluations(run(2.0, 1), run(0.5, 2))
    for name, scores_a, scores_b in zip(CLASSES, of_a.classes, of_b.classes, strict=True):
        of_class = found.classes[name].comparison
        assert of_class.difference == pytest.approx(scores_a.auroc.value - scores_b.auroc.value)
        assert of_class.n_positive == scores_a.n_positive
    assert found.describe().startswith("a is better than b by 0.")


def test_runs_that_differ_by_chance_are_not_distinguishable():
    found = compare(run(1.0, 1), run(1.0, 2))
    assert all(not compared.is_distinguishable for compared in found.scores.values())
    assert "a and b are not distinguishable" in found.describe("balanced_accuracy")


def test_a_family_of_runs_is_corrected_by_holm():
    runs = {"plain": run(0.8, 1), "focal": run(1.0, 2), "ldam": run(1.6, 3)}
    found = compare_runs(runs)
    assert [(pair.a, pair.b) for pair in found] == [("plain", "focal"), ("plain", "ldam"), ("focal", "ldam")]
    for name in found[0].scores:
        p = [pair.scores[name].comparison.p for pair in found]
        assert [pair.scores[name].adjusted_p for pair in found] == holm(p)
    p = [compared.comparison.p for pair in found for compared in pair.classes.values()]
    assert [compared.adjusted_p for pair in found for compared in pair.classes.values()] == holm(p)
    assert "after Holm, 3 runs" in found[1].describe()


def test_against_a_reference():
    found = compare_runs({"plain": run(0.8, 1), "focal": run(1.0, 2), "ldam": run(1.6, 3)}, reference="plain")
    assert [(pair.a, pair.b) for pair in found] == [("focal", "plain"), ("ldam", "plain")]


def test_json_has_null_for_undefined():
    a, b = (replace(run(1.0, seed), target=run(1.0).target.clip(max=1)) for seed in (1, 2))
    plain = json.loads(json.dumps(compare(a, b).as_json(), allow_nan=False))
    assert plain["classes"]["eel"]["difference"] is None
    assert plain["classes"]["eel"]["p_holm"] is None
    assert plain["scores"]["auroc"]["ci95"][0] < plain["scores"]["auroc"]["difference"]


def test_predictions_of_different_examples_are_refused():
    a, b = run(1.0, 1), run(1.0, 2)
    with pytest.raises(ValueError, match="not tested on the same examples: 2 are in one only"):
        compare(a, replace(b, index=b.index + (b.index == len(b.index) - 1)))
    target = b.target.copy()
    target[7] = (target[7] + 1) % 3
    with pytest.raises(ValueError, match=r"do not agree on the targets of 1 examples, index \[7\]"):
        compare(a, replace(b, target=target))
    with pytest.raises(ValueError, match="have different classes"):
        compare(a, replace(b, task=replace(b.task, classes=("cat", "dog", "fox"))))
    with pytest.raises(ValueError, match="needs two runs"):
        compare_runs({"only": a})
    with pytest.raises(ValueError, match="reference must be one of x, y, got 'z'"):
        compare_runs({"x": a, "y": b}, reference="z")


def labelled(skill, seed=0):
    target = (np.random.default_rng(9).random((400, 3)) < (0.4, 0.2, 0.1)).astype(np.int64)
    easy = np.random.default_rng(10).normal(size=target.shape)
    own = np.random.default_rng(seed).normal(size=target.shape)
    return Predictions.of(
        CLASSES, np.arange(400), target, (easy + 0.5 * own + skill * (target - 0.5)).astype(np.float32), "sigmoid"
    )


def test_differences_of_labels_are_those_of_the_evaluations():
    found, _, _ = compared_with_evaluations(labelled(2.0, 1), labelled(0.5, 2))
    assert found.describe().startswith("a is better than b by 0.")
    equal = compare(labelled(1.0, 1), labelled(1.0, 2))
    assert not any(compared.is_distinguishable for compared in equal.scores.values())


def test_labels_that_differ_are_refused_and_so_are_labels_against_classes():
    a, b = labelled(1.0, 1), labelled(1.0, 2)
    target = b.target.copy()
    target[7] = 1 - target[7]
    with pytest.raises(ValueError, match=r"do not agree on the targets of 1 examples, index \[7\]"):
        compare(a, replace(b, target=target))
    with pytest.raises(ValueError, match="a is a multilabel and b a multiclass task"):
        compare(a, Predictions.of(CLASSES, a.index, np.zeros(400, np.int64), a.logits))


def test_runs_of_sigmoid_losses_are_compared_by_their_log_odds():
    a, b = (run(skill, seed) for skill, seed in ((2.0, 1), (0.5, 2)))
    a, b = (replace(each, task=replace(each.task, activation="sigmoid")) for each in (a, b))
    of_a, of_b = (Evaluation(r, [300, 80, 15]).macro_auroc.value for r in (a, b))
    assert compare(a, b).scores["auroc"].comparison.difference == pytest.approx(of_a - of_b)
