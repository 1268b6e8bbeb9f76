"""Prediction sets: coverage of each class, sizes, and refusals; crepes and MAPIE give the same sets."""

import io
import json

import numpy as np
import pytest
import torch

from imbalance_lab.posthoc import (
    BiasCorrectedScaling,
    Calibration,
    ClassConditionalConformal,
    DeployPrior,
    MinRecall,
    NoPredictionSets,
    PostProcessor,
    calibration_examples_needed,
    fit_postprocessor,
    fit_prediction_sets,
    implied_prior,
    log_odds,
)
from imbalance_lab.posthoc.conformal import conformal_log_odds, conformal_rank
from imbalance_lab.posthoc.label_clusters import cluster_labels
from imbalance_lab.task import one_hot
from scripts import coverage_conformal as study

CLASSES = ("many", "some", "few")
SHARES = (0.8, 0.15, 0.05)


def examples(n=2000, seed=0, shares=SHARES):
    rng = np.random.default_rng(seed)
    target = rng.choice(3, n, p=shares)
    return (rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[target] + np.log(SHARES)).astype(np.float32), target


def labelled(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    target = (rng.random((n, 3)) < (0.4, 0.1, 0.05)).astype(np.int64)
    return (rng.normal(size=(n, 3)) + 2 * target - 2).astype(np.float32), target


def postprocessor_of(activation="softmax", **options):
    logits, target = examples() if activation == "softmax" else labelled()
    prior = implied_prior([80, 15, 5])
    return fit_postprocessor(
        logits, target, CLASSES, MinRecall(0.8), train_prior=prior, activation=activation, **options
    )


def uncalibrated(n_classes, activation="softmax"):
    calibration = Calibration(activation, 1.0, (0.0,) * n_classes, None)
    names = [f"class {c}" for c in range(n_classes)]
    return PostProcessor(names, calibration, None, ("no threshold",) * n_classes)


def with_sets(alpha=0.1, activation="softmax", **options):
    split = examples(seed=1) if activation == "softmax" else labelled(seed=1)
    return fit_prediction_sets(postprocessor_of(activation, **options), ClassConditionalConformal(alpha), *split)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("n", [700, 1500])
def test_sets_are_those_of_crepes(alpha, n):
    crepes = pytest.importorskip("crepes")
    postprocessor = postprocessor_of(calibration=BiasCorrectedScaling(), prior_correction=DeployPrior((0.2, 0.3, 0.5)))
    logits, target = examples(n, seed=1)
    fitted = fit_prediction_sets(postprocessor, ClassConditionalConformal(alpha), logits, target)
    test, _ = examples(5000, seed=2)
    scores, new = 1 - postprocessor.probabilities(logits), 1 - postprocessor.probabilities(test)
    mondrian = crepes.ConformalClassifier().fit(scores[np.arange(n), target], bins=target)
    p_values = np.stack(
        [mondrian.predict_p(new[:, [c]], bins=np.full(len(test), c), smoothing=False)[:, 0] for c in range(3)], 1
    )
    # In a set if p > alpha; a p-value is a multiple of 1 / (n + 1), so that only rounding could make it equal to alpha.
    np.testing.assert_array_equal(fitted.sets(test), p_values > alpha + 1e-12)


@pytest.mark.parametrize("alpha", [0.05, 0.12, 0.3])
def test_quantiles_are_those_of_mapie_for_the_examples_of_each_class(alpha):
    pytest.importorskip("mapie")
    from mapie.conformity_scores import LACConformityScore
    from mapie.utils import _compute_classification_quantile

    fitted, (logits, target) = with_sets(alpha), examples(seed=1)
    test, _ = examples(5000, seed=2)
    probability, new, lac = fitted.probabilities(logits), fitted.probabilities(test), LACConformityScore()
    for c in range(3):
        own = target == c
        scores = lac.get_conformity_scores(target[own], probability[own], target[own])
        quantile = _compute_classification_quantile(scores, np.array([alpha]))[0]
        assert fitted.prediction_sets.quantiles[c].min_probability == pytest.approx(1 - quantile, rel=1e-5)
        np.testing.assert_array_equal(fitted.sets(test)[:, c], new[:, c] >= 1 - quantile - 1e-8)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.18, 0.5])
