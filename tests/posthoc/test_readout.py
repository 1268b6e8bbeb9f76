import json

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from imbalance_lab.posthoc import (
    AlertBudget,
    Cost,
    Cut,
    DeploymentPrior,
    FprAtMost,
    LogitAdjustment,
    MaxF1,
    Readout,
    RecallAtLeast,
    check_options,
    fit_readout,
    prior_seen,
    uncalibrated,
)

CLASSES = ("many", "some", "few")
SEEN = prior_seen([800, 150, 50])
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
    return fit_readout(*long_tailed(), CLASSES, options.pop("rule", RecallAtLeast(0.8)), seen=SEEN, **options)


EVERY = {
    "plain": {"calibrate": "none"},
    "temperature": {},
    "bias": {"calibrate": "bias_corrected"},
    "deployed": {"deploy": DEPLOY},
    "bias, deployed": {"calibrate": "bias_corrected", "deploy": DEPLOY},
    "adjusted": {"tau": 1.0},
    "tau chosen": {"tau": "balanced_accuracy"},
    "cost": {"deploy": DEPLOY, "rule": Cost(1, 4)},
    "too few": {"rule": RecallAtLeast(0.99)},
}


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY.keys())
def test_the_file_is_all_that_is_needed(options):
    readout = fitted(**options)
    read = Readout.from_json(json.loads(json.dumps(readout.as_json(), allow_nan=False)))
    assert read == readout
    logits, target = long_tailed(seed=1)
    for method in ("adjusted", "probability", "log_odds", "decision", "flags"):
        assert (getattr(read, method)(logits) == getattr(readout, method)(logits)).all()
    assert read.cuts_on(logits, target) == readout.cuts_on(logits, target)


def test_the_steps_are_applied_in_their_order():
    readout = fitted(calibrate="bias_corrected", deploy=DEPLOY)
    logits, _ = long_tailed(seed=1)
    calibration = readout.calibration
    by_hand = logits / calibration.temperature + calibration.bias - np.log(calibration.prior) + np.log(DEPLOY)
    np.testing.assert_allclose(readout.probability(logits), softmax(by_hand, 1), rtol=1e-6)
    np.testing.assert_allclose(readout.log_odds(logits), logit(softmax(by_hand, 1)), rtol=1e-4, atol=1e-4)
    assert (readout.decision(logits) == by_hand.argmax(1)).all()


def test_probabilities_stand_for_the_shares_that_it_names():
    logits, target = long_tailed(60_000, seed=1)
    bent = logits + np.array([1.0, -2, 0.5], np.float32)  # as a loss with margins may leave them
    kept = np.random.default_rng(2).random(len(target)) < (np.divide(DEPLOY, SEEN) / 4)[target]  # the deployment
    share = np.bincount(target[kept]) / kept.sum()
    plain = fitted(deploy=DEPLOY)
    of_bent = fit_readout(
        bent[:5000], target[:5000], CLASSES, Cost(1, 1), seen=None, calibrate="bias_corrected", deploy=DEPLOY
    )
    for readout, seen_logits in ((plain, logits), (of_bent, bent)):
        assert readout.prior == DEPLOY
        np.testing.assert_allclose(readout.probability(seen_logits[kept]).mean(0), share, atol=0.02)
    uncorrected = fitted().probability(logits[kept]).mean(0)
    assert np.abs(uncorrected - share).max() > 0.1


def test_deploying_where_the_model_comes_from_changes_nothing():
    logits, _ = long_tailed(seed=1)
    np.testing.assert_allclose(fitted(deploy=SEEN).probability(logits), fitted().probability(logits), rtol=1e-9)


def test_a_second_correction_is_refused():
    uniform = (1 / 3,) * 3
    balanced = uncalibrated(3, uniform)  # trained with logit_adjusted or class-balanced sampling
    for twice in (LogitAdjustment("softmax", SEEN, 1.0), DeploymentPrior("softmax", SEEN, DEPLOY)):
        with pytest.raises(ValueError, match="would correct twice"):
            Readout(CLASSES, balanced, twice, ("",) * 3)
    with pytest.raises(ValueError, match="both move the class shares: choose one"):
        fitted(deploy=DEPLOY, tau=1.0)


def test_after_a_balanced_training_logit_adjustment_changes_no_decision():
    logits, target = long_tailed()
    seen = prior_seen([800, 150, 50], loss_tau=1)
    readout = fit_readout(logits, target, CLASSES, MaxF1(), seen=seen, tau=2.0)
    assert (readout.decision(logits) == logits.argmax(1)).all()


def test_unknown_shares_cannot_be_moved_except_by_a_fitted_bias():
    logits, target = long_tailed()
    assert fit_readout(logits, target, CLASSES, MaxF1(), seen=None).prior is None
    with pytest.raises(ValueError, match="use calibrate=bias_corrected"):
        fit_readout(logits, target, CLASSES, RecallAtLeast(0.8), seen=None, deploy=DEPLOY)
    readout = fit_readout(
        logits, target, CLASSES, RecallAtLeast(0.8), seen=None, calibrate="bias_corrected", deploy=DEPLOY
    )
    assert readout.prior == DEPLOY


@pytest.mark.parametrize("rule", [MaxF1(), AlertBudget(10), FprAtMost(0.1)], ids=str)
def test_what_depends_on_the_shares_is_not_promised_for_others(rule):
    with pytest.raises(ValueError, match="choose by recall or by cost"):
        fitted(rule=rule, deploy=DEPLOY)


