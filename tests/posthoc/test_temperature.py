import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from imbalance_lab.posthoc import fit_temperature
from imbalance_lab.posthoc.activation import allow_one_error
from imbalance_lab.task import one_hot


def calibrated(n=20_000, classes=3, spread=2.0, seed=0):
    """Logits and targets that were drawn from their own softmax."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, spread, (n, classes)).astype(np.float32)
    gumbel = rng.gumbel(size=logits.shape)  # argmax(z + Gumbel) has the distribution softmax(z)
    return logits, (logits + gumbel).argmax(1)


@pytest.mark.parametrize("true_temperature", [0.25, 1.0, 3.0])
def test_recovers_known_temperature(true_temperature):
    logits, target = calibrated()
    assert fit_temperature(logits * np.float32(true_temperature), target) == pytest.approx(true_temperature, rel=0.05)


def test_maximizes_the_likelihood_on_a_grid():
    logits, target = calibrated(300, classes=5, spread=1.0, seed=1)
    found = fit_temperature(logits, target)

    shares = np.bincount(target, minlength=5) / 300
    mixed = 1 / (300 * (1 - (shares**2).sum()))
    allowed = (1 - mixed) * np.eye(5)[target] + mixed * shares

    def log_likelihood(temperature):
        return (allowed * log_softmax(logits.astype(np.float64) / temperature, 1)).sum(1).mean()

    grid = np.geomspace(0.05, 20, 2000)
    assert log_likelihood(found) >= max(log_likelihood(temperature) for temperature in grid) - 1e-9
    assert found == pytest.approx(grid[np.argmax([log_likelihood(t) for t in grid])], rel=0.004)


def test_likelihood_gradient_is_zero():
    # The likelihood's derivative is zero: Σ E_t[z] = Σ E_p[z] at the fitted temperature.
    logits, target = calibrated(2000, seed=2)
    probability = softmax(logits.astype(np.float64) / fit_temperature(logits, target), 1)
    allowed = allow_one_error(one_hot(target, 3), "softmax")
    assert (allowed * logits).sum(1).mean() == pytest.approx((probability * logits).sum(1).mean(), abs=1e-5)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_one_error_is_allowed_and_shares_stay(activation):
    positive = one_hot(calibrated(90, classes=4)[1], 4)
    allowed = allow_one_error(positive, activation)
    np.testing.assert_allclose(allowed.mean(0), positive.mean(0))
    assert (allowed * ~positive).sum() == pytest.approx(1 if activation == "softmax" else 0.5)
    assert np.array_equal(allow_one_error(positive[:, :1] < 2, "sigmoid"), np.ones((90, 1)))  # nothing to err on


def test_separable_examples_do_not_lead_to_certainty():
    # 60 examples, all right, with margins of 2 to 6: the largest likelihood is at the smallest temperature.
    margin = np.linspace(2, 6, 60, dtype=np.float32)
    sign = np.where(np.arange(60) % 3 == 0, 1, -1)
    found = fit_temperature(np.stack([-sign * margin / 2, sign * margin / 2], 1), (sign > 0).astype(int))
    expected_errors = (1 / (1 + np.exp(margin / found))).sum()
    assert 0.5 < expected_errors < 1.5  # about the one that is allowed, not the 1e-15 of T = 0.05


def test_a_class_without_held_out_example_is_left_out():
    logits, target = calibrated(300, classes=3)
    with np.errstate(divide="ignore"):
        offset = np.log([0.5, 0.5, 0.0])
    two = target < 2
    with_it = fit_temperature(logits[two], target[two], offset=offset)
    assert with_it == pytest.approx(fit_temperature(logits[two, :2], target[two]), rel=1e-4)


def test_invariant_to_a_constant_per_example():
    logits, target = calibrated(500, seed=3)
    moved = logits + np.random.default_rng(4).integers(-50, 50, (500, 1)).astype(np.float32)
    assert fit_temperature(moved, target) == pytest.approx(fit_temperature(logits, target), rel=1e-4)


def test_stays_within_its_bounds():
    logits, target = calibrated(200)
    assert fit_temperature(logits / 100, logits.argmax(1)) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(logits, logits.argmin(1)) == pytest.approx(20, rel=1e-3)
    assert 0.05 < fit_temperature(logits, target) < 20


def test_huge_logits_do_not_overflow():
    logits, target = calibrated(500)
    # Beyond the bounds: the largest temperature.
    assert fit_temperature(logits * np.float32(1e30), target) == pytest.approx(20, rel=1e-3)