def test_the_rank_is_exact_and_the_needed_number_is_the_fewest(alpha):
    hundredths = round(100 * alpha)
    for n in range(1, 400):
        assert conformal_rank(n, alpha) == -(-(n + 1) * (100 - hundredths) // 100)
        assert (conformal_rank(n, alpha) <= n) == (n >= calibration_examples_needed(alpha))
    scores = np.arange(1.0, calibration_examples_needed(alpha) + 1)
    assert conformal_log_odds(scores, alpha) == 1.0  # the fewest examples: the worst of them


def test_exact_coverage_by_hand():
    """n exchangeable scores without ties: the new one is in the set with probability k / (n + 1), not more."""
    rng, n, alpha = np.random.default_rng(0), 12, 0.1
    scores = rng.normal(size=(40_000, n + 1))
    covered = [row[-1] >= conformal_log_odds(row[:-1], alpha) for row in scores]
    assert np.mean(covered) == pytest.approx(12 / 13, abs=4 * np.sqrt(12 / 169 / 40_000))


def test_every_class_is_covered_as_promised():
    found = study.study(simulations=60, seed=3)
    assert [row.layout for row in found if not row.holds(3)] == []
    assert {row.quantile for row in found} == {*(f"class {k}" for k in range(5)), "clusters", "null cluster"}
    assert found[4].expected == 0.9  # nine examples: the worst of them
    assert found[4].spread > 3 * found[0].spread
    lines = list(study.table(found))
    assert len(lines) == 2 + len(found)
    assert "| own quantiles | class 4 | 9 |" in lines[6]


def test_label_shift_changes_no_coverage_and_a_prior_correction_no_promise():
    postprocessor = postprocessor_of(prior_correction=DeployPrior((0.2, 0.3, 0.5)))
    fitted = fit_prediction_sets(postprocessor, ClassConditionalConformal(0.1), *examples(20_000, seed=1))
    logits, target = examples(20_000, seed=2, shares=(0.1, 0.2, 0.7))
    sets = fitted.sets(logits)
    for c in range(3):
        assert sets[target == c, c].mean() == pytest.approx(0.9, abs=0.025)


def test_another_prior_correction_later_changes_no_set():
    fitted, (logits, _) = with_sets(), examples(seed=2)
    shift = DeployPrior((0.2, 0.3, 0.5)).shift(fitted.calibration.prior, "softmax")
    moved = PostProcessor(CLASSES, fitted.calibration, shift, fitted.thresholds, fitted.prediction_sets)
    assert np.abs(moved.probabilities(logits) - fitted.probabilities(logits)).max() > 0.1
    assert np.array_equal(moved.sets(logits), fitted.sets(logits))


def test_calibration_examples_of_a_class_are_covered_as_often_as_the_rank_says():
    for activation, draw in (("softmax", examples), ("sigmoid", labelled)):
        fitted, (logits, target) = with_sets(0.1, activation), draw(seed=1)
        sets, positive = fitted.sets(logits), one_hot(target, 3)
        for c in range(3):
            n = int(positive[:, c].sum())
            assert (sets & positive)[:, c].sum() == conformal_rank(n, 0.1)
            assert fitted.prediction_sets.quantiles[c].n == fitted.prediction_sets.quantiles[c].n_class == n


def test_a_smaller_alpha_only_adds_classes():
    logits, _ = examples(seed=2)
    narrow, wide = with_sets(0.3).sets(logits), with_sets(0.05).sets(logits)
    assert (wide | narrow == wide).all()
    assert wide.sum() > narrow.sum()


def test_labels_that_an_example_has_are_possible():
    fitted = with_sets(0.1, "sigmoid")
    logits, target = labelled(20_000, seed=2)
    sets = fitted.sets(logits)
    for c in range(3):
        assert sets[target[:, c] == 1, c].mean() == pytest.approx(0.9, abs=0.06)
        assert sets[target[:, c] == 0, c].mean() < 0.7


def few_and_many(counts, seed=0):
    """Classes of these sizes; the n-th is harder to tell the larger n is."""
    rng = np.random.default_rng(seed)
    target = np.repeat(np.arange(len(counts)), counts)
    gap = np.linspace(3, 0.5, len(counts))[target, None]
    return (rng.normal(size=(len(target), len(counts))) + gap * np.eye(len(counts))[target]).astype(np.float32), target


def test_classes_share_a_quantile_by_their_numbers():
    counts = [100, 30, 20, 9, 5, 4]
    logits, target = few_and_many(counts)
    sets = fit_prediction_sets(uncalibrated(6), ClassConditionalConformal(0.1, min_examples=31), logits, target)
    quantiles = sets.prediction_sets.quantiles
    assert [each.cluster for each in quantiles] == [None, "1", "1", "1", "null", "null"]
    assert [each.n for each in quantiles] == [100, 59, 59, 59, 9, 9]  # too few classes for two clusters
    assert [each.n_class for each in quantiles] == counts
    scores = log_odds(logits, "softmax")
    rare = np.concatenate([scores[target == c, c] for c in (4, 5)])
    assert quantiles[4].log_odds == quantiles[5].log_odds == rare.min()
    own = fit_prediction_sets(uncalibrated(6), ClassConditionalConformal(0.1), logits, target).prediction_sets.quantiles
    assert [each.cluster for each in own] == [None, None, None, None, "null", "null"]


def test_k_means_finds_classes_with_alike_scores():
    rng = np.random.default_rng(0)
    centers = np.tile([0.2, 0.5, 0.8], 20)
    scores = [np.clip(rng.normal(center, 0.03, 40), 0, 1) for center in centers]
    cluster, positions = cluster_labels(scores, 0.1, needed=9)
    assert {len(set(centers[cluster == number])) for number in range(cluster.max() + 1)} == {1}
    assert cluster.max() + 1 == int(60 / 135 * 40 / 2)  # the paper's number
    assert {len(each) for each in positions} == {40 - round(60 / 135 * 40)}
    again, same = cluster_labels(scores, 0.1, needed=9)
    assert np.array_equal(cluster, again)
    assert all(map(np.array_equal, positions, same))
    joined, _ = cluster_labels(scores, 0.1, needed=900)
    assert joined.max() == 0  # of 60 · 22 scores no two clusters have 900 each


def test_equal_scores_are_one_cluster():
    cluster, _ = cluster_labels([np.full(40, 0.5)] * 60, 0.1, needed=9)
    assert not cluster.any()


@pytest.mark.parametrize(
    ("counts", "alpha", "says"),
    [
        ([500, 8], 0.1, "alpha=0.1 takes 9 calibration examples of a class, .* but b has 8: .* or alpha ≥ 0.112"),
        (
            [500, 90, 8],
            0.01,
            "takes 99 .* but b, c have 98 together: choose a larger data.calibration_f",
        ),
        ([500, 0], 0.2, r"takes 4 .* but b has 0: choose a larger data.calibration_fraction$"),
        (None, 0.1, "need a calibration split of their own.*data.calibration_fraction=0.15"),
    ],
)
def test_too_few_examples_are_refused_with_the_number_needed(counts, alpha, says):
    with pytest.raises(ValueError, match=says):
        ClassConditionalConformal(alpha).validate("abc"[: len(counts or "ab")], counts)


@pytest.mark.parametrize("counts", [[500, 8], [500, 40, 3], [30, 5, 5]])
def test_the_alpha_that_a_refusal_recommends_suffices(counts):
    with pytest.raises(ValueError, match="alpha ≥") as refusal:
        ClassConditionalConformal(0.01).validate("abc", counts)
    ClassConditionalConformal(float(str(refusal.value).split("alpha ≥ ")[1])).validate("abc", counts)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"alpha": 0}, "alpha must be"),
        ({"alpha": 1.0}, "alpha must be"),
        ({"alpha": "0.1"}, "alpha must be a number"),
        ({"min_examples": 8}, "min_examples .null: 9, the fewest for alpha=0.1. must be an integer ≥ 9, got 8"),
    ],
)
def test_options_out_of_range_are_refused(options, says):
    with pytest.raises((TypeError, ValueError), match=says):
        ClassConditionalConformal(**options)


