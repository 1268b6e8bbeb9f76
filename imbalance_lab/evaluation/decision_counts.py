"""What flagging examples as a class comes to, in counts and in the rates that a person decides by."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from imbalance_lab import metrics
from imbalance_lab.evaluation.scores import FEW_POSITIVES, Score, defined
from imbalance_lab.posthoc import Threshold


@dataclass(frozen=True)
class DecisionCounts:
    """Examples that were flagged as a class, whether by a threshold or by the predicted label.

    Args:
        tp, fp: flagged positives and negatives, among ``n_positive`` and ``n_negative``.
    """

    tp: int
    fp: int
    n_positive: int
    n_negative: int

    @classmethod
    def at(cls, threshold: Threshold) -> "DecisionCounts":
        """The counts of a threshold."""
        return cls(threshold.tp, threshold.fp, threshold.n_positive, threshold.n_negative)

    @property
    def n(self) -> int:
        """Examples."""
        return self.n_positive + self.n_negative

    @property
    def missed(self) -> int:
        """Positives that are not flagged."""
        return self.n_positive - self.tp

    @property
    def tn(self) -> int:
        """Negatives that are not flagged."""
        return self.n_negative - self.fp

    @property
    def flagged(self) -> int:
        """Flagged examples, right or wrong."""
        return self.tp + self.fp

    @property
    def flagged_share(self) -> float:
        """Flagged examples among all; NaN without an example."""
        return self.flagged / self.n if self.n else math.nan

    @property
    def prevalence(self) -> float:
        """Positives among all examples; NaN without an example."""
        return self.n_positive / self.n if self.n else math.nan

    @property
    def alarms_per_true_positive(self) -> float | None:
        """How many examples are flagged for each true positive; None without one."""
        return self.flagged / self.tp if self.tp else None

    @property
    def recall(self) -> Score:
        """TP / positives, with Wilson's interval."""
        return _share(self.tp, self.n_positive)

    @property
    def precision(self) -> Score:
        """TP / flagged, with Wilson's interval."""
        return _share(self.tp, self.flagged)

    @property
    def fpr(self) -> Score:
        """FP / negatives, with Wilson's interval."""
        return _share(self.fp, self.n_negative)

    @property
    def balanced_accuracy(self) -> Score:
        """(Recall + specificity) / 2; undefined without positives or negatives."""
        if not (self.n_positive and self.n_negative):
            return Score(math.nan)
        matrix = np.array([[self.tn, self.fp], [self.missed, self.tp]])
        return Score(metrics.balanced_accuracy(matrix), metrics.balanced_accuracy_interval(matrix))

    @property
    def enrichment(self) -> float:
        """Precision over prevalence: how much more often the flagged are positive than examples at random."""
        return self.precision.value / self.prevalence if self.n_positive else math.nan

    @property
    def is_above_chance(self) -> bool:
        """Whether the flagged are positive more often than all examples, with 95 % confidence."""
        ends = self.precision.interval
        return ends is not None and ends[0] > self.prevalence

    @property
    def has_few_positives(self) -> bool:
        """Whether the rates are flagged as uncertain."""
        return 0 < self.n_positive < FEW_POSITIVES

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined is null."""
        flagged = defined(self.flagged_share)
        return {
            "tp": self.tp,
            "n_positive": self.n_positive,
            "missed": self.missed,
            "fp": self.fp,
            "tn": self.tn,
            "flagged": self.flagged,
            "flagged_per_1000": None if flagged is None else 1000 * flagged,
            "alarms_per_true_positive": self.alarms_per_true_positive,
            "recall": self.recall.as_json(),
            "precision": self.precision.as_json(),
            "fpr": self.fpr.as_json(),
        }


def _share(part: int, whole: int) -> Score:
    return Score(part / whole if whole else math.nan, metrics.wilson_interval(part, whole))
