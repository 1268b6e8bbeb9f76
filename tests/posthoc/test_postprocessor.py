import json

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from imbalance_lab.posthoc import (
    AlertBudget,
    DeploymentPrior,
    LogitAdjustment,
    MaxF1,
    MaxFPR,
    MinCost,
    MinRecall,
    PostProcessor,
    Threshold,
    fit_postprocessor,
    implied_prior,
    uncalibrated,
    validate_options,
)

CLASSES = ("many", "some", "few")
SEEN = implied_prior([800, 150, 50])
DEPLOY = (0.5, 0.3, 0.2)


def long_tailed(n=3000, seed=0):
    """Logits of p(c | x) at the shares SEEN, doubled (overconfident), and targets of those shares."""
    rng = np.random.default_rng(seed)
    target = rng.choice(3, n, p=SEEN)
    x = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[target]
    return (2 * (1.5 * x + np.log(SEEN))).astype(np.float32), target


def labelled(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    share = np.array([0.3, 0.1])
    target = (rng.random((n, 2)) < share).astype(np.int64)
    x = rng.normal(size=(n, 2)) + 2 * target
    return (2 * x - 2 + logit(share)).astype(np.float32), target


def fitted(**options):
    return fit_postprocessor(*long_tailed(), CLASSES, options.pop("rule", MinRecall(0.8)), train_prior=SEEN, **options)


EVERY = {
    "plain": {"calibration": "none"},
    "temperature": {},
    "bias": {"calibration": "bias_corrected"},
    "deployed": {"deploy_prior": DEPLOY},
    "bias, deployed": {"calibration": "bias_corrected", "deploy_prior": DEPLOY},
    "adjusted": {"logit_adjustment": 1.0},
    "tau chosen": {"logit_adjustment": "balanced_accuracy"},
    "cost": {"deploy_prior": DEPLOY, "rule": MinCost(1, 4)},
    "too few": {"rule": MinRecall(0.99)},
}


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY.keys())
def test_the_file_is_all_that_is_needed(options):
    postprocessor = fitted(**options)
    read = PostProcessor.from_json(json.loads(json.dumps(postprocessor.as_json(), allow_nan=False)))
    assert read == postprocessor
    logits, target = long_tailed(seed=1)
    for method in ("adjusted", "probability", "log_odds", "decision", "flags"):
        assert (getattr(read, method)(logits) == getattr(postprocessor, method)(logits)).all()
    assert read.evaluate_on(logits, target) == postprocessor.evaluate_on(logits, target)


def test_the_steps_are_applied_in_their_order():
    postprocessor = fitted(calibration="bias_corrected", deploy_prior=DEPLOY)
    logits, _ = long_tailed(seed=1)
    calibration = postprocessor.calibration
    by_hand = logits / calibration.temperature + calibration.bias - np.log(calibration.prior) + np.log(DEPLOY)
    np.testing.assert_allclose(postprocessor.probability(logits), softmax(by_hand, 1), rtol=1e-6)
    np.testing.assert_allclose(postprocessor.log_odds(logits), logit(softmax(by_hand, 1)), rtol=1e-4, atol=1e-4)
    assert (postprocessor.decision(logits) == by_hand.argmax(1)).all()


def test_probabilities_stand_for_the_shares_that_it_names():
    logits, target = long_tailed(60_000, seed=1)
    bent = logits + np.array([1.0, -2, 0.5], np.float32)  # as a loss with margins may leave them
    kept = np.random.default_rng(2).random(len(target)) < (np.divide(DEPLOY, SEEN) / 4)[target]  # the deployment
    share = np.bincount(target[kept]) / kept.sum()
    plain = fitted(deploy_prior=DEPLOY)
    of_bent = fit_postprocessor(
        bent[:5000],
        target[:5000],
        CLASSES,
        MinCost(1, 1),
        train_prior=None,
        calibration="bias_corrected",
        deploy_prior=DEPLOY,
    )
    for postprocessor, seen_logits in ((plain, logits), (of_bent, bent)):
        assert postprocessor.prior == DEPLOY
        np.testing.assert_allclose(postprocessor.probability(seen_logits[kept]).mean(0), share, atol=0.02)
    uncorrected = fitted().probability(logits[kept]).mean(0)
    assert np.abs(uncorrected - share).max() > 0.1


