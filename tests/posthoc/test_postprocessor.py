import json

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax

from imbalance_lab.posthoc import (
    AlertBudget,
    BiasCorrectedScaling,
    DeployPrior,
    MaxF1,
    MaxFPR,
    MinCost,
    MinRecall,
    NoCalibration,
    PostHocLogitAdjustment,
    PostProcessor,
    Threshold,
    fit_postprocessor,
    implied_prior,
    validate_postprocessing,
)


def uncalibrated(num_classes, train_prior):
    return NoCalibration().fit(np.zeros((1, num_classes)), np.zeros(1, np.int64), train_prior, "softmax")


CLASSES = ("many", "some", "few")
TRAIN_PRIOR = implied_prior([800, 150, 50])
DEPLOY = (0.5, 0.3, 0.2)


def long_tailed(n=3000, seed=0):
    """Logits of p(c | x) at the class priors TRAIN_PRIOR, doubled (overconfident), and targets with those priors."""
    rng = np.random.default_rng(seed)
    target = rng.choice(3, n, p=TRAIN_PRIOR)
    x = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[target]
    return (2 * (1.5 * x + np.log(TRAIN_PRIOR))).astype(np.float32), target


def labelled(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    prior = np.array([0.3, 0.1])
    target = (rng.random((n, 2)) < prior).astype(np.int64)
    x = rng.normal(size=(n, 2)) + 2 * target
    return (2 * x - 2 + logit(prior)).astype(np.float32), target


def fitted(**options):
    return fit_postprocessor(
        *long_tailed(), CLASSES, options.pop("rule", MinRecall(0.8)), train_prior=TRAIN_PRIOR, **options
    )


EVERY = {
    "plain": {"calibration": NoCalibration()},
    "temperature": {},
    "bias": {"calibration": BiasCorrectedScaling()},
    "deployed": {"prior_correction": DeployPrior(DEPLOY)},
    "bias, deployed": {"calibration": BiasCorrectedScaling(), "prior_correction": DeployPrior(DEPLOY)},
    "adjusted": {"prior_correction": PostHocLogitAdjustment(1.0)},
    "tau chosen": {"prior_correction": PostHocLogitAdjustment("balanced_accuracy")},
    "cost": {"prior_correction": DeployPrior(DEPLOY), "rule": MinCost(1, 4)},
    "too few": {"rule": MinRecall(0.99)},
}


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY.keys())
def test_json_round_trip_keeps_every_result(options):
    postprocessor = fitted(**options)
    read = PostProcessor.from_json(json.loads(json.dumps(postprocessor.as_json(), allow_nan=False)))
    assert read.as_json() == postprocessor.as_json()
    assert all(map(torch.equal, read.buffers(), postprocessor.buffers()))
    logits, target = long_tailed(seed=1)
    for method in ("adjusted", "probabilities", "log_odds", "predict_labels", "flags"):
        assert (getattr(read, method)(logits) == getattr(postprocessor, method)(logits)).all()
    assert read.evaluate_on(logits, target) == postprocessor.evaluate_on(logits, target)


def test_order_of_the_steps():
    postprocessor = fitted(calibration=BiasCorrectedScaling(), prior_correction=DeployPrior(DEPLOY))
    logits, _ = long_tailed(seed=1)
    calibration = postprocessor.calibration
    by_hand = logits / calibration.temperature + calibration.bias - np.log(calibration.prior) + np.log(DEPLOY)
    np.testing.assert_allclose(postprocessor.probabilities(logits), softmax(by_hand, 1), rtol=1e-6)
    np.testing.assert_allclose(postprocessor.log_odds(logits), logit(softmax(by_hand, 1)), rtol=1e-4, atol=1e-4)
    assert (postprocessor.predict_labels(logits) == by_hand.argmax(1)).all()


def test_probabilities_are_calibrated_for_the_stated_prior():
    logits, target = long_tailed(60_000, seed=1)
    biased = logits + np.array([1.0, -2, 0.5], np.float32)  # as after a loss with margins
    kept = np.random.default_rng(2).random(len(target)) < (np.divide(DEPLOY, TRAIN_PRIOR) / 4)[target]  # the deployment
    prior = np.bincount(target[kept]) / kept.sum()
    plain = fitted(prior_correction=DeployPrior(DEPLOY))
    from_biased = fit_postprocessor(
        biased[:5000],
        target[:5000],
        CLASSES,
        MinCost(1, 1),
        train_prior=None,
        calibration=BiasCorrectedScaling(),
        prior_correction=DeployPrior(DEPLOY),
    )
    for postprocessor, raw in ((plain, logits), (from_biased, biased)):
        assert postprocessor.prior == DEPLOY
        np.testing.assert_allclose(postprocessor.probabilities(raw[kept]).mean(0), prior, atol=0.02)
    uncorrected = fitted().probabilities(logits[kept]).mean(0)
    assert np.abs(uncorrected - prior).max() > 0.1


