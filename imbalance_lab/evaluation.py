"""From stored predictions to scores: everything that is printed, plotted or compared is computed here, from files.

Undefined is None, never 0: a class without an example in the split has no AUROC, is left out of the macro, and the
macro says over how many classes it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.counts import Group, group_of
from imbalance_lab.metrics import Interval, Ranking
from imbalance_lab.posthoc import fit_temperature, max_f1
from imbalance_lab.predictions import Predictions

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
    precision: float

    @property
    def group(self) -> Group:
        """many, medium or few, by the training count."""
        return group_of(self.train_count)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "train_count": self.train_count,
            "group": self.group,
            "n_positive": self.n_positive,
            "auroc": self.auroc.as_json(),
            "average_precision": self.average_precision.as_json(),
            "recall": self.recall.as_json(),
            "precision": defined(self.precision),
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
                precision=float(precision),
            )
            for name, train_count, ranking, targets, hits, recall, precision in rows
        ]

    @cached_property
    def macro_auroc(self) -> Score:
        """The mean one-vs-rest AUROC over the classes for which it is defined."""
        interval = metrics.macro_auroc_interval(self.rankings, self._log_odds, self.predictions.target)
        return Score(metrics.macro([ranking.auroc for ranking in self.rankings]), interval)

    @property
    def macro_average_precision(self) -> float:
        """The mean average precision over the classes that have an example."""
        return metrics.macro([ranking.average_precision for ranking in self.rankings])

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
        groups: dict[Group, list[float]] = {"many": [], "medium": [], "few": []}
        for scores in self.classes:
            groups[scores.group].append(scores.recall.value)
        return {group: metrics.macro(values) for group, values in groups.items() if values}

    def as_json(self) -> dict[str, Any]:
        """What `metrics.json` holds for a split."""
        return {
            "n": len(self.predictions.target),
            "auroc": {**self.macro_auroc.as_json(), "average": "macro", "classes": self.n_defined},
            "average_precision": {"value": defined(self.macro_average_precision), "average": "macro"},
            "balanced_accuracy": self.balanced_accuracy.as_json(),
            "accuracy": self.accuracy.as_json(),
            "recall_by_group": {group: defined(value) for group, value in self.group_recall().items()},
            "classes": [scores.as_json() for scores in self.classes],
        }

    def scalars(self, prefix: str) -> dict[str, float]:
        """The scores by the tags that each epoch's validation logs too, undefined ones left out."""
        scores = {
            f"{prefix}/auroc/macro": self.macro_auroc.value,
            f"{prefix}/average_precision/macro": self.macro_average_precision,
            f"{prefix}/balanced_accuracy": self.balanced_accuracy.value,
        }
        for each in self.classes:
            scores[f"{prefix}/auroc/{each.name}"] = each.auroc.value
            scores[f"{prefix}/average_precision/{each.name}"] = each.average_precision.value
            scores[f"{prefix}/recall/{each.name}"] = each.recall.value
        return {tag: value for tag, value in scores.items() if not math.isnan(value)}

    @cached_property
    def _log_odds(self) -> NDArray[np.float32]:
        return metrics.log_odds(torch.from_numpy(self.predictions.logits)).numpy()


def operating_point(validation: Predictions, train_counts: Sequence[int]) -> dict[str, Any]:
    """What `operating_point.json` holds: how to turn logits into probabilities and decisions, fitted on validation.

    The probability of a class is softmax(z / temperature); ``threshold`` cuts that probability at the highest F1.
    """
    temperature = fit_temperature(validation.logits, validation.target)
    cooled = metrics.log_odds(torch.from_numpy(validation.logits) / temperature).numpy()
    rankings = metrics.rank_one_vs_rest(cooled, validation.target)
    total = sum(train_counts)
    points = [max_f1(ranking) for ranking in rankings]
    return {
        "fitted_on": "val",
        "n": len(validation.target),
        "decision": "argmax",
        "temperature": temperature,
        "classes": [
            {
                "name": name,
                "train_prior": count / total,
                "chosen_by": "max_f1",
                **(point._asdict() if point else {"threshold": None, "n_positive": 0}),
            }
            for name, count, point in zip(validation.classes, train_counts, points, strict=True)
        ],
    }


def defined(value: float) -> float | None:
    """The value, or None for NaN: JSON has no NaN."""
    return None if math.isnan(value) else float(value)
