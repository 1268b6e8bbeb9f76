import json

import numpy as np
import pytest
from scipy.special import logit, softmax

from imbalance_lab.metrics import balanced_accuracy, confusion_matrix
from imbalance_lab.posthoc import DeploymentPrior, LogitAdjustment, choose_tau, implied_prior
from imbalance_lab.posthoc.logit_adjustment import TAUS

SEEN = implied_prior([800, 150, 50])


def balanced_examples(n=3000, seed=0):
    """Bayes-optimal logits for the shares SEEN, and targets that are balanced."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 3)) + 1.2 * np.eye(3)[target]
    return 1.2 * x + np.log(SEEN), target  # log p(x | c) = 1.2 x_c + what is common to all classes


def test_tau_one_is_a_deployment_of_equal_shares():
    logits, _ = balanced_examples()
    once = logits + LogitAdjustment("softmax", SEEN, 1.0).offset
    equal = logits + DeploymentPrior("softmax", SEEN, (1 / 3,) * 3).offset
    np.testing.assert_allclose(softmax(once, 1), softmax(equal, 1))
    half = LogitAdjustment("sigmoid", (0.1, 0.3), 1.0).offset
    np.testing.assert_allclose(half, DeploymentPrior("sigmoid", (0.1, 0.3), (0.5, 0.5)).offset)
    np.testing.assert_allclose(half, -logit([0.1, 0.3]))


def test_what_training_has_balanced_is_not_balanced_again():
    logits, _ = balanced_examples()
    for told in ({"loss_tau": 1}, {"sampler_power": 0}):
        adjustment = LogitAdjustment("softmax", implied_prior([800, 150, 50], **told), 1.7)
        assert ((logits + adjustment.offset).argmax(1) == logits.argmax(1)).all()


def test_the_best_tau_of_the_grid_is_found_by_brute_force():
    logits, target = balanced_examples()
    chosen = choose_tau(logits, target, SEEN)
    scores = [balanced_accuracy(confusion_matrix((logits - tau * np.log(SEEN)).argmax(1), target, 3)) for tau in TAUS]
    assert chosen.tau == TAUS[int(np.argmax(scores))]
    assert abs(chosen.tau - 1) <= 0.3  # where the truth is
    assert TAUS[:3] == (0.0, 0.1, 0.2)
    assert TAUS[-1] == 2.0


def test_of_equally_good_ones_the_smallest_tau_is_taken():
    logits = np.array([[9.0, 0, 0], [0, 9, 0], [0, 0, 9]])
    assert choose_tau(logits, np.arange(3), SEEN).tau == 0
    assert choose_tau(logits, np.arange(3), SEEN, taus=[1.5, 0.5]).tau == 0.5


@pytest.mark.parametrize(
    "criterion",
    ["macro_f1", "geometric_mean_recall", "harmonic_mean_recall", "worst_class_recall", "matthews_corrcoef"],
)
def test_other_criteria_and_permuted_classes(criterion):
    logits, target = balanced_examples()
    order = np.array([2, 0, 1])
    chosen = choose_tau(logits, target, SEEN, criterion=criterion)
    permuted = choose_tau(logits[:, order], np.argsort(order)[target], tuple(np.take(SEEN, order)), criterion=criterion)
    assert permuted.tau == chosen.tau > 0


def test_labels_are_decided_each_by_itself():
    rng = np.random.default_rng(0)
    share = np.array([0.02, 0.2])
    target = (rng.random((6000, 2)) < 0.5).astype(np.int64)  # labels balanced here, rare in training
    x = rng.normal(size=(6000, 2)) + 1.5 * target
    logits = 1.5 * x - 1.5**2 / 2 + logit(share)
    chosen = choose_tau(logits, target, tuple(share), activation="sigmoid")
    assert chosen.tau == pytest.approx(1, abs=0.21)


def test_shares_it_stands_for():
    assert LogitAdjustment("softmax", SEEN, 0).prior == SEEN
    assert LogitAdjustment("softmax", SEEN, 1).prior == (1 / 3,) * 3
    assert LogitAdjustment("sigmoid", (0.1, 0.2), 1).prior == (0.5, 0.5)
    assert LogitAdjustment("softmax", SEEN, 0.7).prior is None


def test_json_and_back():
    adjustment = LogitAdjustment("softmax", SEEN, 0.7)
    assert LogitAdjustment.from_json(json.loads(json.dumps(adjustment.as_json(), allow_nan=False))) == adjustment


def test_nonsense_is_refused():
    logits, target = balanced_examples(10)
    with pytest.raises(ValueError, match=r"criterion for tau must be one of balanced_accuracy, .*, got 'auroc'"):
        choose_tau(logits, target, SEEN, criterion="auroc")
    with pytest.raises(ValueError, match="tau must be a number ≥ 0, got -1"):
        LogitAdjustment("softmax", SEEN, -1)
    with pytest.raises(ValueError, match="undefined on these 0 examples"):
        choose_tau(logits[:0], target[:0], SEEN)
    with pytest.raises(ValueError, match="link must be softmax or sigmoid, got 'tanh'"):
        LogitAdjustment("tanh", SEEN)
