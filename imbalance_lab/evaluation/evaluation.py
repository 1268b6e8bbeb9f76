"""Scores of stored predictions; everything that is printed, plotted or compared is computed here.

Undefined scores are NaN, in JSON null, never 0: a class without an example in the split has no AUROC and is left out of
the macro average, which states its number of classes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.class_counts import SHOT_LIMITS, ShotGroup, ShotLimits
from imbalance_lab.evaluation.decisions import Decisions, score_decisions
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import AT_RECALL, MAX_FPR, ClassScores, Score, defined
from imbalance_lab.metrics import Ranking
from imbalance_lab.metrics.array_inputs import as_values
from imbalance_lab.metrics.probability_scores import log_losses, squared_errors
from imbalance_lab.posthoc import PostProcessor, log_odds, probabilities
from imbalance_lab.tags import score_tag


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model on one split.

    Args:
        predictions: its logits; the predicted class is the largest, predicted labels are those with probability ≥ ½.
        train_counts: training examples of each class, (C,).
        limits: of the groups of classes with many, medium and few of them.

    Multilabel predictions have no confusion matrix (None) and no top-label calibration error (NaN); their accuracy is
    the share of examples with every label correct.
    """

    predictions: Predictions
    train_counts: Sequence[int]
    limits: ShotLimits = SHOT_LIMITS

    def __post_init__(self) -> None:
        counts, classes = as_values(self.train_counts, "train_counts"), self.predictions.classes
        if len(counts) != len(classes) or not all(count >= 0 for count in counts):
            raise ValueError(f"train_counts must be one count ≥ 0 for each of {len(classes)} classes, got {counts}")
        object.__setattr__(self, "train_counts", [int(count) for count in counts])

    @cached_property
    def rankings(self) -> list[Ranking]:
        """The one-vs-rest ranking of each class, by log-odds."""
        return metrics.rank_one_vs_rest(self._log_odds, self.predictions.target)

    @cached_property
    def decisions(self) -> Decisions:
        """The predicted labels, counted and scored."""
        return score_decisions(self.predictions.task, self.predictions.logits, self.predictions.target)

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """Counts (C, C), rows are targets, columns predictions; None for multilabel data."""
        return self.decisions.confusion

    @cached_property
    def classes(self) -> list[ClassScores]:
        """The scores of each class."""
        made = self.decisions
        counts = made.true_positives.tolist(), made.targets.tolist(), made.predicted.tolist()
        scores = made.recall.tolist(), made.precision.tolist()
        rows = zip(self.predictions.classes, self.train_counts, self.rankings, *counts, *scores, strict=True)
        return [
            ClassScores(
                name=name,
                train_count=train_count,
                n_positive=ranking.n_positive,
                auroc=Score(ranking.auroc, metrics.auroc_interval(ranking)),
                average_precision=Score(ranking.average_precision, metrics.average_precision_interval(ranking)),
                recall=Score(recall, metrics.wilson_interval(true_positives, targets)),
                precision=Score(precision, metrics.wilson_interval(true_positives, predicted)),
                partial_auroc=ranking.partial_auroc(MAX_FPR),
                precision_at_recall=metrics.precision_at_recall(ranking, AT_RECALL),
                limits=self.limits,
            )
            for name, train_count, ranking, true_positives, targets, predicted, recall, precision in rows
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
        """The mean recall over the classes that have an example; for labels the mean of (recall + specificity) / 2."""
        return Score(self.decisions.balanced_accuracy, self.decisions.balanced_accuracy_interval)

    @property
    def accuracy(self) -> Score:
        """The share of correct predictions; for multilabel data every label must be correct."""
        n_correct, n = int(self.decisions.correct.sum()), len(self.decisions.correct)
        return Score(n_correct / n if n else math.nan, metrics.wilson_interval(n_correct, n))

    @property
    def n_defined(self) -> int:
        """The number of classes over which the macro scores are means."""
        return sum(ranking.is_defined for ranking in self.rankings)

    def shot_group_recall(self) -> dict[ShotGroup, float]:
        """The mean recall of the classes with many, medium and few training examples, where there are any."""
        return metrics.mean_by_shot_group(self.decisions.recall.tolist(), self.train_counts, self.limits)

    def shot_group_means(self) -> dict[str, dict[ShotGroup, float]]:
        """The mean recall, AUROC and average precision of these groups of classes, by the score's name."""
        by_score = {
            "recall": self.decisions.recall.tolist(),
            "auroc": [ranking.auroc for ranking in self.rankings],
            "average_precision": [ranking.average_precision for ranking in self.rankings],
        }
        return {
            name: metrics.mean_by_shot_group(values, self.train_counts, self.limits)
            for name, values in by_score.items()
        }

    @cached_property
    def probability_scores(self) -> dict[str, float]:
        """Scores of the probabilities, by name."""
        task, p, target = self.predictions.task, self.probability, self.predictions.target
        top_label = math.nan
        if not task.is_multilabel:
            top_label = metrics.calibration_error(p.max(1), p.argmax(1) == target)
        return {
            **{name: float(losses.mean()) for name, losses in self.losses.items()},
            "brier_skill_score": metrics.brier_skill_score(*self._scored_probabilities),
            "calibration_error": top_label,
            "classwise_calibration_error": metrics.classwise_calibration_error(*self._all_probabilities, bins="mass"),
        }

    @cached_property
    def losses(self) -> dict[str, NDArray[np.float64]]:
        """The log loss and the squared error of each example, (N,), by the name of their mean.

        Of a binary task they are of the positive class's probability, so that the Brier score lies in [0, 1].
        """
        scored = self._scored_probabilities
        return {"log_loss": log_losses(*scored), "brier_score": squared_errors(*scored)}

    @property
    def _scored_probabilities(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The probabilities and targets of the log loss and the Brier score: of a binary task the positive class's."""
        positive = self.predictions.task.positive
        if positive is None:
            return self._all_probabilities
        return self.probability[:, positive], (self.predictions.target == positive).astype(np.int64)

    @property
    def _all_probabilities(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Of all classes; under sigmoid each has a probability of its own: scored as labels, they need not sum to 1."""
        task, target = self.predictions.task, self.predictions.target
        return self.probability, target if task.activation == "softmax" else task.one_hot(target).astype(np.int64)

    def as_json(self) -> dict[str, Any]:
        """The content of `metrics.json` for a split."""
        return {
            "n": len(self.predictions.target),
            "auroc": {**self.macro_auroc.as_json(), "average": "macro", "classes": self.n_defined},
            "average_precision": {**self.macro_average_precision.as_json(), "average": "macro"},
            "balanced_accuracy": self.balanced_accuracy.as_json(),
            "accuracy": self.accuracy.as_json(),
            **{name: defined(value) for name, value in {**self.decisions.scores, **self.probability_scores}.items()},
            **{
                f"{name}_by_shot_group": {group: defined(value) for group, value in means.items()}
                for name, means in self.shot_group_means().items()
            },
            "classes": [scores.as_json() for scores in self.classes],
        }

    def scalars(self, prefix: str) -> dict[str, float]:
        """The defined scores by tag; validation logs the same tags after each epoch, but for the shot groups'."""
        scores = {
            score_tag(prefix, "auroc", average="macro"): self.macro_auroc.value,
            score_tag(prefix, "average_precision", average="macro"): self.macro_average_precision.value,
            score_tag(prefix, "balanced_accuracy"): self.balanced_accuracy.value,
        }
        for each in self.classes:
            scores[score_tag(prefix, "auroc", of_class=each.name)] = each.auroc.value
            scores[score_tag(prefix, "average_precision", of_class=each.name)] = each.average_precision.value
            scores[score_tag(prefix, "recall", of_class=each.name)] = each.recall.value
        for group, value in self.shot_group_recall().items():
            scores[score_tag(prefix, "recall", average=group)] = value
        return {tag: value for tag, value in scores.items() if not math.isnan(value)}

    def headline(self, prefix: str) -> list[str]:
        """The tags of `scalars` by which runs are compared: means over classes, or scores of the positive class."""
        task, ranked = self.predictions.task, ("auroc", "average_precision")
        tags = [score_tag(prefix, score, average="macro") for score in ranked]
        tags += [score_tag(prefix, "recall", average=group) for group in ("few", "medium", "many")]
        if task.positive is not None:
            name = task.classes[task.positive]
            tags = [score_tag(prefix, score, of_class=name) for score in (*ranked, "recall")]
        logged = self.scalars(prefix)
        return [tag for tag in (*tags, score_tag(prefix, "balanced_accuracy")) if tag in logged]

    @cached_property
    def _log_odds(self) -> NDArray[np.float32]:
        return log_odds(self.predictions.logits, self.predictions.task.activation)

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """The probabilities, (N, C)."""
        return probabilities(self.predictions.logits, self.predictions.task.activation)


def adjusted(predictions: Predictions, postprocessor: PostProcessor) -> Predictions:
    """The predictions with their logits calibrated and prior-corrected."""
    return replace(predictions, logits=postprocessor.adjusted(predictions.logits).astype(np.float32))
