"""Threshold rules with a statistical guarantee for new examples: recall, false positive rate, precision.

They use order statistics: the recall at the j-th highest of P positive scores is Beta(j, P − j + 1), whatever the
distribution of scores, so that it is ≥ r with probability P(Bin(P, r) < j) (Wilks 1941; for false positives the
umbrella algorithm of Tong, Feng & Li 2018, arXiv 1608.03109). This is equivalent to the lower bound of Clopper &
Pearson's interval for j of P. With j = P, the lowest positive, that is 1 − r^P: n examples are too few if
r^n > 1 − confidence, and then the rule raises `ThresholdError`.

The guarantee is for new examples from the distribution of the validation split, and slightly optimistic if that split
also selected the checkpoint.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.stats import binom

from imbalance_lab.metrics import rank
from imbalance_lab.posthoc.threshold import (
    Mask,
    Scores,
    Threshold,
    ThresholdError,
    check_scores,
    just_above,
    require_examples,
    threshold_at,
)
from imbalance_lab.validation import check_number


class _GuaranteedRule(ABC):
    """A bound on one rate, which holds for new examples with probability ``confidence``."""

    bound: ClassVar[str]
    """The argument that bounds the rate."""
    relation: ClassVar[str]
    """The rate and the direction of the bound, as text."""
    counted_on_positives: ClassVar[bool] = True
    """Whether positives limit what can be guaranteed, or negatives."""
    confidence: float

    def __post_init__(self) -> None:
        for name in (self.bound, "confidence"):
            check_number(name, getattr(self, name), above=0, below=1)

    @property
    def success_rate(self) -> float:
        """The bound as a minimum rate of successes."""
        return float(getattr(self, self.bound))

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The threshold for log-odds (N,) of examples, of which ``positive`` (N,) have the class."""
        scores, positive = check_scores(scores, positive)
        n, kind = int(positive.sum()), "positives"
        if not self.counted_on_positives:
            n, kind = len(positive) - n, "negatives"
        require_examples(self, n, examples_needed(self.success_rate, self.confidence), kind)
        return threshold_at(self, self._select(scores, positive), scores, positive)

    @abstractmethod
    def _select(self, scores: Scores, positive: Mask) -> float:
        """The log-odds of the threshold, given enough examples."""

    def _successes(self, n: Any) -> Any:
        """The fewest successes among n with a one-sided lower bound ≥ the success rate; n + 1 if there are none."""
        return binom.ppf(self.confidence, n, self.success_rate) + 1

    def __str__(self) -> str:
        return f"{self.relation} {getattr(self, self.bound):g} with {self.confidence:.0%} confidence"


@dataclass(frozen=True)
class MinRecall(_GuaranteedRule):
    """The highest threshold with recall ≥ ``min_recall`` on new positives, at this confidence.

    It needs ln(1 − confidence) / ln(min_recall) positives: 29 for 0.9 at 95 %. (A confidence of 0.5 is about the
    threshold whose recall on validation just reaches ``min_recall``; on new positives it is lower half of the time.)
    """

    min_recall: float
    confidence: float = 0.95

    bound: ClassVar[str] = "min_recall"
    relation: ClassVar[str] = "recall ≥"

    def holds_under_prior_shift(self, num_classes: int) -> bool:
        """Recall depends on the positives alone."""
        return True

    def _select(self, scores: Scores, positive: Mask) -> float:
        ascending = np.sort(scores[positive])
        return float(ascending[-int(self._successes(len(ascending)))])


@dataclass(frozen=True)
class MaxFPR(_GuaranteedRule):
    """The lowest threshold with false positive rate ≤ ``max_fpr`` on new negatives, at this confidence.

    It needs ln(1 − confidence) / ln(1 − max_fpr) negatives: 299 for 0.01 at 95 %. It uses the negatives alone.
    """

    max_fpr: float
    confidence: float = 0.95

    bound: ClassVar[str] = "max_fpr"
    relation: ClassVar[str] = "FPR ≤"
    counted_on_positives: ClassVar[bool] = False

    @property
    def success_rate(self) -> float:
        """The minimum specificity."""
        return 1 - self.max_fpr

    def holds_under_prior_shift(self, num_classes: int) -> bool:
        """With one negative class; otherwise the mixture of the negatives changes with the class priors."""
        return num_classes <= 2

    def _select(self, scores: Scores, positive: Mask) -> float:
        ascending = np.sort(scores[~positive])
        return just_above(ascending[int(self._successes(len(ascending))) - 1])


@dataclass(frozen=True)
class MinPrecision(_GuaranteedRule):
    """The highest recall among thresholds with precision ≥ ``min_precision``, each at this confidence.

    The lower bound of Clopper & Pearson's one-sided interval for TP of the flagged must reach ``min_precision``. The
    threshold is the best of many (multiple comparisons), so that the actual confidence is lower; and precision holds
    for the prevalence of the validation split only.
    """

    min_precision: float
    confidence: float = 0.95

    bound: ClassVar[str] = "min_precision"
    relation: ClassVar[str] = "precision ≥"

    def _select(self, scores: Scores, positive: Mask) -> float:
        ranking = rank(scores[positive], scores[~positive])
        flagged = ranking.tp + ranking.fp
        good = np.flatnonzero(ranking.tp >= self._successes(flagged))
        if not len(good):
            best = int(np.argmax(ranking.tp / flagged))
            raise ThresholdError(
                f"{self}: no threshold reaches it; the best has {ranking.tp[best]} true positives among "
                f"{flagged[best]} flagged"
            )
        return float(ranking.threshold[good[-1]])


def examples_needed(rate: float, confidence: float = 0.95) -> int:
    """The fewest examples that can guarantee a rate: the smallest n with rate^n ≤ 1 − confidence.

    >>> examples_needed(0.9), examples_needed(0.99)
    (29, 299)
    """
    check_number("rate", rate, above=0, below=1)
    check_number("confidence", confidence, above=0, below=1)
    return math.ceil(math.log1p(-confidence) / math.log(rate))
