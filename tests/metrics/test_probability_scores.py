import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn import metrics as sklearn
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from imbalance_lab.metrics import (
    brier_score,
    brier_skill_score,
    calibration_error,
    classwise_calibration_error,
    log_loss,
    net_benefit,
)


def several(n=400, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return softmax(rng.normal(0, 2, (n, classes)), 1), rng.integers(0, classes, n)


def one(n=400, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 4, n)
    return p, (rng.random(n) < p**1.3).astype(int)


def test_brier_matches_scikit_learn():
    p, y = one()
    assert brier_score(p, y) == pytest.approx(sklearn.brier_score_loss(y, p))
    p, y = several()
    assert brier_score(p, y) == pytest.approx(sklearn.brier_score_loss(y, p, labels=range(4)))


def test_brier_of_two_classes_is_twice_that_of_one_of_them():
    p, y = one()
    assert brier_score(np.stack([1 - p, p], 1), y) == pytest.approx(2 * brier_score(p, y))
    assert brier_skill_score(np.stack([1 - p, p], 1), y) == pytest.approx(brier_skill_score(p, y))


def test_log_loss_matches_scikit_learn_also_for_certain_mistakes():
    p, y = one()
    p[:3], y[:3] = 1.0, (0, 1, 0)
    assert log_loss(p, y) == pytest.approx(sklearn.log_loss(y, p))
    p, y = several()
    assert log_loss(p, y) == pytest.approx(sklearn.log_loss(y, p, labels=range(4)))


def test_log_loss_of_labels_is_the_sum_over_them():
    p = np.random.default_rng(0).random((50, 3))
    y = np.random.default_rng(1).integers(0, 2, (50, 3))
    assert log_loss(p, y) == pytest.approx(sum(sklearn.log_loss(y[:, c], p[:, c]) for c in range(3)))


def test_brier_of_labels_is_the_sum_over_them():
    p = np.random.default_rng(0).random((50, 3))
    y = np.random.default_rng(1).integers(0, 2, (50, 3))
    assert brier_score(p, y) == pytest.approx(sum(brier_score(p[:, c], y[:, c]) for c in range(3)))


def test_skill_is_zero_for_the_prevalence_one_for_the_truth_and_negative_for_worse():
    y = np.array([1] * 3 + [0] * 97)
    assert brier_skill_score(np.full(100, 0.03), y) == pytest.approx(0)
    assert brier_skill_score(y.astype(float), y) == 1
    assert brier_skill_score(np.full(100, 0.5), y) < -1
    target = several()[1]
    shares = np.bincount(target, minlength=4) / len(target)
    assert brier_skill_score(np.tile(shares, (400, 1)), target) == pytest.approx(0)


def test_skill_is_undefined_for_constant_targets():
    assert np.isnan(brier_skill_score(np.array([0.1, 0.2]), np.array([0, 0])))
    assert np.isnan(brier_skill_score(np.array([[0.1, 0.9], [0.2, 0.8]]), np.array([1, 1])))


@pytest.mark.parametrize("n_bins", [1, 7, 15, 40])
def test_equal_width_error_matches_torchmetrics(n_bins):
    p, y = one()
    theirs = binary_calibration_error(torch.tensor(p), torch.tensor(y), n_bins=n_bins)
    assert calibration_error(p, y, n_bins=n_bins) == pytest.approx(float(theirs), abs=1e-6)
    p, y = several()
    theirs = multiclass_calibration_error(torch.tensor(p), torch.tensor(y), 4, n_bins=n_bins)
    assert calibration_error(p, y, n_bins=n_bins) == pytest.approx(float(theirs), abs=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_equal_width_error_by_brute_force(examples, n_bins):
    total = 0.0
    for b in range(n_bins):
        low, high = np.linspace(0, 1, n_bins + 1)[b : b + 2]
        inside = [(p, y) for p, y in examples if low <= p and (p < high or b == n_bins - 1)]
        total += abs(sum(p - y for p, y in inside))
    p, y = np.array([p for p, _ in examples]), np.array([int(y) for _, y in examples])
    assert calibration_error(p, y, n_bins=n_bins) == pytest.approx(total / len(examples), abs=1e-12)


def test_bins_of_equal_mass_by_brute_force():
    p, y = one(n=300)
    order = np.argsort(p)
    total = sum(abs((p - y)[part].sum()) for part in np.split(order, 15))
    assert calibration_error(p, y, bins="mass") == pytest.approx(total / 300)


def test_equal_probabilities_share_a_bin_of_equal_mass():
    p, y = np.full(100, 0.2), np.array([1] * 20 + [0] * 80)
    for order in (slice(None), slice(None, None, -1)):
        assert calibration_error(p, y[order], bins="mass") == pytest.approx(0, abs=1e-12)


def test_bins_of_equal_width_miss_errors_within_the_first_bin():
    # All probabilities below 1/15, half of them twice too high, half twice too low: one bin, in which it cancels.
    p = np.repeat([0.04, 0.02], 5000)
    y = np.concatenate([np.arange(5000) < 100, np.arange(5000) < 200]).astype(int)
    assert calibration_error(p, y) == pytest.approx(0, abs=1e-12)
    assert calibration_error(p, y, n_bins=2, bins="mass") == pytest.approx(0.02)


def test_classwise_is_the_mean_over_the_classes_with_an_example():
    p, y = several()
    p = np.concatenate([p * 0.9, np.full((400, 1), 0.1)], 1)
    own = [calibration_error(p[:, c], (y == c).astype(int)) for c in range(4)]
    assert classwise_calibration_error(p, y) == pytest.approx(np.mean(own))


def test_calibrated_probabilities_have_little_error_and_others_more():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 3))
    y = (logits + rng.gumbel(size=logits.shape)).argmax(1)
    for error in (calibration_error, classwise_calibration_error):
        assert error(softmax(logits, 1), y) < 0.012
        assert error(softmax(logits * 3, 1), y) > 0.05