def test_deploy_prior_equal_to_train_prior_changes_nothing():
    logits, _ = long_tailed(seed=1)
    np.testing.assert_allclose(
        fitted(prior_correction=DeployPrior(TRAIN_PRIOR)).probabilities(logits),
        fitted().probabilities(logits),
        rtol=1e-9,
    )


def test_correcting_twice_raises():
    uniform = (1 / 3,) * 3
    balanced = uncalibrated(3, uniform)  # trained with logit_adjusted or class-balanced sampling
    for twice in (
        PostHocLogitAdjustment(1.0).shift(TRAIN_PRIOR, "softmax"),
        DeployPrior(DEPLOY).shift(TRAIN_PRIOR, "softmax"),
    ):
        with pytest.raises(ValueError, match="would correct twice"):
            PostProcessor(CLASSES, balanced, twice, ("",) * 3)


def test_logit_adjustment_after_balanced_training_changes_no_predicted_label():
    logits, target = long_tailed()
    train_prior = implied_prior([800, 150, 50], loss_tau=1)
    postprocessor = fit_postprocessor(
        logits, target, CLASSES, MaxF1(), train_prior=train_prior, prior_correction=PostHocLogitAdjustment(2.0)
    )
    assert (postprocessor.predict_labels(logits) == logits.argmax(1)).all()


def test_unknown_train_prior_needs_bias_corrected_calibration():
    logits, target = long_tailed()
    assert fit_postprocessor(logits, target, CLASSES, MaxF1(), train_prior=None).prior is None
    with pytest.raises(ValueError, match="use calibration=bias_corrected"):
        fit_postprocessor(
            logits, target, CLASSES, MinRecall(0.8), train_prior=None, prior_correction=DeployPrior(DEPLOY)
        )
    postprocessor = fit_postprocessor(
        logits,
        target,
        CLASSES,
        MinRecall(0.8),
        train_prior=None,
        calibration=BiasCorrectedScaling(),
        prior_correction=DeployPrior(DEPLOY),
    )
    assert postprocessor.prior == DEPLOY


@pytest.mark.parametrize("rule", [MaxF1(), AlertBudget(10), MaxFPR(0.1)], ids=str)
def test_rules_that_depend_on_the_prior_cannot_be_used_with_deploy_prior(rule):
    with pytest.raises(ValueError, match="choose operating_point=min_recall or min_cost"):
        fitted(rule=rule, prior_correction=DeployPrior(DEPLOY))


def test_binary_false_positive_rate_does_not_depend_on_the_prior():
    logits, target = long_tailed()
    two = np.stack([logits[:, 0], logits[:, 1:].max(1)], 1), (target > 0).astype(np.int64)
    plain = fit_postprocessor(*two, ("no", "yes"), MaxFPR(0.1), train_prior=(0.8, 0.2))
    moved = fit_postprocessor(
        *two, ("no", "yes"), MaxFPR(0.1), train_prior=(0.8, 0.2), prior_correction=DeployPrior((0.99, 0.01))
    )
    assert (plain.flags(two[0]) == moved.flags(two[0])).all()


def test_min_cost_needs_probabilities():
    with pytest.raises(ValueError, match="use deploy_prior instead of logit_adjustment"):
        fitted(rule=MinCost(1, 4), prior_correction=PostHocLogitAdjustment(1.0))


def test_class_with_too_few_examples_keeps_the_reason_and_is_never_flagged():
    postprocessor = fitted(rule=MinRecall(0.98))
    n_few = int((long_tailed()[1] == 2).sum())
    assert (
        postprocessor.thresholds[2]
        == f"recall ≥ 0.98 with 95% confidence needs 149 positives on validation, the class has {n_few}"
    )
    assert isinstance(postprocessor.thresholds[0], Threshold)
    assert not postprocessor.flags(long_tailed()[0])[:, 2].any()
    assert postprocessor.as_json()["classes"][2] == {
        "name": "few",
        "threshold": None,
        "refused": postprocessor.thresholds[2],
    }


