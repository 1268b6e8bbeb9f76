import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from imbalance_lab.posthoc import fit_temperature


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

    def log_likelihood(temperature):
        return log_softmax(logits.astype(np.float64) / temperature, 1)[np.arange(300), target].mean()

    grid = np.geomspace(0.05, 20, 2000)
    assert log_likelihood(found) >= max(log_likelihood(temperature) for temperature in grid) - 1e-9
    assert found == pytest.approx(grid[np.argmax([log_likelihood(t) for t in grid])], rel=0.004)


def test_likelihood_gradient_is_zero():
    # The likelihood's derivative is zero: Σ z_y = Σ E_p[z] at the fitted temperature.
    logits, target = calibrated(2000, seed=2)
    probability = softmax(logits.astype(np.float64) / fit_temperature(logits, target), 1)
    observed = logits[np.arange(2000), target].mean()
    assert observed == pytest.approx((probability * logits).sum(1).mean(), abs=1e-4)


def test_invariant_to_a_constant_per_example():
    logits, target = calibrated(500, seed=3)
    moved = logits + np.random.default_rng(4).integers(-50, 50, (500, 1)).astype(np.float32)
    assert fit_temperature(moved, target) == pytest.approx(fit_temperature(logits, target), rel=1e-4)


def test_stays_within_its_bounds():
    logits, target = calibrated(200)
    assert fit_temperature(logits, logits.argmax(1)) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(logits, logits.argmin(1)) == pytest.approx(20, rel=1e-3)
    assert 0.05 < fit_temperature(logits, target) < 20


def test_huge_logits_do_not_overflow():
    logits, target = calibrated(500)
    # Beyond the bounds: the largest temperature.
    assert fit_temperature(logits * np.float32(1e30), target) == pytest.approx(20, rel=1e-3)
