"""From stored predictions to scores: everything that is printed, plotted or compared is computed here, from files.

Undefined is None, never 0: a class without an example in the split has no AUROC, is left out of the macro, and the
macro says over how many classes it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.counts import Group, group_of
from imbalance_lab.metrics import Interval, Ranking
from imbalance_lab.posthoc import Readout, log_odds, probability
from imbalance_lab.predictions import Predictions

MAX_FPR, AT_RECALL = 0.1, 0.9
"""Up to which false positive rate the partial AUROC goes, and at which recall precision is told."""

FEW_POSITIVES = 20
"""Below so many positives a score is flagged wherever it is printed."""


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
    """What is known about one class in one split."""

    name: str
    train_count: int
    n_positive: int
    auroc: Score
    average_precision: Score
    recall: Score
    precision: Score
    partial_auroc: float
    precision_at_recall: float

    @property
    def group(self) -> Group:
        """many, medium or few, by the training count."""
        return group_of(self.train_count)

    @property
    def has_few_positives(self) -> bool:
        """Whether its scores are to be read with care."""
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


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model on one split.

    Args:
        predictions: its logits; a class is decided by the largest.
        train_counts: training examples of each class, (C,).
    """

    predictions: Predictions
    train_counts: Sequence[int]

    @cached_property
    def rankings(self) -> list[Ranking]:
        """How each class ranks its examples among all others, by log-odds."""
        return metrics.rank_one_vs_rest(self._log_odds, self.predictions.target)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (C, C): rows are targets, columns decisions."""
        logits = self.predictions.logits
        return metrics.confusion_matrix(logits.argmax(1), self.predictions.target, logits.shape[1])

    @cached_property
    def classes(self) -> list[ClassScores]:
        """Scores class by class."""
        rows = zip(
            self.predictions.classes,
            self.train_counts,
            self.rankings,
            self.confusion,
            self.confusion.diagonal(),
            self.confusion.sum(0),
            metrics.recall(self.confusion),
            metrics.precision(self.confusion),
            strict=True,
        )
        return [
            ClassScores(
                name=name,
                train_count=int(train_count),
                n_positive=ranking.n_positive,
                auroc=Score(ranking.auroc, metrics.auroc_interval(ranking)),
                average_precision=Score(ranking.average_precision, metrics.average_precision_interval(ranking)),
                recall=Score(float(recall), metrics.wilson(int(hits), int(targets.sum()))),
                precision=Score(float(precision), metrics.wilson(int(hits), int(decided))),
                partial_auroc=ranking.partial_auroc(MAX_FPR),
                precision_at_recall=metrics.precision_at_recall(ranking, AT_RECALL),
            )
            for name, train_count, ranking, targets, hits, decided, recall, precision in rows
        ]

    @cached_property
    def macro_auroc(self) -> Score:
        """The mean one-vs-rest AUROC over the classes for which it is defined."""
        interval = metrics.macro_auroc_interval(self.rankings, self._log_odds, self.predictions.target)
        return Score(metrics.macro([ranking.auroc for ranking in self.rankings]), interval)

    @cached_property
    def macro_average_precision(self) -> Score:
        """The mean average precision over the classes that have an example."""
        interval = metrics.macro_average_precision_interval(self.rankings, self._log_odds, self.predictions.target)
        return Score(metrics.macro([ranking.average_precision for ranking in self.rankings]), interval)

    @property
    def balanced_accuracy(self) -> Score:
        """The mean recall over the classes that have an example."""
        return Score(metrics.balanced_accuracy(self.confusion), metrics.balanced_accuracy_interval(self.confusion))

    @property
    def accuracy(self) -> Score:
        """The share of right decisions."""
        hits, n = int(self.confusion.trace()), int(self.confusion.sum())
        return Score(hits / n if n else math.nan, metrics.wilson(hits, n))

    @property
    def n_defined(self) -> int:
        """The number of classes over which the macro scores are means."""
        return sum(ranking.is_defined for ranking in self.rankings)

    def group_recall(self) -> dict[Group, float]:
        """The mean recall of the classes with many, medium and few training examples, where there are any."""
        return metrics.recall_by_group(self.confusion, self.train_counts)

    def decisions(self) -> dict[str, float]:
        """Scores of the decisions beside balanced accuracy."""
        return {
            "macro_f1": metrics.macro_f1(self.confusion),
            "matthews": metrics.matthews(self.confusion),
            "geometric_mean_recall": metrics.geometric_mean_recall(self.confusion),
            "harmonic_mean_recall": metrics.harmonic_mean_recall(self.confusion),
            "worst_recall": metrics.worst_recall(self.confusion),
        }

    def probabilities(self) -> dict[str, float]:
        """Scores of the probabilities."""
        of = self._probability, self.predictions.target
        return {
            "brier": metrics.brier(*of),
            "brier_skill": metrics.brier_skill(*of),
            "calibration_error": metrics.calibration_error(*of),
            "classwise_calibration_error": metrics.classwise_calibration_error(*of, bins="mass"),
        }

    def as_json(self) -> dict[str, Any]:
        """What `metrics.json` holds for a split."""
        return {
            "n": len(self.predictions.target),
            "auroc": {**self.macro_auroc.as_json(), "average": "macro", "classes": self.n_defined},
            "average_precision": {**self.macro_average_precision.as_json(), "average": "macro"},
            "balanced_accuracy": self.balanced_accuracy.as_json(),
            "accuracy": self.accuracy.as_json(),
            **{name: defined(value) for name, value in {**self.decisions(), **self.probabilities()}.items()},
            "recall_by_group": {group: defined(value) for group, value in self.group_recall().items()},
            "classes": [scores.as_json() for scores in self.classes],
        }

    def scalars(self, prefix: str) -> dict[str, float]:
        """The scores by the tags that each epoch's validation logs too, undefined ones left out."""
        scores = {
            f"{prefix}/auroc/macro": self.macro_auroc.value,
            f"{prefix}/average_precision/macro": self.macro_average_precision.value,
            f"{prefix}/balanced_accuracy": self.balanced_accuracy.value,
        }
        for each in self.classes:
            scores[f"{prefix}/auroc/{each.name}"] = each.auroc.value
            scores[f"{prefix}/average_precision/{each.name}"] = each.average_precision.value
            scores[f"{prefix}/recall/{each.name}"] = each.recall.value
        return {tag: value for tag, value in scores.items() if not math.isnan(value)}

    @cached_property
    def _log_odds(self) -> NDArray[np.float32]:
        return log_odds(self.predictions.logits, self.predictions.link)

    @cached_property
    def _probability(self) -> NDArray[np.float64]:
        return probability(self.predictions.logits, self.predictions.link)


def adjusted(predictions: Predictions, readout: Readout) -> Predictions:
    """The predictions with their logits calibrated and adjusted as the operating point says."""
    return replace(predictions, logits=readout.adjusted(predictions.logits).astype(np.float32))


def defined(value: float) -> float | None:
    """The value, or None for NaN: JSON has no NaN."""
    return None if math.isnan(value) else float(value)
