"""The interval of net benefit: its coverage where positives are few, and what it is at the ends."""

import numpy as np
import pytest
from scipy.stats import norm

from imbalance_lab.metrics import wilson_interval
from imbalance_lab.metrics.intervals.net_benefit import weighted_difference_interval


@pytest.mark.parametrize(("n", "prevalence"), [(300, 0.05), (1000, 0.02), (3000, 0.005)])
@pytest.mark.parametrize("times", [0.2, 1, 3, 10])
def test_covers_the_truth_with_few_positives(n: int, prevalence: float, times: float) -> None:
    """Scores N(0, 1) and N(2, 1); p is the true probability, so that the threshold t is a place on the scores."""
    t, shift = prevalence * times, 2.0
    at = (np.log(t / (1 - t)) - np.log(prevalence / (1 - prevalence))) / shift + shift / 2
    recall, fpr, weight = norm.sf(at - shift), norm.sf(at), t / (1 - t)
    truth = prevalence * recall - (1 - prevalence) * fpr * weight
    cells = [prevalence * recall, prevalence * (1 - recall), (1 - prevalence) * fpr, (1 - prevalence) * (1 - fpr)]
    counts = np.random.default_rng(0).multinomial(n, cells, size=4000)
    low, high = weighted_difference_interval(counts[:, 0], counts[:, 2], n, weight)
    assert ((low <= truth) & (truth <= high)).mean() > 0.93
    above_all = truth - (prevalence - (1 - prevalence) * weight)
    low, high = weighted_difference_interval(counts[:, 1], counts[:, 3], n, weight)
    assert ((-high <= above_all) & (above_all <= -low)).mean() > 0.92


def test_without_a_cost_it_is_wilsons() -> None:
    low, high = weighted_difference_interval(7, 30, 200, 0.0)
    assert (low, high) == pytest.approx(wilson_interval(7, 200))


def test_an_empty_cell_is_still_uncertain() -> None:
    """The usual errors are 0 there."""
    low, high = weighted_difference_interval([0, 0, 5], [0, 40, 0], 400, 0.5)
    assert (high - low > 0.005).all()
    assert low[0] < 0 < high[0]


def test_everything_flagged_does_not_divide_by_zero() -> None:
    low, high = weighted_difference_interval([10, 100], [90, 0], 100, 1.0)
    assert np.isfinite([*low, *high]).all()
    assert (low <= high).all()