def test_net_benefit_by_hand_and_its_bounds():
    p, y = one()
    grid = np.array([0.01, 0.1, 0.3, 0.6])
    by_hand = [((p >= t) & (y == 1)).sum() / 400 - ((p >= t) & (y == 0)).sum() / 400 * t / (1 - t) for t in grid]
    np.testing.assert_allclose(net_benefit(p, y, grid), by_hand)
    always, prevalence = net_benefit(np.ones(400), y, grid), y.mean()
    np.testing.assert_allclose(always, prevalence - (1 - prevalence) * grid / (1 - grid))
    np.testing.assert_allclose(net_benefit(y.astype(float), y, grid), prevalence)
    assert (net_benefit(np.zeros(400), y, grid) == 0).all()
    assert net_benefit(p, y, 0.3).shape == ()


def test_a_probability_equal_to_the_threshold_is_flagged():
    assert net_benefit(np.array([0.5]), np.array([1]), 0.5) == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: brier_score(np.array([0.1, 1.2]), np.array([0, 1])), r"must lie in \[0, 1\], got 1.2 for example 1"),
        (lambda: brier_score(np.array([np.nan, 0.1]), np.array([0, 1])), "got nan for example 0"),
        (lambda: brier_score(np.array([0.1, 0.2]), np.array([0, 1, 1])), "do not match"),
        (lambda: calibration_error(np.full((2, 3), 0.5), np.ones((2, 3), int)), "use classwise"),
        (lambda: calibration_error(np.array([0.5]), np.array([1]), n_bins=0), "n_bins must be"),
        (lambda: calibration_error(np.array([0.5]), np.array([1]), bins="other"), "bins must be one of width, mass"),
        (lambda: classwise_calibration_error(np.array([0.5]), np.array([1])), "needs probabilities"),
        (lambda: net_benefit(np.array([0.5]), np.array([1]), 1.0), r"must lie in \(0, 1\)"),
        (lambda: net_benefit(np.full((1, 2), 0.5), np.array([1]), 0.5), "of one class"),
    ],
)
def test_invalid_arguments_raise(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