def test_flags_do_not_depend_on_the_batch():
    postprocessor = fitted(prior_correction=DeployPrior(DEPLOY))
    logits, _ = long_tailed()  # those at the thresholds among them
    assert postprocessor.log_odds(logits).dtype == np.float32  # the last bits of float64 depend on the batch
    one_by_one = np.concatenate([postprocessor.flags(logits[i : i + 1]) for i in range(500)])
    assert (one_by_one == postprocessor.flags(logits)[:500]).all()
    thirds = np.concatenate([postprocessor.flags(part) for part in np.array_split(logits, 7)])
    assert (thirds == postprocessor.flags(logits)).all()


def test_permuting_classes_permutes_everything():
    order = np.array([2, 0, 1])
    logits, target = long_tailed()
    here = fitted(calibration=BiasCorrectedScaling(), prior_correction=DeployPrior(DEPLOY))
    there = fit_postprocessor(
        logits[:, order],
        np.argsort(order)[target],
        np.take(CLASSES, order),
        MinRecall(0.8),
        train_prior=tuple(np.take(TRAIN_PRIOR, order)),
        calibration=BiasCorrectedScaling(),
        prior_correction=DeployPrior(tuple(np.take(DEPLOY, order))),
    )
    np.testing.assert_allclose(there.probabilities(logits[:, order]), here.probabilities(logits)[:, order], atol=1e-6)
    assert [there.thresholds[i].tp for i in range(3)] == [here.thresholds[c].tp for c in order]


def test_multilabel():
    logits, target = labelled()
    postprocessor = fit_postprocessor(
        logits,
        target,
        ("a", "b"),
        MinRecall(0.8),
        train_prior=(0.3, 0.1),
        activation="sigmoid",
        prior_correction=DeployPrior((0.3, 0.01)),
    )
    expected = expit(logits / postprocessor.calibration.temperature + [0, logit(0.01) - logit(0.1)])
    np.testing.assert_allclose(postprocessor.probabilities(logits), expected, rtol=1e-6)
    assert min(threshold.recall for threshold in postprocessor.evaluate_on(*labelled(seed=1))) > 0.75
    assert PostProcessor.from_json(json.loads(json.dumps(postprocessor.as_json()))).as_json() == postprocessor.as_json()
    with pytest.raises(ValueError, match="use flags"):
        postprocessor.predict_labels(logits)


def test_one_logit_equals_two_logits():
    logits, target = labelled()
    one, two = logits[:, 1:], np.stack([np.zeros(len(logits)), logits[:, 1]], 1)
    single = fit_postprocessor(
        one,
        target[:, 1:],
        ("yes",),
        MinRecall(0.9),
        train_prior=(0.1,),
        activation="sigmoid",
        prior_correction=DeployPrior((0.02,)),
    )
    double = fit_postprocessor(
        two,
        target[:, 1],
        ("no", "yes"),
        MinRecall(0.9),
        train_prior=(0.9, 0.1),
        prior_correction=DeployPrior((0.98, 0.02)),
    )
    np.testing.assert_allclose(single.probabilities(one)[:, 0], double.probabilities(two)[:, 1], rtol=1e-4)
    assert (single.flags(one)[:, 0] == double.flags(two)[:, 1]).mean() > 0.999


def test_inconsistent_parts_raise():
    with pytest.raises(ValueError, match="got 2 classes, 3 thresholds and 3 biases"):
        PostProcessor(("a", "b"), uncalibrated(3, None), None, ("",) * 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prior_correction": DeployPrior((0.5, 0.5))}, "deploy_prior has 2 class priors, but there are 3 classes"),
        ({"prior_correction": DeployPrior((0.5, 0.4, 0.2))}, "deploy_prior must sum to 1"),
        ({"prior_correction": PostHocLogitAdjustment(1.0), "train_prior": None}, "use calibration=bias_corrected"),
        ({"rule": MaxF1(), "prior_correction": DeployPrior(DEPLOY)}, "choose operating_point=min_recall or min_cost"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_invalid_options_raise_before_training(options, sentence):
    options = {"rule": MinRecall(0.8), "train_prior": TRAIN_PRIOR, **options}
    with pytest.raises(ValueError, match=sentence):
        validate_postprocessing(3, options.pop("rule"), **options)


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY.keys())
def test_valid_options_pass_before_training(options):
    options = {"rule": MinRecall(0.8), "train_prior": TRAIN_PRIOR, **options}
    validate_postprocessing(3, options.pop("rule"), **options)
