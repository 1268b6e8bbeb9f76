"""A threshold on one class's log-odds, with what it did on the examples that it was chosen on."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from imbalance_lab.metrics.entrance import as_mask, as_scores

Scores = NDArray[np.float32]
"""Log-odds of one class, (N,), see `imbalance_lab.posthoc.activation.log_odds`."""
Mask = NDArray[np.bool_]


class ThresholdError(ValueError):
    """No threshold can be chosen; the message says what is lacking, and how many examples it takes."""


@dataclass(frozen=True)
class Threshold:
    """Flag an example as the class when its log-odds are at least ``log_odds``.

    Args:
        rule: by what it was chosen, in words.
        log_odds: the threshold.
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
        """Of the positives, how many are flagged; NaN without one."""
        return self.tp / self.n_positive if self.n_positive else math.nan

    @property
    def precision(self) -> float:
        """Of the flagged, how many are positive; NaN if nothing is flagged."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else math.nan

    @property
    def fpr(self) -> float:
        """Of the negatives, how many are flagged; NaN without one."""
        return self.fp / self.n_negative if self.n_negative else math.nan

    @property
    def f1(self) -> float:
        """2·TP / (positives + flagged); NaN without a positive."""
        return 2 * self.tp / (self.tp + self.fp + self.n_positive) if self.n_positive else math.nan

    def flags(self, scores: Scores) -> Mask:
        """Which examples are flagged, (N,)."""
        return np.asarray(as_scores(scores) >= np.float32(self.log_odds))

    def on(self, scores: Scores, positive: Mask) -> "Threshold":
        """The same threshold with its counts on other examples, as those of a test set."""
        scores, positive = scored(scores, positive)
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
        """Read what `as_json` gave."""
        return cls(**{name: content[name] for name in cls.__dataclass_fields__})


def scored(scores: Scores, positive: Mask) -> tuple[Scores, Mask]:
    """What a rule is told, as arrays: log-odds (N,), and as bool which of them are of the class, (N,).

    Raises:
        TypeError, ValueError: for a mask of anything but 0 and 1, and for shapes that do not fit each other.
    """
    scores, positive = as_scores(scores), as_mask(positive)
    if scores.ndim != 1 or scores.shape != positive.shape:
        raise ValueError(f"scores and positive must both be (N,), got {scores.shape} and {positive.shape}")
    return scores, positive


def threshold_at(rule: object, log_odds: float, scores: Scores, positive: Mask) -> Threshold:
    """The cut at a threshold, with its counts on these examples."""
    return Threshold(str(rule), float(log_odds), 0, 0, 0, 0).on(scores, positive)


class ThresholdRule(Protocol):
    """Chooses a threshold; in words (``str``) it says what for."""

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class, or `ThresholdError`."""
        ...


def require_examples(rule: ThresholdRule, n: int, needed: int, what: str) -> None:
    """Say how many examples the rule needs, if there are fewer."""
    if n < needed:
        raise ThresholdError(f"{rule} needs {needed} {what} on validation, the class has {n}")


def just_above(score: float) -> float:
    """The next number of float32: the lowest threshold that leaves ``score`` out."""
    return float(np.nextafter(np.float32(score), np.float32(np.inf)))
