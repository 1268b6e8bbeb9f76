"""Decision curves: is acting on the probabilities worth more than flagging everybody, or nobody (Vickers & Elkin 2006).

A threshold probability t says how much a false alarm costs: t / (1 − t) of what a found positive is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from imbalance_lab.metrics.intervals.net_benefit import weighted_difference_interval

POINTS = 81
"""Threshold probabilities, equally far apart in log-odds."""

WIDEST = 0.5, 0.99
"""The curve always reaches ½, where both errors cost the same, and never goes beyond the second."""

Values = tuple[float, ...]


@dataclass(frozen=True)
class DecisionCurve:
    """The net benefit of flagging p ≥ t on N examples, in true positives per example, for M thresholds t.

    Args:
        class_index: the class that is flagged.
        threshold: (M,) probabilities, rising.
        net_benefit: (M,) of the model.
        low, high: (M,) its pointwise 95 % interval.
        flag_all: (M,) of flagging everybody; flagging nobody has 0.
        gain_low, gain_high: (M,) the pointwise 95 % interval of what the model has above flagging everybody.
        flagged: (M,) share of the examples that are flagged.
        prevalence: share of positives.
        n: N.
        chosen: the place of the threshold in use among them; None without one.
    """

    class_index: int
    threshold: Values
    net_benefit: Values
    low: Values
    high: Values
    flag_all: Values
    gain_low: Values
    gain_high: Values
    flagged: Values
    prevalence: float
    n: int
    chosen: int | None = None

    @property
    def useful(self) -> tuple[tuple[float, float], ...]:
        """The ranges of t where the model is better than both, flagging everybody and nobody, with 95 % confidence."""
        better = [low > 0 and gain > 0 for low, gain in zip(self.low, self.gain_low, strict=True)]
        edges = np.flatnonzero(np.diff([0, *better, 0]))
        return tuple((self.threshold[a], self.threshold[b - 1]) for a, b in edges.reshape(-1, 2).tolist())


def decision_curve(
    class_index: int, probability: NDArray[np.float64], positive: NDArray[np.bool_], chosen: float | None = None
) -> DecisionCurve:
    """The decision curve of one class.

    The thresholds run, in equal steps of log-odds, from a tenth of the prevalence (or of the chosen threshold, if that
    is lower) to ½ or beyond: where a class is rare, all that matters lies below a few percent.

    Args:
        class_index: the class.
        probability: (N,), calibrated.
        positive: (N,), which examples have the class.
        chosen: the threshold in use, a probability; it is one of the thresholds of the curve.

    Raises:
        ValueError: without a positive or without a negative.
    """
    n, n_positive = len(positive), int(positive.sum())
    if not 0 < n_positive < n:
        raise ValueError(f"a decision curve needs positives and negatives, got {n_positive} positives of {n} examples")
    prevalence = n_positive / n
    inside = [] if chosen is None or not 0 < chosen < 1 else [chosen]
    ends = min([prevalence, *inside]) / 10, min(WIDEST[1], max([WIDEST[0], 2 * prevalence, *(1.2 * t for t in inside)]))
    grid = expit(np.linspace(logit(ends[0]), logit(ends[1]), POINTS))
    t = np.unique([*grid, *inside])
    sides = probability[positive], probability[~positive]
    tp, fp = (len(own) - np.searchsorted(np.sort(own), t, "left") for own in sides)
    weight = t / (1 - t)
    low, high = weighted_difference_interval(tp, fp, n, weight)
    # Above flagging everybody: weight · TN / n − FN / n, the mirrored difference scaled by the weight.
    loss_low, loss_high = weighted_difference_interval(n_positive - tp, n - n_positive - fp, n, weight)
    columns = {
        "threshold": t,
        "net_benefit": (tp - fp * weight) / n,
        "low": low,
        "high": high,
        "flag_all": prevalence - (1 - prevalence) * weight,
        "gain_low": -loss_high,
        "gain_high": -loss_low,
        "flagged": (tp + fp) / n,
    }
    values: dict[str, Values] = {name: tuple(column.tolist()) for name, column in columns.items()}
    place = int(np.searchsorted(t, inside[0])) if inside else None
    return DecisionCurve(class_index=class_index, prevalence=prevalence, n=n, chosen=place, **values)
