import numpy as np
import pytest
from scipy import stats

from imbalance_lab.metrics.replicates import replicate_mean


def crossed(seeds, subsets):
    return [(s, u) for s in range(seeds) for u in range(subsets)]


def test_seeds_alone_are_the_paired_t_test_of_scipy():
    a, b = np.random.default_rng(0).normal(size=(2, 5))
    found, expected = replicate_mean((a - b).tolist(), [[s] for s in range(5)]), stats.ttest_rel(a, b)
    assert replicate_mean((a - b).tolist()) == found
    assert found.p == pytest.approx(expected.pvalue)
    for level in (0.95, 0.99):
        assert found.interval(level) == pytest.approx(tuple(expected.confidence_interval(level)))


@pytest.mark.parametrize("second", ["the same", "one for each"])
def test_a_factor_that_adds_nothing_changes_nothing(second):
    values = [0.3, 0.5, 0.1, 0.2]
    levels = [(s, 0 if second == "the same" else s + 7) for s in range(4)]
    assert replicate_mean(values, levels) == replicate_mean(values, [[s] for s in range(4)])


def test_crossed_seeds_and_subsets_have_the_mean_squares_of_both():
    values = np.random.default_rng(1).normal(size=(4, 3))
    found = replicate_mean(values.ravel().tolist(), crossed(4, 3))
    of_seeds, of_subsets = (stats.sem(values.mean(axis)) ** 2 for axis in (1, 0))
    assert found.error**2 == pytest.approx(of_seeds + of_subsets)
    assert found.df == pytest.approx((of_seeds + of_subsets) ** 2 / (of_seeds**2 / 3 + of_subsets**2 / 2))


def test_seeds_within_subsets_count_as_often_as_there_are_subsets():
    values = [0.1, 0.1, 0.5, 0.5, 0.9, 0.9]
    found = replicate_mean(values, [(seed, seed // 2) for seed in range(6)])
    expected = replicate_mean([0.1, 0.5, 0.9], [[0], [1], [2]])
    assert (found.error, found.df) == pytest.approx((expected.error, expected.df))


def test_replicates_without_spread_are_no_certainty():
    for values in ([0.5], [0.5, 0.5], [0.1 + 0.2, 0.3]):
        found = replicate_mean(values, [[s] for s in range(len(values))])
        assert found.interval() is None
        assert np.isnan(found.p)


def test_p_and_interval_agree_at_every_level():
    found = replicate_mean([0.01, 0.03, 0.02, -0.01], crossed(2, 2))
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        low, high = found.interval(level)
        assert (found.p < 1 - level) == (low > 0 or high < 0)


@pytest.mark.parametrize(("seeds", "subsets", "parts"), [(3, 2, (1, 1, 0.3)), (3, 3, (0, 0, 1)), (5, 2, (1, 0, 1))])
def test_crossed_intervals_cover(seeds, subsets, parts):
    rng, covered, repeats = np.random.default_rng(0), 0, 1000
    for _ in range(repeats):
        of_seed, of_subset, of_run = (rng.normal(size=s) for s in ((seeds, 1), (1, subsets), (seeds, subsets)))
        values = parts[0] * of_seed + parts[1] * of_subset + parts[2] * of_run
        low, high = replicate_mean(values.ravel().tolist(), crossed(seeds, subsets)).interval()
        covered += low <= 0 <= high
    assert covered / repeats > 0.93


def test_a_replicate_counts_once():
    with pytest.raises(ValueError, match="a different one for each of 2 values"):
        replicate_mean([0.1, 0.2], [[0], [0]])
    with pytest.raises(ValueError, match="one finite value for each"):
        replicate_mean([0.1, float("nan")], [[0], [1]])