def test_the_false_positive_rate_of_two_classes_does_not_depend_on_their_shares():
    logits, target = long_tailed()
    two = np.stack([logits[:, 0], logits[:, 1:].max(1)], 1), (target > 0).astype(np.int64)
    plain = fit_readout(*two, ("no", "yes"), FprAtMost(0.1), seen=(0.8, 0.2))
    moved = fit_readout(*two, ("no", "yes"), FprAtMost(0.1), seen=(0.8, 0.2), deploy=(0.99, 0.01))
    assert (plain.flags(two[0]) == moved.flags(two[0])).all()


def test_cost_needs_probabilities():
    with pytest.raises(ValueError, match="give a deployment prior, not tau"):
        fitted(rule=Cost(1, 4), tau=1.0)


def test_a_class_with_too_few_has_the_reason_in_its_place_and_is_never_flagged():
    readout = fitted(rule=RecallAtLeast(0.98))
    n_few = int((long_tailed()[1] == 2).sum())
    assert (
        readout.cuts[2] == f"recall ≥ 0.98 with 95% confidence needs 149 positives on validation, the class has {n_few}"
    )
    assert isinstance(readout.cuts[0], Cut)
    assert not readout.flags(long_tailed()[0])[:, 2].any()
    assert readout.as_json()["classes"][2] == {"name": "few", "threshold": None, "refused": readout.cuts[2]}


def test_flags_do_not_depend_on_the_batch():
    readout = fitted(deploy=DEPLOY)
    logits, _ = long_tailed()  # those at the thresholds among them
    assert readout.log_odds(logits).dtype == np.float32  # the last bits of float64 depend on the batch
    one_by_one = np.concatenate([readout.flags(logits[i : i + 1]) for i in range(500)])
    assert (one_by_one == readout.flags(logits)[:500]).all()
    thirds = np.concatenate([readout.flags(part) for part in np.array_split(logits, 7)])
    assert (thirds == readout.flags(logits)).all()


def test_permuting_the_classes_permutes_everything():
    order = np.array([2, 0, 1])
    logits, target = long_tailed()
    here = fitted(calibrate="bias_corrected", deploy=DEPLOY)
    there = fit_readout(
        logits[:, order],
        np.argsort(order)[target],
        np.take(CLASSES, order),
        RecallAtLeast(0.8),
        seen=tuple(np.take(SEEN, order)),
        calibrate="bias_corrected",
        deploy=np.take(DEPLOY, order),
    )
    np.testing.assert_allclose(there.probability(logits[:, order]), here.probability(logits)[:, order], atol=1e-6)
    assert [there.cuts[i].tp for i in range(3)] == [here.cuts[c].tp for c in order]


def test_labels():
    logits, target = labelled()
    readout = fit_readout(
        logits, target, ("a", "b"), RecallAtLeast(0.8), seen=(0.3, 0.1), link="sigmoid", deploy=(0.3, 0.01)
    )
    expected = expit(logits / readout.calibration.temperature + [0, logit(0.01) - logit(0.1)])
    np.testing.assert_allclose(readout.probability(logits), expected, rtol=1e-6)
    assert min(cut.recall for cut in readout.cuts_on(*labelled(seed=1))) > 0.75
    assert Readout.from_json(json.loads(json.dumps(readout.as_json()))) == readout
    with pytest.raises(ValueError, match="use flags"):
        readout.decision(logits)


def test_one_logit_is_read_as_two_are():
    logits, target = labelled()
    one, two = logits[:, 1:], np.stack([np.zeros(len(logits)), logits[:, 1]], 1)
    single = fit_readout(one, target[:, 1:], ("yes",), RecallAtLeast(0.9), seen=(0.1,), link="sigmoid", deploy=(0.02,))
    double = fit_readout(two, target[:, 1], ("no", "yes"), RecallAtLeast(0.9), seen=(0.9, 0.1), deploy=(0.98, 0.02))
    np.testing.assert_allclose(single.probability(one)[:, 0], double.probability(two)[:, 1], rtol=1e-4)
    assert (single.flags(one)[:, 0] == double.flags(two)[:, 1]).mean() > 0.999


def test_pieces_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 classes, 3 cuts and 3 biases do not fit"):
        Readout(("a", "b"), uncalibrated(3, None), None, ("",) * 3)
    with pytest.raises(ValueError, match="calibrate must be one of none, temperature, bias_corrected, got 'platt'"):
        fitted(calibrate="platt")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"deploy": (0.5, 0.5)}, "deploy has 2 shares, but there are 3 classes"),
        ({"deploy": (0.5, 0.4, 0.2)}, "deploy must sum to 1"),
        ({"tau": -1}, "tau must be a number ≥ 0, got -1"),
        ({"tau": "auroc"}, "criterion for tau must be one of"),
        ({"tau": 1.0, "seen": None}, "use calibrate=bias_corrected"),
        ({"rule": MaxF1(), "deploy": DEPLOY}, "choose by recall or by cost"),
    ],
    ids=str,
)
def test_mistakes_are_told_before_there_are_logits(options, sentence):
    options = {"rule": RecallAtLeast(0.8), "seen": SEEN, **options}
    with pytest.raises(ValueError, match=sentence):
        check_options(3, options.pop("rule"), **options)


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY.keys())
def test_what_can_be_fitted_is_not_refused_before(options):
    options = {"rule": RecallAtLeast(0.8), "seen": SEEN, **options}
    check_options(3, options.pop("rule"), **options)