def test_without_a_method_nothing_changes():
    postprocessor = postprocessor_of()
    NoPredictionSets().validate(CLASSES, None)
    same = fit_prediction_sets(postprocessor, NoPredictionSets(), *examples(seed=1))
    assert same.as_json() == postprocessor.as_json()
    assert "prediction_sets" not in same.as_json()
    assert list(same.state_dict()) == list(postprocessor.state_dict())
    with pytest.raises(ValueError, match="evaluate the run with conformal=class_conditional"):
        same.sets(examples()[0])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_json_and_state_dict_restore_the_sets(activation):
    fitted = with_sets(activation=activation, prior_correction=DeployPrior((0.2, 0.3, 0.5)))
    logits, _ = examples(seed=2)
    read = PostProcessor.from_json(json.loads(json.dumps(fitted.as_json(), allow_nan=False)))
    assert read.prediction_sets == fitted.prediction_sets
    file = io.BytesIO()
    torch.save(fitted.state_dict(), file)
    file.seek(0)
    blank = uncalibrated(3, activation)
    blank.load_state_dict(torch.load(file, weights_only=True))
    expected = fitted.sets(logits)
    for other in (read, blank, fitted.half()):
        assert np.array_equal(other.sets(logits), expected)
    fitted.load_state_dict(postprocessor_of(activation).state_dict())  # one without sets, as before there were any
    assert fitted.prediction_sets is None
    assert fitted.set_log_odds is None


def test_sets_export_with_the_net():
    fitted, (logits, _) = with_sets(), examples(200, seed=2)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.postprocessor = fitted

        def forward(self, x):
            return self.postprocessor.sets(x)

    x = torch.tensor(logits)
    program = torch.export.export(Net(), (x[:4],), dynamic_shapes=({0: torch.export.Dim("batch")},))
    assert torch.equal(program.module()(x), fitted.sets(x))
    assert np.array_equal(fitted.sets(x).numpy(), fitted.sets(logits))


def test_sets_of_other_classes_are_refused():
    three = with_sets().prediction_sets
    with pytest.raises(ValueError, match="quantiles of 3 classes, not of 2"):
        PostProcessor(("a", "b"), Calibration("softmax", 1.0, (0.0, 0.0), None), None, ("", ""), three)
