"""The corrected resampled t test, against its formula and against a simulation in which the usual test errs."""

import numpy as np
import pytest
from scipy import stats

from imbalance_lab.metrics import resampled_mean

VALUES = [0.80, 0.84, 0.82, 0.86, 0.83]


def test_it_is_students_t_with_the_variance_of_nadeau_and_bengio():
    found = resampled_mean(VALUES, 1 / 4)
    error = np.sqrt((1 / 5 + 1 / 4) * np.var(VALUES, ddof=1))
    assert (found.mean, found.error, found.df, found.n) == pytest.approx((0.83, error, 4, 5))
    assert found.interval(0.9) == pytest.approx(stats.t(4, 0.83, error).interval(0.9))
    assert resampled_mean(np.subtract(VALUES, 0.83).tolist(), 1 / 4).p == pytest.approx(1)
    assert found.p == pytest.approx(2 * stats.t(4).sf(0.83 / error))


def test_without_overlap_it_is_the_usual_t_test():
    # as n_test / n_train goes to 0, the correction does
    expected = stats.ttest_1samp(VALUES, 0.8)
    found = resampled_mean(np.subtract(VALUES, 0.8).tolist(), 1e-12)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval() == pytest.approx(tuple(np.subtract(expected.confidence_interval(), 0.8)))


def test_the_interval_excludes_zero_exactly_if_p_is_small():
    for shift in np.linspace(0.6, 1.0, 60):
        found = resampled_mean(np.subtract(VALUES, shift).tolist(), 1 / 4)
        low, high = found.interval()
        assert (low > 0 or high < 0) == (found.p < 0.05)


@pytest.mark.parametrize("values", [[0.7], [0.7, 0.7, 0.7]])
def test_without_spread_the_error_is_unknown(values):
    found = resampled_mean(values, 0.25)
    assert found.mean == pytest.approx(0.7)
    assert np.isnan(found.error)
    assert found.interval() is None


def test_what_is_no_score_and_no_ratio_is_refused():
    with pytest.raises(ValueError, match="one finite value for each"):
        resampled_mean([0.5, float("nan")], 0.25)
    with pytest.raises(ValueError, match="test_per_train"):
        resampled_mean(VALUES, 0)


def test_it_errs_as_often_as_it_says_where_folds_share_what_the_usual_test_takes_for_independent():
    """Fold scores with the correlation ρ = n_test / (n_test + n_train) that the correction assumes."""
    rng, folds, repeats = np.random.default_rng(0), 5, 4
    rho, n = 1 / folds, folds * repeats
    common, own = rng.normal(size=(4000, 1)) * np.sqrt(rho), rng.normal(size=(4000, n)) * np.sqrt(1 - rho)
    alarms = np.mean([resampled_mean(row.tolist(), 1 / (folds - 1)).p < 0.05 for row in common + own])
    usual = np.mean(stats.ttest_1samp(common + own, 0, axis=1).pvalue < 0.05)
    assert alarms == pytest.approx(0.05, abs=0.01)
    assert usual > 0.3
