"""A decision threshold on the log-odds of one class, with its confusion counts."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from imbalance_lab.metrics.array_inputs import as_mask, as_scores

Scores = NDArray[np.float32]
"""Log-odds of one class, (N,), see `imbalance_lab.posthoc.activation.log_odds`."""
Mask = NDArray[np.bool_]


class ThresholdError(ValueError):
    """No threshold can be chosen; the message says why, and how many examples are needed."""


@dataclass(frozen=True)
class Threshold:
    """Flags an example as the class if its log-odds are at least ``log_odds``; +inf flags none.

    Args:
        rule: the rule that chose it, as text.
        log_odds: compared in float32.
        tp, fp: flagged positives and negatives, among ``n_positive`` and ``n_negative``.
    """

    rule: str
    log_odds: float
    tp: int
    fp: int
    n_positive: int
    n_negative: int

    @property
    def threshold(self) -> float:
        """The threshold as a probability."""
        return float(expit(self.log_odds))

    @property
    def recall(self) -> float:
        """TP / positives; NaN without a positive."""
        return self.tp / self.n_positive if self.n_positive else math.nan

    @property
    def precision(self) -> float:
        """TP / flagged; NaN if nothing is flagged."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else math.nan

    @property
    def fpr(self) -> float:
        """FP / negatives; NaN without a negative."""
        return self.fp / self.n_negative if self.n_negative else math.nan

    @property
    def f1(self) -> float:
        """2·TP / (positives + flagged); NaN without a positive."""
        return 2 * self.tp / (self.tp + self.fp + self.n_positive) if self.n_positive else math.nan

    def flags(self, scores: Scores) -> Mask:
        """Whether each example is flagged, (N,)."""
        return np.asarray(is_flagged(as_scores(scores, ndim=1, empty=True), np.float32(self.log_odds)))

    def on(self, scores: Scores, positive: Mask) -> "Threshold":
        """The same threshold with its counts on other examples, for instance a test set."""
        scores, positive = check_scores(scores, positive)
        flagged, n_positive = self.flags(scores), int(positive.sum())
        tp = int((flagged & positive).sum())
        return replace(
            self, tp=tp, fp=int(flagged.sum()) - tp, n_positive=n_positive, n_negative=len(positive) - n_positive
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined is null."""
        derived = {name: getattr(self, name) for name in ("threshold", "recall", "precision", "fpr", "f1")}
        return {**asdict(self), **{name: None if math.isnan(value) else value for name, value in derived.items()}}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Threshold":
        """Read what `as_json` returned."""
        return cls(**{name: content[name] for name in cls.__dataclass_fields__})


def check_scores(scores: Scores, positive: Mask) -> tuple[Scores, Mask]:
    """Log-odds (N,) and, as bool, which examples have the class (N,); lists, tensors and 0/1 integers are converted.

    Raises:
        TypeError, ValueError: for a mask with other values than 0 and 1, or shapes that do not match.
    """
    scores, positive = as_scores(scores), as_mask(positive)
    if scores.ndim != 1 or scores.shape != positive.shape:
        raise ValueError(f"scores and positive must both have shape (N,), got {scores.shape} and {positive.shape}")
    return scores, positive


def is_flagged(scores: Any, threshold: Any) -> Any:
    """Whether float32 log-odds reach a float32 threshold, for arrays and tensors alike; +inf is never reached."""
    return (scores >= threshold) & (threshold < math.inf)


def threshold_at(rule: object, log_odds: float, scores: Scores, positive: Mask) -> Threshold:
    """The threshold ``log_odds`` with its counts on these examples."""
    return Threshold(str(rule), float(log_odds), 0, 0, 0, 0).on(scores, positive)


class ThresholdRule(Protocol):
    """Chooses a threshold; ``operating_point=`` in the config selects a rule by ``_target_``.

    Its ``str`` states the property that it aims at. Two methods are optional:

    - ``holds_under_prior_shift(num_classes) -> bool``: whether that property is independent of the class priors, so
      that the rule can be combined with `DeployPrior`; absent means no.
    - ``needs_probabilities() -> bool``: whether scores must be calibrated probabilities, so that it cannot be combined
      with `PostHocLogitAdjustment`; absent means no.
    """

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The threshold for log-odds (N,) of examples, of which ``positive`` (N,) have the class.

        Raises:
            ThresholdError: if no threshold can be chosen.
        """
        ...


class NoThresholds:
    """Chooses no threshold: the most probable class decides, or for labels probability ½.

    Args:
        reason: why a class has none.
    """

    def __init__(self, reason: str = "none was asked for (operating_point=none)") -> None:
        self.reason = reason

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """No threshold, whatever the log-odds (N,)."""
        raise ThresholdError(self.reason)

    def holds_under_prior_shift(self, num_classes: int) -> bool:
        """Whatever the class priors, there is nothing to hold."""
        return True

    def __str__(self) -> str:
        return "no thresholds"


def require_examples(rule: object, n: int, needed: int, kind: str) -> None:
    """Raise ThresholdError if there are fewer than ``needed`` examples of this kind."""
    if n < needed:
        raise ThresholdError(f"{rule} needs {needed} {kind} on validation, the class has {n}")


def just_above(score: float) -> float:
    """The next larger float32: the lowest threshold that does not flag ``score``."""
    return float(np.nextafter(np.float32(score), np.float32(np.inf)))
