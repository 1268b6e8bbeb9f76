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
from imbalance_lab.posthoc.cut import Cut, Mask, NoCutError, Scores, cut_at, just_above, refuse_too_few, scored


@dataclass(frozen=True)
class RecallAtLeast:
    """The highest threshold whose recall of new positives is ≥ ``at_least``, with this confidence.

    It needs ln(1 − confidence) / ln(at_least) positives: 29 for 0.9 at 95 %. (A confidence of 0.5 is about the
    threshold whose recall on validation just reaches ``at_least``; new positives then fall short as often as not.)
    """

    at_least: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _share("at_least", self.at_least)
        _share("confidence", self.confidence)

    def __call__(self, scores: Scores, positive: Mask) -> Cut:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        ascending = np.sort(scores[positive])
        refuse_too_few(self, len(ascending), examples_needed(self.at_least, self.confidence), "positives")
        j = int(_successes(len(ascending), self.at_least, self.confidence))
        return cut_at(self, ascending[-j], scores, positive)

    def __str__(self) -> str:
        return f"recall ≥ {self.at_least:g} with {self.confidence:.0%} confidence"


@dataclass(frozen=True)
class FprAtMost:
    """The lowest threshold whose false positive rate on new negatives is ≤ ``at_most``, with this confidence.

    It needs ln(1 − confidence) / ln(1 − at_most) negatives: 299 for 0.01 at 95 %. Negatives alone decide.
    """

    at_most: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _share("at_most", self.at_most)
        _share("confidence", self.confidence)

    def __call__(self, scores: Scores, positive: Mask) -> Cut:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        ascending = np.sort(scores[~positive])
        refuse_too_few(self, len(ascending), examples_needed(1 - self.at_most, self.confidence), "negatives")
        j = int(_successes(len(ascending), 1 - self.at_most, self.confidence))
        return cut_at(self, just_above(ascending[j - 1]), scores, positive)

    def __str__(self) -> str:
        return f"FPR ≤ {self.at_most:g} with {self.confidence:.0%} confidence"


@dataclass(frozen=True)
class PrecisionAtLeast:
    """The highest recall among cuts whose precision is ≥ ``at_least``, with this confidence for each cut by itself.

    The lower end of Clopper & Pearson's one-sided interval of TP of the flagged must reach ``at_least``. The cut is the
    luckiest of many, so that the confidence is lower than it says; and precision holds for the prevalence of the
    validation examples only.
    """

    at_least: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _share("at_least", self.at_least)
        _share("confidence", self.confidence)

    def __call__(self, scores: Scores, positive: Mask) -> Cut:
        """The cut for log-odds (N,) of examples of which ``positive`` (N,) are of the class."""
        scores, positive = scored(scores, positive)
        refuse_too_few(self, int(positive.sum()), examples_needed(self.at_least, self.confidence), "positives")
        ranking = rank(scores[positive], scores[~positive])
        flagged = ranking.tp + ranking.fp
        good = np.flatnonzero(ranking.tp >= _successes(flagged, self.at_least, self.confidence))
        if not len(good):
            best = int(np.argmax(ranking.tp / flagged))
            raise NoCutError(
                f"{self}: no cut is known to be so precise; the best has {ranking.tp[best]} right of {flagged[best]}"
            )
        return cut_at(self, ranking.threshold[good[-1]], scores, positive)

    def __str__(self) -> str:
        return f"precision ≥ {self.at_least:g} with {self.confidence:.0%} confidence"


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
