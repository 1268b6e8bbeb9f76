"""Pointwise bands: by hand, at the ends, and how often they hold in a simulation."""

import numpy as np
import pytest

from imbalance_lab.evaluation.curve_bands import POINTS, curve_bands
from imbalance_lab.metrics import rank, wilson_interval
from scripts.coverage_bands import coverage


def test_with_endless_negatives_the_band_of_recall_is_wilsons() -> None:
    rng = np.random.default_rng(0)
    positive, negative = rng.normal(3, 1, 10), rng.normal(size=300_000)
    (band,) = curve_bands([rank(positive, negative)], [0])
    at = int(np.argmin(abs(band.fpr - 0.2)))
    threshold = np.quantile(negative, 1 - band.fpr[at])
    expected = wilson_interval(int((positive >= threshold).sum()), 10)
    assert (band.recall_low[at], band.recall_high[at]) == pytest.approx(expected, abs=0.01)


def test_the_ends_have_a_width_with_few_positives() -> None:
    (band,) = curve_bands([rank(np.array([5.0, 6.0, 7.0]), np.arange(-100.0, 0.0))], [0])  # separated
    assert (band.recall_high - band.recall_low).min() > 0.5
    assert band.precision_low[0] < 0.9
    assert band.precision_high.tolist() == [1, 1, 1]
    assert band.precision_low[-1] == pytest.approx(3 / 103)  # where the last positive of all lies, nobody knows


def test_the_band_contains_the_curve_and_is_small() -> None:
    rng = np.random.default_rng(1)
    for n_positive, n_negative in ((1, 50), (2, 1), (40, 4000), (3000, 3000)):
        ranking = rank(rng.normal(1, 1, n_positive).round(1), rng.normal(size=n_negative).round(1))
        (band,) = curve_bands([ranking], [0])
        assert max(len(band.fpr), len(band.recall)) <= POINTS
        curve = ranking.curve()
        recall = np.interp(band.fpr * n_negative + 1e-9, curve.fp, curve.tp) / n_positive
        assert (band.recall_low <= recall).all()
        assert (recall <= band.recall_high).all()
        for at, found in enumerate(np.rint(band.recall * n_positive)):
            place = int(np.searchsorted(ranking.tp, found))
            precision = found / (found + ranking.fp[place])
            assert band.precision_low[at] <= precision <= band.precision_high[at]


def test_a_class_without_a_curve_has_no_band() -> None:
    rankings = [rank(np.array([]), np.array([1.0])), rank(np.array([1.0]), np.array([0.0]))]
    assert [band.class_index for band in curve_bands(rankings, [0, 1])] == [1]


@pytest.mark.parametrize(("n_positive", "shift"), [(10, 1.0), (30, 2.5), (100, 1.0)])
def test_the_bands_hold(n_positive: int, shift: float) -> None:
    roc, _, pr, _ = coverage(n_positive, shift, n_negative=500, repeats=200)
    assert roc.mean() >= 0.94  # Wilson's interval holds 95 % on average over the true proportions, not at each
    assert roc.min() >= 0.88
    assert pr.min() >= 0.93
