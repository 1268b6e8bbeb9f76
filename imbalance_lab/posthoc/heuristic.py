"""Threshold rules without a guarantee: maximum F1, an alert budget, minimum cost. See `guaranteed` for the others."""

import math
from dataclasses import dataclass

import numpy as np

from imbalance_lab.metrics import rank
from imbalance_lab.metrics.array_inputs import as_scores
from imbalance_lab.posthoc.threshold import (
    Mask,
    Scores,
    Threshold,
    check_scores,
    just_above,
    require_examples,
    threshold_at,
)
from imbalance_lab.validation import check_integer, check_number


@dataclass(frozen=True)
class MaxF1:
    """The highest F1; among ties the highest threshold.

    It needs ``min_positives``: with 20, recall at any threshold is known to ± 0.2 (Wilson, 95 %).
    """

    min_positives: int = 20

    def __post_init__(self) -> None:
        check_integer("min_positives", self.min_positives, minimum=1)

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The threshold for log-odds (N,) of examples, of which ``positive`` (N,) have the class."""
        scores, positive = check_scores(scores, positive)
        require_examples(self, int(positive.sum()), self.min_positives, "positives")
        ranking = rank(scores[positive], scores[~positive])
        f1 = 2 * ranking.tp / (ranking.tp + ranking.fp + ranking.n_positive)
        return threshold_at(self, ranking.threshold[np.argmax(f1)], scores, positive)

    def __str__(self) -> str:
        return "max F1"


@dataclass(frozen=True)
class AlertBudget:
    """The lowest threshold that flags at most ``k`` of every ``per`` examples like those of the validation split."""

    k: int
    per: int = 1000

    def __post_init__(self) -> None:
        check_integer("k", self.k, minimum=1)
        check_integer("per", self.per, minimum=1)
        if self.k > self.per:
            raise ValueError(f"k must be at most per={self.per}, got {self.k}")

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The threshold for log-odds (N,) of examples, of which ``positive`` (N,) have the class."""
        scores, positive = check_scores(scores, positive)
        require_examples(self, len(scores), math.ceil(self.per / self.k), "examples")
        descending, budget = np.sort(scores)[::-1], self.k * len(scores) // self.per
        if budget == len(scores):
            return threshold_at(self, descending[-1], scores, positive)
        first_excluded = descending[budget]  # and all ties with it
        kept = descending[descending > first_excluded]
        return threshold_at(self, kept[-1] if len(kept) else just_above(first_excluded), scores, positive)

    def __str__(self) -> str:
        return f"at most {self.k} of {self.per} flagged"


@dataclass(frozen=True)
class MinCost:
    """Minimum expected cost: flag if p ≥ C_FP / (C_FP + C_FN) (Elkan 2001).

    The threshold does not depend on the examples; the probabilities must be calibrated for the class priors of the
    deployment.
    """

    false_positive: float
    false_negative: float

    def __post_init__(self) -> None:
        for name in ("false_positive", "false_negative"):
            check_number(name, getattr(self, name), above=0)

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The threshold for log-odds (N,) of examples, of which ``positive`` (N,) have the class."""
        scores, positive = check_scores(scores, positive)
        return threshold_at(self, math.log(self.false_positive / self.false_negative), scores, positive)

    def holds_under_prior_shift(self, num_classes: int) -> bool:
        """The corrected probabilities already account for the class priors."""
        return True

    def needs_probabilities(self) -> bool:
        """The cost is an expectation."""
        return True

    def __str__(self) -> str:
        return f"minimum cost at {self.false_positive:g} per false positive, {self.false_negative:g} per false negative"


def flag_highest(scores: Scores, k: int) -> Mask:
    """Flag exactly the ``k`` highest scores of a complete batch (all if it has fewer); ties in their order. (N,)."""
    scores = as_scores(scores, ndim=1, empty=True)
    check_integer("k", k, minimum=0)
    flags = np.zeros(len(scores), bool)
    flags[np.argsort(-scores, kind="stable")[:k]] = True
    return flags
