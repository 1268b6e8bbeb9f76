"""Means of losses and their differences: against SciPy's t-tests and in simulation."""

import numpy as np
import pytest
from scipy import stats

from imbalance_lab.metrics.compare_losses import compare_losses, mean_loss_interval


def losses(n=200, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.gamma(0.5, 1, n)
    return shared * rng.random(n), shared * rng.random(n) * 1.1


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_it_is_the_paired_t_test(level):
    a, b = losses()
    found, oracle = compare_losses(a, b, level), stats.ttest_rel(a, b)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.interval == pytest.approx(tuple(oracle.confidence_interval(level)))
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert found.n_positive == 200


def test_swapping_the_models_changes_the_sign_only():
    a, b = losses()
    there, back = compare_losses(a, b), compare_losses(b, a)
    assert (back.difference, back.interval[0], back.p) == pytest.approx(
        (-there.difference, -there.interval[1], there.p)
    )


def test_equal_losses_are_no_difference_and_one_example_says_nothing():
    a, _ = losses()
    assert compare_losses(a, a) == (0.0, (0.0, 0.0), 1.0, 200)
    assert compare_losses(np.full(5, 2.0), np.full(5, 1.0)) == (1.0, (1.0, 1.0), 0.0, 5)
    assert compare_losses([0.5], [0.2]).interval is None
    assert mean_loss_interval([0.5]) is None


def test_the_interval_of_a_mean_is_not_below_0_and_covers():
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        low, high = mean_loss_interval(rng.exponential(1, 100))
        inside += low < 1 < high
    assert 0.91 < inside / 400 < 0.98
    assert mean_loss_interval([0.0, 0.0, 0.1])[0] == 0