def test_deploying_where_the_model_comes_from_changes_nothing():
    logits, _ = long_tailed(seed=1)
    np.testing.assert_allclose(fitted(deploy_prior=SEEN).probability(logits), fitted().probability(logits), rtol=1e-9)


def test_a_second_correction_is_refused():
    uniform = (1 / 3,) * 3
    balanced = uncalibrated(3, uniform)  # trained with logit_adjusted or class-balanced sampling
    for twice in (LogitAdjustment("softmax", SEEN, 1.0), DeploymentPrior("softmax", SEEN, DEPLOY)):
        with pytest.raises(ValueError, match="would correct twice"):
            PostProcessor(CLASSES, balanced, twice, ("",) * 3)
    with pytest.raises(ValueError, match="both move the class shares: choose one"):
        fitted(deploy_prior=DEPLOY, logit_adjustment=1.0)


def test_after_a_balanced_training_logit_adjustment_changes_no_decision():
    logits, target = long_tailed()
    train_prior = implied_prior([800, 150, 50], loss_tau=1)
    postprocessor = fit_postprocessor(logits, target, CLASSES, MaxF1(), train_prior=train_prior, logit_adjustment=2.0)
    assert (postprocessor.decision(logits) == logits.argmax(1)).all()


def test_unknown_shares_cannot_be_moved_except_by_a_fitted_bias():
    logits, target = long_tailed()
    assert fit_postprocessor(logits, target, CLASSES, MaxF1(), train_prior=None).prior is None
    with pytest.raises(ValueError, match="use calibration=bias_corrected"):
        fit_postprocessor(logits, target, CLASSES, MinRecall(0.8), train_prior=None, deploy_prior=DEPLOY)
    postprocessor = fit_postprocessor(
        logits, target, CLASSES, MinRecall(0.8), train_prior=None, calibration="bias_corrected", deploy_prior=DEPLOY
    )
    assert postprocessor.prior == DEPLOY


@pytest.mark.parametrize("rule", [MaxF1(), AlertBudget(10), MaxFPR(0.1)], ids=str)
def test_what_depends_on_the_shares_is_not_promised_for_others(rule):
    with pytest.raises(ValueError, match="choose by recall or by cost"):
        fitted(rule=rule, deploy_prior=DEPLOY)


def test_the_false_positive_rate_of_two_classes_does_not_depend_on_their_shares():
    logits, target = long_tailed()
    two = np.stack([logits[:, 0], logits[:, 1:].max(1)], 1), (target > 0).astype(np.int64)
    plain = fit_postprocessor(*two, ("no", "yes"), MaxFPR(0.1), train_prior=(0.8, 0.2))
    moved = fit_postprocessor(*two, ("no", "yes"), MaxFPR(0.1), train_prior=(0.8, 0.2), deploy_prior=(0.99, 0.01))
    assert (plain.flags(two[0]) == moved.flags(two[0])).all()


def test_cost_needs_probabilities():
    with pytest.raises(ValueError, match="give a deployment prior, not logit_adjustment"):
        fitted(rule=MinCost(1, 4), logit_adjustment=1.0)


def test_a_class_with_too_few_has_the_reason_in_its_place_and_is_never_flagged():
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
    postprocessor = fitted(deploy_prior=DEPLOY)
    logits, _ = long_tailed()  # those at the thresholds among them
    assert postprocessor.log_odds(logits).dtype == np.float32  # the last bits of float64 depend on the batch
    one_by_one = np.concatenate([postprocessor.flags(logits[i : i + 1]) for i in range(500)])
    assert (one_by_one == postprocessor.flags(logits)[:500]).all()
    thirds = np.concatenate([postprocessor.flags(part) for part in np.array_split(logits, 7)])
    assert (thirds == postprocessor.flags(logits)).all()


