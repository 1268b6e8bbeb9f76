"""Rules without a promise: the best F1, a budget of alerts, the least cost. Those with one are in `promises`."""

import math
from dataclasses import dataclass

import numpy as np

from imbalance_lab.metrics import rank
from imbalance_lab.metrics.entrance import as_scores
from imbalance_lab.posthoc.threshold import Mask, Scores, Threshold, just_above, require_examples, scored, threshold_at


@dataclass(frozen=True)
class MaxF1:
    """The highest F1; of equal ones the highest threshold.

    With fewer than ``min_positives`` it refuses: at 20, recall at any cut is known to ± 0.2 only (Wilson, 95 %).
    """

    min_positives: int = 20

    def __post_init__(self) -> None:
        _whole("min_positives", self.min_positives)

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        require_examples(self, int(positive.sum()), self.min_positives, "positives")
        ranking = rank(scores[positive], scores[~positive])
        f1 = 2 * ranking.tp / (ranking.tp + ranking.fp + ranking.n_positive)
        return threshold_at(self, ranking.threshold[np.argmax(f1)], scores, positive)

    def __str__(self) -> str:
        return "max F1"


@dataclass(frozen=True)
class AlertBudget:
    """The lowest threshold that flags at most ``k`` of every ``per`` examples of the validation's kind."""

    k: int
    per: int = 1000

    def __post_init__(self) -> None:
        _whole("k", self.k)
        _whole("per", self.per)
        if self.k > self.per:
            raise ValueError(f"k must be at most per={self.per}, got {self.k}")

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        require_examples(self, len(scores), math.ceil(self.per / self.k), "examples")
        descending, budget = np.sort(scores)[::-1], self.k * len(scores) // self.per
        if budget == len(scores):
            return threshold_at(self, descending[-1], scores, positive)
        one_too_many = descending[budget]  # and whatever ties with it
        kept = descending[descending > one_too_many]
        return threshold_at(self, kept[-1] if len(kept) else just_above(one_too_many), scores, positive)

    def __str__(self) -> str:
        return f"at most {self.k} of {self.per} flagged"


@dataclass(frozen=True)
class MinCost:
    """Flag where that is cheaper: p ≥ C_FP / (C_FP + C_FN) (Elkan 2001), for costs of a false alarm and of a miss.

    No example decides; the probabilities must be calibrated, for the class shares of the deployment.
    """

    false_positive: float
    false_negative: float

    def __post_init__(self) -> None:
        for name in ("false_positive", "false_negative"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ValueError(f"{name} must be a cost > 0, got {value!r}")

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        return threshold_at(self, math.log(self.false_positive / self.false_negative), scores, positive)

    def __str__(self) -> str:
        return f"least cost at {self.false_positive:g} a false alarm, {self.false_negative:g} a miss"


def flag_highest(scores: Scores, k: int) -> Mask:
    """Flag exactly the ``k`` highest of a finished batch (all, if it has fewer); of ties the first come first. (N,)."""
    scores = as_scores(scores)
    flags = np.zeros(len(scores), bool)
    flags[np.argsort(-scores, kind="stable")[:k]] = True
    return flags


def _whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")
