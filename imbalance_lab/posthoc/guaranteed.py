"""Rules that promise something of new examples, at a confidence: recall, false positive rate, precision.

They choose by order statistics: the share of all positives that score at least as high as the j-th highest of P is
Beta(j, P − j + 1), whatever the distribution of scores, so that it is ≥ r with probability P(Bin(P, r) < j) (Wilks
1941; for false positives the umbrella algorithm of Tong, Feng & Li 2018, arXiv 1608.03109). The lower end of Clopper &
Pearson's interval of j of P says the same. With j = P, the lowest positive of all, that is 1 − r^P: n examples are too
few when r^n > 1 − confidence, and then the rule refuses.

The promise is for examples like the validation's, and a little optimistic where these also chose the checkpoint.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from imbalance_lab.metrics import rank
from imbalance_lab.posthoc.threshold import (
    Mask,
    Scores,
    Threshold,
    ThresholdError,
    just_above,
    require_examples,
    scored,
    threshold_at,
)


@dataclass(frozen=True)
class MinRecall:
    """The highest threshold whose recall of new positives is ≥ ``min_recall``, with this confidence.

    It needs ln(1 − confidence) / ln(min_recall) positives: 29 for 0.9 at 95 %. (A confidence of 0.5 is about the
    threshold whose recall on validation just reaches ``min_recall``; new positives then fall short as often as not.)
    """

    min_recall: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _share("min_recall", self.min_recall)
        _share("confidence", self.confidence)

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        ascending = np.sort(scores[positive])
        require_examples(self, len(ascending), examples_needed(self.min_recall, self.confidence), "positives")
        j = int(_successes(len(ascending), self.min_recall, self.confidence))
        return threshold_at(self, ascending[-j], scores, positive)

    def __str__(self) -> str:
        return f"recall ≥ {self.min_recall:g} with {self.confidence:.0%} confidence"


@dataclass(frozen=True)
class MaxFPR:
    """The lowest threshold whose false positive rate on new negatives is ≤ ``max_fpr``, with this confidence.

    It needs ln(1 − confidence) / ln(1 − max_fpr) negatives: 299 for 0.01 at 95 %. Negatives alone decide.
    """

    max_fpr: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _share("max_fpr", self.max_fpr)
        _share("confidence", self.confidence)

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        ascending = np.sort(scores[~positive])
        require_examples(self, len(ascending), examples_needed(1 - self.max_fpr, self.confidence), "negatives")
        j = int(_successes(len(ascending), 1 - self.max_fpr, self.confidence))
        return threshold_at(self, just_above(ascending[j - 1]), scores, positive)

    def __str__(self) -> str:
        return f"FPR ≤ {self.max_fpr:g} with {self.confidence:.0%} confidence"


@dataclass(frozen=True)
class MinPrecision:
    """The highest recall among cuts whose precision is ≥ ``min_precision``, with this confidence for each cut by itself.

    The lower end of Clopper & Pearson's one-sided interval of TP of the flagged must reach ``min_precision``. The cut is the
    luckiest of many, so that the confidence is lower than it says; and precision holds for the prevalence of the
    validation examples only.
    """

    min_precision: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _share("min_precision", self.min_precision)
        _share("confidence", self.confidence)

    def __call__(self, scores: Scores, positive: Mask) -> Threshold:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        require_examples(self, int(positive.sum()), examples_needed(self.min_precision, self.confidence), "positives")
        ranking = rank(scores[positive], scores[~positive])
        flagged = ranking.tp + ranking.fp
        good = np.flatnonzero(ranking.tp >= _successes(flagged, self.min_precision, self.confidence))
        if not len(good):
            best = int(np.argmax(ranking.tp / flagged))
            raise ThresholdError(
                f"{self}: no cut is known to be so precise; the best has {ranking.tp[best]} right of {flagged[best]}"
            )
        return threshold_at(self, ranking.threshold[good[-1]], scores, positive)

    def __str__(self) -> str:
        return f"precision ≥ {self.min_precision:g} with {self.confidence:.0%} confidence"


def examples_needed(share: float, confidence: float = 0.95) -> int:
    """The fewest examples that can show a share: the least n with share^n ≤ 1 − confidence.

    >>> examples_needed(0.9), examples_needed(0.99)
    (29, 299)
    """
    return math.ceil(math.log1p(-confidence) / math.log(share))


def _successes(n: Any, share: float, confidence: float) -> Any:
    """The fewest successes of n whose one-sided lower bound is ≥ share; n + 1 where none is."""
    return binom.ppf(confidence, n, share) + 1


def _share(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"{name} must be a number between 0 and 1, both excluded, got {value!r}")
