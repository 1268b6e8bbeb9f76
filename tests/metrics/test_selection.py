import numpy as np
import pytest
from scipy import integrate, stats

from imbalance_lab.metrics.selection import expected_maximum, selection_bias


@pytest.mark.parametrize("k", [1, 2, 7, 50, 1000])
def test_the_expected_maximum_is_that_of_its_density(k):
    density = lambda x: x * k * stats.norm.pdf(x) * stats.norm.cdf(x) ** (k - 1)  # noqa: E731
    assert expected_maximum(k) == pytest.approx(integrate.quad(density, -9, 9)[0], abs=1e-4)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 1.0])
def test_the_bias_of_equal_settings_is_what_a_simulation_shows(correlation):
    rng, k, seeds = np.random.default_rng(0), 10, 4
    biases, errors = [], []
    for _ in range(1000):
        val = rng.normal(size=(k, seeds))
        test = correlation * val + np.sqrt(1 - correlation**2) * rng.normal(size=(k, seeds))
        biases.append(selection_bias(val.tolist(), test.tolist()))
        errors.append(test.mean(1)[val.mean(1).argmax()])
    expected = correlation * expected_maximum(k) / np.sqrt(seeds)
    assert np.mean(errors) == pytest.approx(expected, abs=0.06)
    assert np.mean(biases) >= expected - 0.02


def test_no_selection_no_bias_and_nothing_known_without_replicates():
    assert selection_bias([[0.1, 0.2]], [[0.1, 0.3]]) == 0
    assert np.isnan(selection_bias([[0.1], [0.2]], [[0.1], [0.3]]))
    assert selection_bias([[0.5, 0.5], [0.6, 0.6]], [[0.1, 0.3], [0.2, 0.3]]) == 0
