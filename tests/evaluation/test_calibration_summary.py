"""Slope, intercept and scores of probabilities, against scikit-learn and a known truth."""

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from imbalance_lab.evaluation.calibration_summary import calibration_summary, probability_scores
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions


def drawn(slope: float, intercept: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities p, and outcomes whose log-odds are slope · logit(p) + intercept."""
    rng = np.random.default_rng(0)
    z = rng.normal(-3, 1.5, n)
    return expit(z), rng.random(n) < expit(slope * z + intercept)


def test_the_slope_is_that_of_a_logistic_regression() -> None:
    p, positive = drawn(0.6, 0.5)
    found = calibration_summary(p, positive)
    oracle = LogisticRegression(C=1e9, tol=1e-10).fit(logit(p)[:, None], positive)
    assert found.slope.value == pytest.approx(oracle.coef_[0, 0], abs=1e-4)
    assert found.slope.interval is not None
    assert found.slope.interval[0] < 0.6 < found.slope.interval[1] < 1


def test_the_intercept_is_what_makes_the_mean_right() -> None:
    p, positive = drawn(1, 0.7)
    found = calibration_summary(p, positive)
    assert expit(logit(p) + found.intercept.value).mean() == pytest.approx(positive.mean())
    assert found.intercept.interval is not None
    assert 0 < found.intercept.interval[0] < 0.7 < found.intercept.interval[1]
    assert found.expected == pytest.approx(p.mean())


@pytest.mark.parametrize("repeat", range(3))
def test_calibrated_probabilities_are_not_called_wrong(repeat: int) -> None:
    rng = np.random.default_rng(repeat)
    p = expit(rng.normal(-3, 1.5, 5000))
    found = calibration_summary(p, rng.random(5000) < p)
    for score, perfect in ((found.slope, 1), (found.intercept, 0)):
        assert score.interval is not None
        assert score.interval[0] < perfect < score.interval[1]


@pytest.mark.parametrize(
    ("p", "positive"),
    [([0.2, 0.3, 0.4], [0, 0, 0]), ([0.2, 0.3, 0.4], [1, 1, 1]), ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])],
    ids=["no positive", "no negative", "separated"],
)
def test_what_cannot_be_estimated_is_undefined(p: list[float], positive: list[int]) -> None:
    slope = calibration_summary(np.array(p), np.array(positive, bool)).slope
    assert math.isnan(slope.value)
    assert slope.interval is None


def test_equal_probabilities_have_no_slope_and_certain_ones_are_finite() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.2
    assert math.isnan(calibration_summary(np.full(200, 0.2), positive).slope.value)
    assert math.isfinite(calibration_summary(np.where(rng.random(200) < 0.1, 1.0, 0.0), positive).intercept.value)


def test_the_change_of_the_brier_score_is_paired() -> None:
    rng = np.random.default_rng(0)
    target = (rng.random(3000) < 0.1).astype(np.int64)
    z = 3 * (rng.normal(size=3000) + target - 0.5 + logit(0.1))  # three times too extreme
    logits = np.stack([np.zeros(3000), z], 1).astype(np.float32)
    raw, processed = (
        Evaluation(Predictions.of(("a", "b"), np.arange(3000), target, logits / by), [900, 100]) for by in (1, 3)
    )
    found = probability_scores(raw, processed)
    assert found.brier_change.value == pytest.approx(found.processed["brier_score"] - found.raw["brier_score"])
    assert found.brier_change.interval is not None
    assert found.brier_change.interval[1] < 0
    errors = [(each.probability[:, 1] - target) ** 2 for each in (raw, processed)]
    change = errors[1] - errors[0]
    half_width = 1.961 * change.std(ddof=1) / math.sqrt(3000)
    assert found.brier_change.interval == pytest.approx(
        (change.mean() - half_width, change.mean() + half_width), rel=1e-3
    )
    assert found.log_loss_change.value == pytest.approx(found.processed["log_loss"] - found.raw["log_loss"])
    assert found.log_loss_change.interval is not None
    assert found.log_loss_change.interval[1] < 0
