"""What thresholds did and will do, against counts of a population that has the new shares."""

import numpy as np
import pytest

from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.threshold_rates import forecast_thresholds
from imbalance_lab.posthoc import MaxF1, fit_postprocessor
from imbalance_lab.shift import PriorEstimate


def population(n: int, share: float, seed: int) -> Predictions:
    """Scores of two overlapping classes."""
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < share).astype(np.int64)
    score = rng.normal(2.0 * target - 1, 1).astype(np.float32)
    return Predictions.of(("no", "yes"), np.arange(n), target, np.stack([-score, score], 1))


def test_the_forecast_is_what_is_counted_where_the_shares_are_others() -> None:
    val, test, new = population(4000, 0.1, 0), population(40_000, 0.1, 1), population(40_000, 0.4, 2)
    postprocessor = fit_postprocessor(val.logits, val.target, val.classes, MaxF1(), train_prior=(0.9, 0.1))
    estimate = PriorEstimate("known", (0.6, 0.4), ((0.59, 0.61), (0.39, 0.41)), (0.9, 0.1))
    forecast = forecast_thresholds(postprocessor, test, new.logits, estimate)[1]
    flags, rates = postprocessor.flags(new.logits)[:, 1], forecast.rates
    assert rates is not None
    is_yes = new.target == 1
    assert rates.recall.value == pytest.approx(flags[is_yes].mean(), abs=0.02)
    assert rates.precision.interval is not None
    low, high = rates.precision.interval
    assert low < is_yes[flags].mean() < high
    assert rates.found_flagged == pytest.approx(1000 * flags.mean())
    assert rates.flagged == pytest.approx(rates.found_flagged, rel=0.05)
    on = postprocessor.evaluate_on(test.logits, test.target)[1]
    assert not isinstance(on, str)
    assert rates.measured_precision.value == on.precision < is_yes[flags].mean() - 0.1
    assert rates.measured_flagged == pytest.approx(1000 * (on.tp + on.fp) / 40_000)
    assert forecast.threshold == on.threshold


def test_a_class_without_a_threshold_has_its_reason() -> None:
    val = population(400, 0.02, 0)
    postprocessor = fit_postprocessor(val.logits, val.target, val.classes, MaxF1(), train_prior=(0.9, 0.1))
    estimate = PriorEstimate("known", (0.9, 0.1), ((0.8, 1.0), (0.0, 0.2)), (0.98, 0.02))
    forecast = forecast_thresholds(postprocessor, val, val.logits, estimate)[1]
    assert (forecast.threshold, forecast.rates) == (None, None)
    assert forecast.reason.startswith("max F1 needs 20 positives")
    assert forecast.as_json()["reason"] == forecast.reason
