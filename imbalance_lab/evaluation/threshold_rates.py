"""What thresholds did on labelled examples, will do where the class shares are others, and really flag there."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import PostProcessor, Threshold
from imbalance_lab.shift import PriorEstimate, expected_rates


@dataclass(frozen=True)
class ThresholdRates:
    """What one threshold does.

    Args:
        measured_recall, measured_precision: on labelled examples, with Wilson's intervals.
        measured_flagged: flagged examples for each 1,000 labelled ones.
        recall, precision: expected for the new examples, if only the class shares have changed.
        flagged: for each 1,000 new examples, likewise expected.
        found_flagged: what the threshold really flags of 1,000 new ones; far from ``flagged``, more has changed.
    """

    measured_recall: Score
    measured_precision: Score
    measured_flagged: float
    recall: Score
    precision: Score
    flagged: float
    found_flagged: float

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        return {
            "measured_recall": self.measured_recall.as_json(),
            "measured_precision": self.measured_precision.as_json(),
            "measured_flagged_per_1000": defined(self.measured_flagged),
            "recall": self.recall.as_json(),
            "precision": self.precision.as_json(),
            "flagged_per_1000": defined(self.flagged),
            "found_flagged_per_1000": defined(self.found_flagged),
        }


@dataclass(frozen=True)
class ThresholdForecast:
    """The threshold of one class and what to expect of it; without one, the reason.

    Args:
        threshold: a probability, for the class priors that the probabilities are adjusted to.
        rates: what it did and will do; None without a threshold.
        reason: why there is none; empty with one.
    """

    threshold: float | None
    rates: ThresholdRates | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        rates = None if self.rates is None else self.rates.as_json()
        return {"threshold": self.threshold, "reason": self.reason or None, "rates": rates}


def forecast_thresholds(
    postprocessor: PostProcessor, labelled: Predictions, new_logits: NDArray[np.float32], estimate: PriorEstimate
) -> tuple[ThresholdForecast, ...]:
    """The threshold of each class, (C,).

    Args:
        postprocessor: with the thresholds.
        labelled: examples of every class, which have not chosen the thresholds.
        new_logits: (M, C) of the new examples, or of a random sample of them.
        estimate: the class shares of the new examples.
    """
    measured = postprocessor.evaluate_on(labelled.logits, labelled.target)
    log_odds = postprocessor.log_odds(labelled.logits)
    expected = expected_rates(log_odds, labelled.target, postprocessor.thresholds, estimate)
    found = 1000 * postprocessor.flags(new_logits).mean(0)
    forecasts = []
    for c, (on, rates) in enumerate(zip(measured, expected, strict=True)):
        if rates is None or not isinstance(on, Threshold):
            forecasts.append(ThresholdForecast(None, None, str(on)))
            continue
        precision = None if math.isnan(rates.precision) else rates.precision_interval
        forecast = ThresholdRates(
            Score(on.recall, wilson_interval(on.tp, on.n_positive)),
            Score(on.precision, wilson_interval(on.tp, on.tp + on.fp)),
            1000 * (on.tp + on.fp) / (on.n_positive + on.n_negative),
            Score(rates.recall, rates.recall_interval),
            Score(rates.precision, precision),
            1000 * rates.flagged,
            float(found[c]),
        )
        forecasts.append(ThresholdForecast(on.threshold, forecast))
    return tuple(forecasts)
