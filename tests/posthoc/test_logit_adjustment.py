import json

import numpy as np
import pytest
from scipy.special import logit, softmax

from imbalance_lab.metrics import balanced_accuracy, confusion_matrix
from imbalance_lab.posthoc import DeployPrior, PostHocLogitAdjustment, PriorShift, choose_tau, implied_prior
from imbalance_lab.posthoc.logit_adjustment import TAUS

TRAIN_PRIOR = implied_prior([800, 150, 50])


def balanced_examples(n=3000, seed=0):
    """Bayes-optimal logits for the class priors TRAIN_PRIOR, and balanced targets."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 3)) + 1.2 * np.eye(3)[target]
    return 1.2 * x + np.log(TRAIN_PRIOR), target  # log p(x | c) = 1.2 x_c + a constant


def test_tau_one_corrects_to_uniform_priors():
    logits, _ = balanced_examples()
    once = logits + PostHocLogitAdjustment(1.0).shift(TRAIN_PRIOR, "softmax").offset
    equal = logits + DeployPrior((1 / 3,) * 3).shift(TRAIN_PRIOR, "softmax").offset
    np.testing.assert_allclose(softmax(once, 1), softmax(equal, 1))
    at_half = PostHocLogitAdjustment(1.0).shift((0.1, 0.3), "sigmoid").offset
    np.testing.assert_allclose(at_half, DeployPrior((0.5, 0.5)).shift((0.1, 0.3), "sigmoid").offset)
    np.testing.assert_allclose(at_half, -logit([0.1, 0.3]))


def test_balanced_training_is_not_corrected_twice():
    logits, _ = balanced_examples()
    for options in ({"loss_tau": 1}, {"sampler_power": 0}):
        adjustment = PostHocLogitAdjustment(1.7).shift(implied_prior([800, 150, 50], **options), "softmax")
        assert ((logits + adjustment.offset).argmax(1) == logits.argmax(1)).all()


def test_chooses_the_best_tau_of_the_grid():
    logits, target = balanced_examples()
    chosen = choose_tau(logits, target, TRAIN_PRIOR)
    scores = [
        balanced_accuracy(confusion_matrix((logits - tau * np.log(TRAIN_PRIOR)).argmax(1), target, 3)) for tau in TAUS
    ]
    assert chosen == TAUS[int(np.argmax(scores))]
    assert abs(chosen - 1) <= 0.3  # 1 is Bayes-optimal
    assert TAUS[:3] == (0.0, 0.1, 0.2)
    assert TAUS[-1] == 2.0


def test_ties_choose_the_smallest_tau():
    logits = np.array([[9.0, 0, 0], [0, 9, 0], [0, 0, 9]])
    assert choose_tau(logits, np.arange(3), TRAIN_PRIOR) == 0
    assert choose_tau(logits, np.arange(3), TRAIN_PRIOR, taus=[1.5, 0.5]) == 0.5


@pytest.mark.parametrize(
    "criterion",
    ["macro_f1", "geometric_mean_recall", "harmonic_mean_recall", "worst_class_recall", "matthews_corrcoef"],
)
def test_criteria_are_invariant_to_class_order(criterion):
    logits, target = balanced_examples()
    order = np.array([2, 0, 1])
    chosen = choose_tau(logits, target, TRAIN_PRIOR, criterion=criterion)
    permuted = choose_tau(
        logits[:, order], np.argsort(order)[target], tuple(np.take(TRAIN_PRIOR, order)), criterion=criterion
    )
    assert permuted == chosen > 0


def test_multilabel_labels_are_independent():
    rng = np.random.default_rng(0)
    prior = np.array([0.02, 0.2])
    target = (rng.random((6000, 2)) < 0.5).astype(np.int64)  # balanced here, rare in training
    x = rng.normal(size=(6000, 2)) + 1.5 * target
    logits = 1.5 * x - 1.5**2 / 2 + logit(prior)
    chosen = choose_tau(logits, target, tuple(prior), activation="sigmoid")
    assert chosen == pytest.approx(1, abs=0.21)


def test_resulting_prior():
    assert PostHocLogitAdjustment(0).shift(TRAIN_PRIOR, "softmax").prior == TRAIN_PRIOR
    assert PostHocLogitAdjustment(1).shift(TRAIN_PRIOR, "softmax").prior == (1 / 3,) * 3
    assert PostHocLogitAdjustment(1).shift((0.1, 0.2), "sigmoid").prior == (0.5, 0.5)
    assert PostHocLogitAdjustment(0.7).shift(TRAIN_PRIOR, "softmax").prior is None


def test_json_round_trip():
    adjustment = PostHocLogitAdjustment(0.7).shift(TRAIN_PRIOR, "softmax")
    assert PriorShift.from_json(json.loads(json.dumps(adjustment.as_json(), allow_nan=False))) == adjustment


def test_invalid_arguments_raise():
    logits, target = balanced_examples(10)
    with pytest.raises(ValueError, match=r"criterion for tau must be one of balanced_accuracy, .*, got 'auroc'"):
        choose_tau(logits, target, TRAIN_PRIOR, criterion="auroc")
    with pytest.raises(ValueError, match="tau must be a finite number ≥ 0, got -1"):
        PostHocLogitAdjustment(-1)
    with pytest.raises(ValueError, match="logits must not be empty"):
        choose_tau(logits[:0], target[:0], TRAIN_PRIOR)
    with pytest.raises(ValueError, match="activation must be one of softmax, sigmoid, got 'tanh'"):
        PostHocLogitAdjustment().shift(TRAIN_PRIOR, "tanh")
