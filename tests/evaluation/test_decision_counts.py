"""Counts of a decision and the rates from them, against other libraries and values worked out by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score

from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.posthoc import Threshold

# 73 frauds among 9,000 rows; 70 are found, and 5,420 others are flagged.
COUNTS = DecisionCounts(tp=70, fp=5420, n_positive=73, n_negative=8927)


def test_rates_are_those_worked_out_by_hand() -> None:
    assert (COUNTS.n, COUNTS.missed, COUNTS.tn, COUNTS.flagged) == (9000, 3, 3507, 5490)
    assert COUNTS.flagged_share == pytest.approx(0.61)
    assert COUNTS.alarms_per_true_positive == pytest.approx(78.428571)
    assert COUNTS.enrichment == pytest.approx((70 / 5490) / (73 / 9000))
    shown = COUNTS.as_json()
    assert shown["flagged_per_1000"] == pytest.approx(610)
    assert shown["recall"]["value"] == pytest.approx(0.9589041)


@pytest.mark.parametrize(("rate", "part", "whole"), [("recall", 70, 73), ("precision", 70, 5490), ("fpr", 5420, 8927)])
def test_intervals_are_wilsons(rate: str, part: int, whole: int) -> None:
    score = getattr(COUNTS, rate)
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    assert score.value == pytest.approx(part / whole)
    assert score.interval == pytest.approx((expected.low, expected.high))


def test_balanced_accuracy_is_scikit_learns() -> None:
    truth = np.repeat([1, 1, 0, 0], [70, 3, 5420, 3507])
    flagged = np.repeat([1, 0, 1, 0], [70, 3, 5420, 3507])
    score = COUNTS.balanced_accuracy
    assert score.value == pytest.approx(balanced_accuracy_score(truth, flagged))
    assert score.interval is not None
    assert score.interval[0] < score.value < score.interval[1]


def test_what_is_undefined_is_not_zero() -> None:
    nothing = DecisionCounts(tp=0, fp=0, n_positive=4, n_negative=10)
    assert math.isnan(nothing.precision.value)
    assert (nothing.alarms_per_true_positive, nothing.precision.interval, nothing.is_above_chance) == (
        None,
        None,
        False,
    )
    assert nothing.as_json()["precision"] == {"value": None, "ci95": None}
    absent = DecisionCounts(tp=0, fp=2, n_positive=0, n_negative=10)
    assert math.isnan(absent.recall.value)
    assert math.isnan(absent.enrichment)
    assert math.isnan(absent.balanced_accuracy.value)
    empty = DecisionCounts(0, 0, 0, 0)
    assert empty.as_json()["flagged_per_1000"] is None


def test_flagging_everything_is_not_above_chance() -> None:
    everything = DecisionCounts(tp=30, fp=970, n_positive=30, n_negative=970)
    assert not everything.is_above_chance
    assert everything.enrichment == pytest.approx(1)
    assert DecisionCounts(tp=20, fp=80, n_positive=30, n_negative=970).is_above_chance


def test_flagging_at_random_is_seldom_called_above_chance() -> None:
    rng, above = np.random.default_rng(0), 0
    for _ in range(400):
        tp, fp = int(rng.binomial(40, 0.3)), int(rng.binomial(1960, 0.3))
        above += DecisionCounts(tp, fp, 40, 1960).is_above_chance
    assert above / 400 <= 0.05  # of 2.5 % that a one-sided bound allows


def test_counts_of_a_threshold_are_taken_over() -> None:
    threshold = Threshold("max F1", 0.0, 5, 7, 9, 30)
    counts = DecisionCounts.at(threshold)
    assert (counts.tp, counts.fp, counts.n_positive, counts.n_negative) == (5, 7, 9, 30)
    assert (counts.recall.value, counts.precision.value) == (threshold.recall, threshold.precision)
