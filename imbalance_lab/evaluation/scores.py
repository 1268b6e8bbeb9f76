"""A score with its interval, and the scores of one class."""

import math
from dataclasses import dataclass
from typing import Any

from imbalance_lab.class_counts import SHOT_LIMITS, ShotGroup, ShotLimits, shot_group
from imbalance_lab.metrics import Interval

MAX_FPR, AT_RECALL = 0.1, 0.9
"""The highest false positive rate of the partial AUROC, and the recall at which precision is reported."""

FEW_POSITIVES = 20
"""Scores of classes with fewer positives are flagged wherever they are printed."""


@dataclass(frozen=True)
class Score:
    """A value with its 95 % confidence interval; NaN and None where undefined."""

    value: float
    interval: Interval | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        return {"value": defined(self.value), "ci95": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class in one split."""

    name: str
    train_count: int
    n_positive: int
    auroc: Score
    average_precision: Score
    recall: Score
    precision: Score
    partial_auroc: float
    precision_at_recall: float
    limits: ShotLimits = SHOT_LIMITS

    @property
    def group(self) -> ShotGroup:
        """The long-tail group, by the training count."""
        return shot_group(self.train_count, self.limits)

    @property
    def has_few_positives(self) -> bool:
        """Whether its scores are flagged as uncertain."""
        return 0 < self.n_positive < FEW_POSITIVES

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "train_count": self.train_count,
            "group": self.group,
            "n_positive": self.n_positive,
            "few_positives": self.has_few_positives,
            "auroc": self.auroc.as_json(),
            "average_precision": self.average_precision.as_json(),
            "recall": self.recall.as_json(),
            "precision": self.precision.as_json(),
            f"partial_auroc_fpr_{MAX_FPR}": defined(self.partial_auroc),
            f"precision_at_recall_{AT_RECALL}": defined(self.precision_at_recall),
        }


def defined(value: float) -> float | None:
    """The value, or None for NaN: JSON has no NaN."""
    return None if math.isnan(value) else float(value)