def test_permuting_the_classes_permutes_everything():
    order = np.array([2, 0, 1])
    logits, target = long_tailed()
    here = fitted(calibration="bias_corrected", deploy_prior=DEPLOY)
    there = fit_postprocessor(
        logits[:, order],
        np.argsort(order)[target],
        np.take(CLASSES, order),
        MinRecall(0.8),
        train_prior=tuple(np.take(SEEN, order)),
        calibration="bias_corrected",
        deploy_prior=np.take(DEPLOY, order),
    )
    np.testing.assert_allclose(there.probability(logits[:, order]), here.probability(logits)[:, order], atol=1e-6)
    assert [there.thresholds[i].tp for i in range(3)] == [here.thresholds[c].tp for c in order]


def test_labels():
    logits, target = labelled()
    postprocessor = fit_postprocessor(
        logits,
        target,
        ("a", "b"),
        MinRecall(0.8),
        train_prior=(0.3, 0.1),
        activation="sigmoid",
        deploy_prior=(0.3, 0.01),
    )
    expected = expit(logits / postprocessor.calibration.temperature + [0, logit(0.01) - logit(0.1)])
    np.testing.assert_allclose(postprocessor.probability(logits), expected, rtol=1e-6)
    assert min(threshold.recall for threshold in postprocessor.evaluate_on(*labelled(seed=1))) > 0.75
    assert PostProcessor.from_json(json.loads(json.dumps(postprocessor.as_json()))) == postprocessor
    with pytest.raises(ValueError, match="use flags"):
        postprocessor.decision(logits)


def test_one_logit_is_read_as_two_are():
    logits, target = labelled()
    one, two = logits[:, 1:], np.stack([np.zeros(len(logits)), logits[:, 1]], 1)
    single = fit_postprocessor(
        one, target[:, 1:], ("yes",), MinRecall(0.9), train_prior=(0.1,), activation="sigmoid", deploy_prior=(0.02,)
    )
    double = fit_postprocessor(
        two, target[:, 1], ("no", "yes"), MinRecall(0.9), train_prior=(0.9, 0.1), deploy_prior=(0.98, 0.02)
    )
    np.testing.assert_allclose(single.probability(one)[:, 0], double.probability(two)[:, 1], rtol=1e-4)
    assert (single.flags(one)[:, 0] == double.flags(two)[:, 1]).mean() > 0.999


def test_pieces_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 classes, 3 cuts and 3 biases do not fit"):
        PostProcessor(("a", "b"), uncalibrated(3, None), None, ("",) * 3)
    with pytest.raises(ValueError, match="calibration must be one of none, temperature, bias_corrected, got 'platt'"):
        fitted(calibration="platt")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"deploy_prior": (0.5, 0.5)}, "deploy_prior has 2 shares, but there are 3 classes"),
        ({"deploy_prior": (0.5, 0.4, 0.2)}, "deploy_prior must sum to 1"),
        ({"logit_adjustment": -1}, "tau must be a number ≥ 0, got -1"),
        ({"logit_adjustment": "auroc"}, "criterion for tau must be one of"),
        ({"logit_adjustment": 1.0, "train_prior": None}, "use calibration=bias_corrected"),
        ({"rule": MaxF1(), "deploy_prior": DEPLOY}, "choose by recall or by cost"),
    ],
    ids=str,
)
def test_mistakes_are_told_before_there_are_logits(options, sentence):
    options = {"rule": MinRecall(0.8), "train_prior": SEEN, **options}
    with pytest.raises(ValueError, match=sentence):
        validate_options(3, options.pop("rule"), **options)


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY.keys())
def test_what_can_be_fitted_is_not_refused_before(options):
    options = {"rule": MinRecall(0.8), "train_prior": SEEN, **options}
    validate_options(3, options.pop("rule"), **options)
