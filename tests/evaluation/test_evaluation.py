import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sk

from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.metrics import (
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro_auroc_interval,
    wilson_interval,
)
from imbalance_lab.posthoc import DeployPrior, MinRecall, fit_postprocessor, implied_prior, log_odds

NAMES = ("ant", "bee", "cat", "dog")
TRAIN_COUNTS = [500, 101, 100, 19]


def seeded(n=400, shares=(0.6, 0.25, 0.1, 0.05), names=NAMES, gap=1.5, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.choice(len(shares), n, p=shares)
    logits = rng.normal(size=(n, len(shares))) + gap * np.eye(len(shares))[target]
    return Predictions.of(names, np.arange(n), target, logits.astype(np.float32))


def of_ten_classes_nine():
    """A split in which class 7 of 10 has no example and is never decided."""
    shares = np.full(10, 1 / 9)
    shares[7] = 0
    predictions = seeded(300, shares / shares.sum(), tuple(f"c{number}" for number in range(10)))
    predictions.logits[:, 7] = -20
    return Evaluation(predictions, [200] * 5 + [50] * 3 + [5] * 2)


def test_every_score_is_scikit_learns():
    predictions = seeded()
    evaluation = Evaluation(predictions, TRAIN_COUNTS)
    target, decision = predictions.target, predictions.logits.argmax(1)
    probability = softmax(predictions.logits.astype(np.float64), 1)
    one_hot = np.eye(4)[target]
    auroc = sk.roc_auc_score(one_hot, probability, average=None)
    average_precision = sk.average_precision_score(one_hot, probability, average=None)
    found = evaluation.classes
    assert [scores.auroc.value for scores in found] == pytest.approx(auroc)
    assert [scores.average_precision.value for scores in found] == pytest.approx(average_precision)
    assert [scores.recall.value for scores in found] == pytest.approx(sk.recall_score(target, decision, average=None))
    precision = sk.precision_score(target, decision, average=None)
    assert [scores.precision.value for scores in found] == pytest.approx(precision)
    assert [scores.n_positive for scores in found] == np.bincount(target).tolist()
    assert evaluation.macro_auroc.value == pytest.approx(auroc.mean())
    assert evaluation.macro_average_precision.value == pytest.approx(average_precision.mean())
    assert evaluation.balanced_accuracy.value == pytest.approx(sk.balanced_accuracy_score(target, decision))
    assert evaluation.accuracy.value == pytest.approx(sk.accuracy_score(target, decision))
    assert evaluation.confusion.tolist() == sk.confusion_matrix(target, decision).tolist()


def test_every_interval_is_that_of_its_own_score():
    evaluation = Evaluation(seeded(), TRAIN_COUNTS)
    for c, scores in enumerate(evaluation.classes):
        ranking, hits = evaluation.rankings[c], int(evaluation.confusion[c, c])
        assert scores.auroc.interval == auroc_interval(ranking)
        assert scores.average_precision.interval == average_precision_interval(ranking)
        assert scores.recall.interval == wilson_interval(hits, int(evaluation.confusion[c].sum()))
    predictions = evaluation.predictions
    ranked = log_odds(predictions.logits, "softmax")
    assert evaluation.macro_auroc.interval == macro_auroc_interval(evaluation.rankings, ranked, predictions.target)
    assert evaluation.balanced_accuracy.interval == balanced_accuracy_interval(evaluation.confusion)
    assert evaluation.accuracy.interval == wilson_interval(int(evaluation.confusion.trace()), 400)


def test_saturated_logits_are_ranked_too():
    predictions = seeded(gap=1.0)
    sharp = Predictions.of(NAMES, predictions.index, predictions.target, predictions.logits * np.float32(64))
    odds = [scores.auroc.value for scores in Evaluation(sharp, TRAIN_COUNTS).classes]
    probability = softmax(sharp.logits, 1)
    tied = [sk.roc_auc_score(sharp.target == c, probability[:, c]) for c in range(4)]
    lead = sharp.logits.astype(np.float64)
    exact = [lead[:, c] - np.logaddexp.reduce(np.delete(lead, c, 1), axis=1) for c in range(4)]
    assert odds == pytest.approx([sk.roc_auc_score(sharp.target == c, exact[c]) for c in range(4)])
    assert min(abs(a - b) for a, b in zip(odds, tied, strict=True)) > 1e-3


def test_an_absent_class_is_null_and_the_macro_is_over_nine_of_ten():
    evaluation = of_ten_classes_nine()
    written = json.loads(json.dumps(evaluation.as_json(), allow_nan=False))
    absent = written["classes"][7]
    assert absent["n_positive"] == 0
    assert absent["auroc"] == absent["average_precision"] == absent["recall"] == {"value": None, "ci95": None}
    assert absent["precision"] == {"value": None, "ci95": None}
    assert evaluation.n_defined == written["auroc"]["classes"] == 9
    others = [row for row in written["classes"] if row["name"] != "c7"]
    for score in ("auroc", "average_precision"):
        assert written[score]["average"] == "macro"
        assert written[score]["value"] == pytest.approx(np.mean([row[score]["value"] for row in others]))
    recalls = [row["recall"]["value"] for row in others]
    assert written["balanced_accuracy"]["value"] == pytest.approx(np.mean(recalls))


def test_json_tells_counts_groups_and_intervals():
    written = Evaluation(seeded(), TRAIN_COUNTS).as_json()
    assert written["n"] == 400
    assert [row["name"] for row in written["classes"]] == list(NAMES)
    assert [row["train_count"] for row in written["classes"]] == TRAIN_COUNTS
    assert [row["group"] for row in written["classes"]] == ["many", "many", "medium", "few"]
    for score in (written["auroc"], written["balanced_accuracy"], written["accuracy"], written["classes"][3]["auroc"]):
        low, high = score["ci95"]
        assert low < score["value"] < high


def test_a_split_of_one_class_has_an_accuracy_and_no_auroc():
    predictions = Predictions.of(NAMES, np.arange(3), np.ones(3, np.int64), np.eye(4, dtype=np.float32)[[1, 1, 0]])
    written = json.loads(json.dumps(Evaluation(predictions, TRAIN_COUNTS).as_json(), allow_nan=False))
    assert written["auroc"] == {"value": None, "ci95": None, "average": "macro", "classes": 0}
    assert written["accuracy"]["value"] == written["balanced_accuracy"]["value"] == pytest.approx(2 / 3)


def decided(confusion):
    """Predictions with this confusion matrix."""
    target, decision = np.array([(t, d) for (t, d), n in np.ndenumerate(confusion) for _ in range(n)]).T
    names = tuple(f"c{number}" for number in range(len(confusion)))
    return Predictions.of(names, np.arange(len(target)), target, np.eye(len(confusion), dtype=np.float32)[decision])


def test_recall_by_group_is_by_training_count_and_leaves_out_absent_classes():
    confusion = np.array([[8, 2, 0, 0], [0, 4, 0, 0], [0, 0, 0, 0], [0, 3, 0, 1]])
    evaluation = Evaluation(decided(confusion), [900, 101, 700, 3])
    assert evaluation.shot_group_recall() == {"many": pytest.approx(0.9), "few": 0.25}
    written = Evaluation(decided(confusion), [900, 20, 19, 3]).as_json()["recall_by_shot_group"]
    assert written == {"many": 0.8, "medium": 1.0, "few": 0.25}
    alone = Evaluation(decided(confusion), [900, 900, 50, 900]).as_json()["recall_by_shot_group"]
    assert alone["medium"] is None
    assert alone["many"] == pytest.approx((0.8 + 1 + 0.25) / 3)


def test_scalars_are_tagged_and_undefined_ones_left_out():
    evaluation = of_ten_classes_nine()
    scalars = evaluation.scalars("test")
    expected = {"test/auroc/macro", "test/average_precision/macro", "test/balanced_accuracy"}
    for number in (0, 1, 2, 3, 4, 5, 6, 8, 9):
        expected |= {f"test/{score}/class/c{number}" for score in ("auroc", "average_precision", "recall")}
    groups = {f"test/recall/{group}": value for group, value in evaluation.shot_group_recall().items()}
    assert {tag: scalars[tag] for tag in groups} == groups
    assert scalars.keys() == expected | groups.keys()
    assert scalars["test/auroc/macro"] == evaluation.macro_auroc.value
    assert scalars["test/average_precision/macro"] == evaluation.macro_average_precision.value
    assert scalars["test/balanced_accuracy"] == evaluation.balanced_accuracy.value
    assert scalars["test/recall/class/c3"] == evaluation.classes[3].recall.value
    assert scalars["test/average_precision/class/c3"] == evaluation.classes[3].average_precision.value


def test_the_headline_has_the_means_and_of_a_binary_task_the_positive_class():
    confusion = np.array([[8, 2, 0], [0, 4, 0], [0, 3, 1]])
    many = ["test/auroc/macro", "test/average_precision/macro", "test/recall/few", "test/recall/many"]
    assert Evaluation(decided(confusion), [900, 101, 3]).headline("test") == [*many, "test/balanced_accuracy"]
    binary = Evaluation(decided(confusion[:2, :2]), [900, 3])
    scores = [f"test/{score}/class/c1" for score in ("auroc", "average_precision", "recall")]
    assert binary.headline("test") == [*scores, "test/balanced_accuracy"]
    assert set(binary.headline("test")) <= binary.scalars("test").keys()


def test_the_mean_auroc_of_a_group_is_over_the_classes_that_have_one():
    evaluation = Evaluation(decided(np.array([[8, 2, 0], [0, 4, 0], [0, 0, 0]])), [900, 50, 30])
    auroc = [each.auroc.value for each in evaluation.classes]
    assert np.isnan(auroc[2])
    assert evaluation.shot_group_means()["auroc"] == {"many": auroc[0], "medium": auroc[1]}


def test_undefined_is_null():
    assert defined(float("nan")) is None
    assert defined(0.0) == 0.0
    assert Score(float("nan")).as_json() == {"value": None, "ci95": None}
    assert Score(0.5, (0.25, 0.75)).as_json() == {"value": 0.5, "ci95": [0.25, 0.75]}


def test_adjusted_predictions_are_those_of_the_readout():
    predictions = seeded(600)
    postprocessor = fit_postprocessor(
        predictions.logits,
        predictions.target,
        NAMES,
        MinRecall(0.5),
        train_prior=implied_prior([60, 25, 10, 5]),
        prior_correction=DeployPrior([0.25] * 4),
    )
    after = adjusted(predictions, postprocessor)
    expected = (
        predictions.logits / postprocessor.calibration.temperature - np.log([0.60, 0.25, 0.10, 0.05]) + np.log(0.25)
    )
    np.testing.assert_allclose(after.logits, expected, rtol=1e-5, atol=1e-6)
    assert np.array_equal(after.target, predictions.target)


def test_sigmoid_logits_are_ranked_by_themselves():
    predictions = seeded()
    labels = Predictions.of(NAMES, predictions.index, predictions.target, predictions.logits, "sigmoid")
    for c, scores in enumerate(Evaluation(labels, TRAIN_COUNTS).classes):
        assert scores.auroc.value == pytest.approx(sk.roc_auc_score(labels.target == c, labels.logits[:, c]))


def test_scores_of_decisions_and_probabilities_stand_in_the_json():
    predictions = seeded()
    reported = Evaluation(predictions, TRAIN_COUNTS).as_json()
    decision = predictions.logits.argmax(1)
    assert reported["macro_f1"] == pytest.approx(sk.f1_score(predictions.target, decision, average="macro"))
    assert reported["matthews_corrcoef"] == pytest.approx(sk.matthews_corrcoef(predictions.target, decision))
    assert reported["worst_class_recall"] == min(sk.recall_score(predictions.target, decision, average=None))
    assert 0 < reported["calibration_error"] < 1
    assert reported["brier_skill_score"] < 1
    for c, row in enumerate(reported["classes"]):
        positive, score = predictions.target == c, softmax(predictions.logits.astype(np.float64), 1)[:, c]
        assert row["partial_auroc_fpr_0.1"] == pytest.approx(sk.roc_auc_score(positive, score, max_fpr=0.1))
        precision, recall, _ = sk.precision_recall_curve(positive, score)
        assert row["precision_at_recall_0.9"] == pytest.approx(precision[recall >= 0.9].max())


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("positive", [0, 1])
def test_the_probabilities_of_a_binary_task_are_scored_in_the_one_class_form(activation, positive):
    rng = np.random.default_rng(0)
    target = (rng.random(500) < 0.1).astype(np.int64) ^ (1 - positive)
    logits = (rng.normal(size=(500, 2)) + 2 * np.eye(2)[target]).astype(np.float32)
    reported = Evaluation(Predictions.of(("a", "b"), np.arange(500), target, logits, activation), [50, 450]).as_json()
    wide = logits.astype(np.float64)
    p = (softmax(wide, 1) if activation == "softmax" else 1 / (1 + np.exp(-wide)))[:, positive]
    assert reported["brier_score"] == pytest.approx(sk.brier_score_loss(target == positive, p))
    assert reported["log_loss"] == pytest.approx(sk.log_loss(target == positive, p))
    reference = np.mean(target == positive) * np.mean(target != positive)
    assert reported["brier_skill_score"] == pytest.approx(1 - reported["brier_score"] / reference)


def test_the_probabilities_of_several_classes_are_scored_in_the_summed_form():
    predictions = seeded()
    reported = Evaluation(predictions, TRAIN_COUNTS).as_json()
    p, C = softmax(predictions.logits.astype(np.float64), 1), predictions.logits.shape[1]
    assert reported["brier_score"] == pytest.approx(((p - np.eye(C)[predictions.target]) ** 2).sum(1).mean())
    assert reported["log_loss"] == pytest.approx(sk.log_loss(predictions.target, p, labels=range(C)))


LABELS = ("torn", "late", "lost")


def labelled(n=400, shares=(0.4, 0.15, 0.05), seed=0):
    rng = np.random.default_rng(seed)
    target = (rng.random((n, len(shares))) < shares).astype(np.int64)
    logits = (rng.normal(size=target.shape) + 1.5 * target - 1).astype(np.float32)
    return Predictions.of(LABELS[: len(shares)], np.arange(n), target, logits, "sigmoid")


def test_labels_are_scored_as_scikit_learn_scores_them():
    predictions = labelled()
    evaluation = Evaluation(predictions, [160, 60, 20])
    target, logits = predictions.target, predictions.logits.astype(np.float64)
    decision, probability = (logits >= 0).astype(int), 1 / (1 + np.exp(-logits))
    found = evaluation.classes
    auroc = sk.roc_auc_score(target, logits, average=None)
    average_precision = sk.average_precision_score(target, logits, average=None)
    assert [scores.auroc.value for scores in found] == pytest.approx(auroc)
    assert [scores.average_precision.value for scores in found] == pytest.approx(average_precision)
    assert [scores.recall.value for scores in found] == pytest.approx(sk.recall_score(target, decision, average=None))
    precision = sk.precision_score(target, decision, average=None)
    assert [scores.precision.value for scores in found] == pytest.approx(precision)
    assert [scores.n_positive for scores in found] == target.sum(0).tolist()
    assert evaluation.macro_auroc.value == pytest.approx(auroc.mean())
    assert evaluation.macro_average_precision.value == pytest.approx(average_precision.mean())
    assert evaluation.accuracy.value == pytest.approx(sk.accuracy_score(target, decision))
    reported = evaluation.as_json()
    balanced = [sk.balanced_accuracy_score(t, d) for t, d in zip(target.T, decision.T, strict=True)]
    assert reported["balanced_accuracy"]["value"] == pytest.approx(np.mean(balanced))
    assert reported["macro_f1"] == pytest.approx(sk.f1_score(target, decision, average="macro"))
    brier_score = [sk.brier_score_loss(t, p) for t, p in zip(target.T, probability.T, strict=True)]
    assert reported["brier_score"] == pytest.approx(np.sum(brier_score))


def test_intervals_of_labels_are_those_of_their_own_scores():
    evaluation = Evaluation(labelled(), [160, 60, 20])
    target, logits = evaluation.predictions.target, evaluation.predictions.logits
    for c, scores in enumerate(evaluation.classes):
        hits, positives = int(((logits[:, c] >= 0) & (target[:, c] == 1)).sum()), int(target[:, c].sum())
        assert scores.auroc.interval == auroc_interval(evaluation.rankings[c])
        assert scores.recall.interval == wilson_interval(hits, positives)
        assert scores.precision.interval == wilson_interval(hits, int((logits[:, c] >= 0).sum()))
    assert evaluation.macro_auroc.interval == macro_auroc_interval(evaluation.rankings, logits, target)
    low, high = evaluation.balanced_accuracy.interval
    assert low < evaluation.balanced_accuracy.value < high


def test_what_labels_have_not_is_null_in_a_json_of_the_same_shape():
    of_labels = json.loads(json.dumps(Evaluation(labelled(), [160, 60, 20]).as_json(), allow_nan=False))
    of_classes = Evaluation(seeded(), TRAIN_COUNTS).as_json()
    assert of_labels.keys() == of_classes.keys()
    assert of_labels["classes"][0].keys() == of_classes["classes"][0].keys()
    assert {key for key, value in of_labels.items() if value is None} == {"calibration_error"}
    assert Evaluation(labelled(), [160, 60, 20]).confusion is None
    assert of_labels["recall_by_shot_group"].keys() == {"many", "medium"}


def test_a_label_that_nobody_has_is_left_out_of_every_mean():
    whole, without = labelled(), labelled()
    without.target[:, 1] = 0
    scores = Evaluation(without, [160, 60, 20])
    written = json.loads(json.dumps(scores.as_json(), allow_nan=False))
    assert written["classes"][1]["auroc"] == written["classes"][1]["recall"] == {"value": None, "ci95": None}
    others = [Evaluation(whole, [160, 60, 20]).classes[c] for c in (0, 2)]
    assert written["auroc"]["value"] == pytest.approx(np.mean([each.auroc.value for each in others]))
    assert written["auroc"]["classes"] == scores.n_defined == 2
    assert not [tag for tag in scores.scalars("val") if tag.endswith("/late")]


def test_a_single_label_is_scored_too():
    one = Evaluation(labelled(shares=(0.2,)), [80])
    assert one.macro_auroc.value == one.classes[0].auroc.value
    assert one.accuracy.value == pytest.approx(np.mean((one.predictions.logits >= 0) == one.predictions.target))
