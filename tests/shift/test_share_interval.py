import numpy as np
import pytest
from scipy.stats import norm, skew

from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import probabilities
from imbalance_lab.shift.share_interval import _without_skewness, share_intervals, unbiased_votes
from tests.shift.populations import PRIOR, samples


def test_classes_that_are_told_apart_have_wilsons_interval():
    """With a large reference that is always right, a share is the proportion of the new rows."""
    reference = np.repeat(np.eye(2), [200_000, 200_000], axis=0)
    new = np.repeat(np.eye(2), [970, 30], axis=0)
    target = reference[:, 1].astype(int)
    reference_votes, votes = unbiased_votes(reference, target, new)
    low, high = share_intervals(reference_votes, target, votes, np.array([0.97, 0.03]))
    # The correction for skewness moves the ends a little up.
    np.testing.assert_allclose([low[1], high[1]], wilson_interval(30, 1000), rtol=0.12)
    np.testing.assert_allclose([low[0], high[0]], [1 - high[1], 1 - low[1]], atol=1e-6)


def test_few_reference_rows_without_a_mistake_do_not_make_it_sure():
    """20 positives that are all found may be 17 of 20 next time."""
    reference = np.repeat(np.eye(2), [2000, 20], axis=0)
    target, new = reference[:, 1].astype(int), np.repeat(np.eye(2), [50_000, 50_000], axis=0)
    _, high = share_intervals(*_arranged(reference, target, new), np.array([0.5, 0.5]))
    assert high[1] > 0.54


def _arranged(reference, target, new):
    reference_votes, votes = unbiased_votes(reference, target, new)
    return reference_votes, target, votes


def test_halls_correction_makes_a_skewed_mean_symmetric():
    rng, n = np.random.default_rng(0), 20
    x = rng.exponential(size=(20_000, n))
    t = (x.mean(1) - 1) / (x.std(1, ddof=1) / np.sqrt(n))
    skewness = np.full(len(t), 2 / np.sqrt(n))  # of the exponential distribution
    corrected = _without_skewness(t, skewness, skewness)
    limit = norm.ppf(0.975)
    assert abs((t > limit).mean() - (t < -limit).mean()) > 0.07
    assert abs((corrected > limit).mean() - (corrected < -limit).mean()) < 0.03
    assert abs(skew(t)) > 1


@pytest.mark.parametrize("factor", [0.1, 5.0])
def test_intervals_contain_the_populations_share(factor):
    """120 samples with 20 positives, badly separated; scripts/coverage_shift.py is the real study."""
    rng, share = np.random.default_rng(0), factor * PRIOR[2][1]
    covered = []
    for seed in range(120):
        positives = rng.binomial(1000, share)
        z, target, new = samples((180, 20), (1000 - positives, positives), seed, distance=1.2, scale=2.0)
        votes = _arranged(probabilities(z, "softmax"), target, probabilities(new, "softmax"))
        low, high = share_intervals(*votes, np.array([1 - share, share]))
        covered.append(low[1] <= share <= high[1])
    assert np.mean(covered) >= 0.95 - 3.5 * np.sqrt(0.05 * 0.95 / 120)
