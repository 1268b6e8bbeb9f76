"""Decision curves by hand, and against the metric they are made of."""

import numpy as np
import pytest

from imbalance_lab.evaluation.decision_curve import decision_curve
from imbalance_lab.metrics import net_benefit


def scored(n: int = 2000, prevalence: float = 0.03, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < prevalence
    z = 2 * (rng.normal(size=n) + 2 * positive) - 2 + np.log(prevalence / (1 - prevalence))  # the true log-odds
    return 1 / (1 + np.exp(-z)), positive


def test_net_benefit_by_hand() -> None:
    p, positive = np.array([0.9, 0.3, 0.6, 0.1]), np.array([True, True, False, False])
    curve = decision_curve(1, p, positive, chosen=0.5)
    assert curve.chosen is not None
    assert curve.threshold[curve.chosen] == 0.5
    assert curve.net_benefit[curve.chosen] == pytest.approx(0)  # 1/4 − 1/4 · 1
    assert curve.flag_all[curve.chosen] == pytest.approx(0)
    assert curve.flagged[curve.chosen] == 0.5


def test_is_the_metric_at_every_threshold() -> None:
    p, positive = scored()
    curve = decision_curve(0, p, positive, chosen=0.017)
    np.testing.assert_allclose(curve.net_benefit, net_benefit(p, positive, curve.threshold))
    np.testing.assert_allclose(curve.flag_all, net_benefit(np.ones(len(p)), positive, curve.threshold))
    assert all(low < value < high for low, value, high in zip(curve.low, curve.net_benefit, curve.high, strict=True))


def test_reaches_below_the_prevalence_and_to_a_half() -> None:
    p, positive = scored()
    curve = decision_curve(0, p, positive)
    assert curve.threshold[0] == pytest.approx(positive.mean() / 10)
    assert curve.threshold[-1] == pytest.approx(0.5)
    common = decision_curve(0, p, ~positive, chosen=0.999999)
    assert common.threshold[-1] >= 0.99


def test_useful_is_where_both_intervals_exclude_zero() -> None:
    p, positive = scored(n=20_000)
    curve = decision_curve(0, p, positive)
    ((low, high),) = curve.useful
    assert low < positive.mean() < high
    inside = [low <= t <= high for t in curve.threshold]
    both = zip(curve.low, curve.gain_low, strict=True)
    assert inside == [a > 0 and b > 0 for a, b in both]


def test_a_model_that_knows_nothing_is_useful_nowhere() -> None:
    rng = np.random.default_rng(1)
    positive = rng.random(3000) < 0.05
    assert decision_curve(0, np.full(3000, 0.05), positive).useful == ()
    assert decision_curve(0, rng.random(3000), positive).useful == ()


def test_one_class_alone_has_none() -> None:
    with pytest.raises(ValueError, match="0 positives of 3 examples"):
        decision_curve(0, np.full(3, 0.5), np.zeros(3, bool))
