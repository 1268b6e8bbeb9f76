"""How well probabilities are calibrated: their scores before and after post-processing, slope and intercept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.metrics import compare_losses, wilson_interval
from imbalance_lab.metrics.distributions import normal_quantile

STEPS, FAR = 100, 30.0
"""Newton steps at most; log-odds beyond ± this are cut, so that p = 0 and 1 have some."""

SINGULAR = 1e12
"""Condition number of the information at which there is no finite estimate: all p equal, or complete separation."""


@dataclass(frozen=True)
class ProbabilityScores:
    """Scores of the probabilities of a split, before and after calibration and prior correction.

    Args:
        raw: of the model's own probabilities, by name; NaN where undefined.
        processed: of those after post-processing.
        brier_change, log_loss_change: processed − raw, with the 95 % interval of the mean over the examples; negative
            is better.
    """

    raw: Mapping[str, float]
    processed: Mapping[str, float]
    brier_change: Score
    log_loss_change: Score

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        scores = {"raw": self.raw, "processed": self.processed}
        plain = {name: {score: defined(value) for score, value in each.items()} for name, each in scores.items()}
        changes = {"brier_change": self.brier_change, "log_loss_change": self.log_loss_change}
        return {**plain, **{name: change.as_json() for name, change in changes.items()}}


@dataclass(frozen=True)
class CalibrationSummary:
    """Calibration of the positive class, as recommended by Van Calster et al. 2019 ("Calibration: the Achilles heel").

    Args:
        observed: the share of positives, with Wilson's interval.
        expected: the mean probability.
        intercept: calibration in the large: log-odds to be added to every prediction; 0 is perfect.
        slope: of the log-odds in a logistic regression; 1 is perfect, below 1 the probabilities are too extreme.

    Both have Wald's 95 % interval; they are NaN without an interval where they cannot be estimated (no positive, no
    negative, or positives and negatives that the probabilities separate completely).
    """

    observed: Score
    expected: float
    intercept: Score
    slope: Score

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        scores = {"observed": self.observed, "intercept": self.intercept, "slope": self.slope}
        return {"expected": defined(self.expected), **{name: score.as_json() for name, score in scores.items()}}


def probability_scores(raw: Evaluation, processed: Evaluation) -> ProbabilityScores:
    """Compare the probabilities of the same examples before and after post-processing."""
    changes = {}
    for name, losses in processed.losses.items():
        difference, interval, *_ = compare_losses(losses, raw.losses[name])
        changes[name] = Score(float((losses - raw.losses[name]).mean()) if interval is None else difference, interval)
    return ProbabilityScores(
        raw.probability_scores, processed.probability_scores, changes["brier_score"], changes["log_loss"]
    )


def calibration_summary(probability: NDArray[np.float64], positive: NDArray[np.bool_]) -> CalibrationSummary:
    """Calibration of probabilities (N,) against which examples are positive (N,)."""
    n, n_positive = len(positive), int(positive.sum())
    with np.errstate(divide="ignore"):
        z = np.clip(logit(probability), -FAR, FAR)
    return CalibrationSummary(
        observed=Score(n_positive / n if n else math.nan, wilson_interval(n_positive, n)),
        expected=float(probability.mean()) if n else math.nan,
        intercept=_logistic(np.ones((n, 1)), positive, offset=z),
        slope=_logistic(np.stack([z, np.ones(n)], 1), positive, offset=np.zeros(n)),
    )


def _logistic(design: NDArray[np.float64], positive: NDArray[np.bool_], offset: NDArray[np.float64]) -> Score:
    """The first coefficient of a logistic regression of ``positive`` (N,) on ``design`` (N, K), by Newton's method."""
    weights = np.zeros(design.shape[1])
    if positive.all() or not positive.any():
        return Score(math.nan)
    for _ in range(STEPS):
        p = expit(design @ weights + offset)
        information = (design * (p * (1 - p))[:, None]).T @ design
        if not np.linalg.cond(information) < SINGULAR:
            break
        step = np.linalg.solve(information, design.T @ (positive - p))
        weights = weights + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            half_width = normal_quantile(0.95) * math.sqrt(np.linalg.inv(information)[0, 0])
            return Score(float(weights[0]), (float(weights[0]) - half_width, float(weights[0]) + half_width))
    return Score(math.nan)
