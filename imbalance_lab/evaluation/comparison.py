"""Statistical comparison of runs by their stored predictions for the same test examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from imbalance_lab import metrics
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.metrics import Comparison, holm
from imbalance_lab.metrics.compare_rankings import ComparedAt, pair_rankings
from imbalance_lab.metrics.significance import holm_levels
from imbalance_lab.posthoc import log_odds

LEVEL = 0.95
"""The confidence level of every interval before a correction."""


@dataclass(frozen=True)
class Compared:
    """A comparison in a family of several, corrected by Holm's method.

    Args:
        comparison: its own p, and the interval at ``level``.
        adjusted_p: p after the correction.
        level: the confidence level at which the interval excludes 0 exactly if ``adjusted_p`` < 0.05; 0.95 or more.
    """

    comparison: Comparison
    adjusted_p: float
    level: float = 0.95

    @property
    def is_distinguishable(self) -> bool:
        """Whether the difference is significant after the correction."""
        return self.comparison.is_distinguishable(self.adjusted_p)

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        difference, interval, p, n_positive = self.comparison
        return {
            "difference": None if interval is None else difference,
            "ci95": None if interval is None else list(interval),
            "p": None if interval is None else p,
            "p_holm": None if interval is None else self.adjusted_p,
            "level": self.level,
            "n_positive": n_positive,
            "distinguishable": self.is_distinguishable,
        }


@dataclass(frozen=True)
class RunComparison:
    """Run a against run b: positive differences are for a.

    ``scores`` are the macro AUROC ("auroc"), the macro average precision, balanced accuracy and accuracy; the family of
    each is all pairs of runs. ``classes`` are AUROCs by class name; their family is all classes of all pairs.
    """

    a: str
    b: str
    runs: int
    scores: Mapping[str, Compared]
    classes: Mapping[str, Compared]

    def describe(self, score: str = "auroc") -> str:
        """One sentence on one of ``scores``."""
        compared = self.scores[score]
        adjusted = compared.adjusted_p if self.runs > 2 else None
        return metrics.describe(compared.comparison, self.a, self.b, adjusted, self.runs)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        scores, classes = (
            {name: compared.as_json() for name, compared in family.items()} for family in (self.scores, self.classes)
        )
        return {"a": self.a, "b": self.b, "runs": self.runs, "scores": scores, "classes": classes}


def compare(a: Predictions, b: Predictions) -> RunComparison:
    """Compare two runs, called "a" and "b"."""
    return compare_runs({"a": a, "b": b})[0]


def compare_runs(runs: Mapping[str, Predictions], reference: str | None = None) -> list[RunComparison]:
    """Compare every two runs, or every other run with ``reference``, and correct for the number of comparisons.

    Args:
        runs: predictions by the run's name, two or more, for the same examples.
        reference: the name of the run that the others are compared with.

    Raises:
        ValueError: the predictions are for different examples, targets or classes.
    """
    if len(runs) < 2:
        raise ValueError(f"a comparison needs two runs, got {list(runs)}")
    if reference is not None and reference not in runs:
        raise ValueError(f"reference must be one of {', '.join(runs)}, got {reference!r}")
    first, *others = runs
    for other in others:
        _refuse_different_examples(first, runs[first], other, runs[other])
    pairs = list(combinations(runs, 2)) if reference is None else [(r, reference) for r in runs if r != reference]
    found = [_compare_pair(runs[a], runs[b]) for a, b in pairs]
    return [
        RunComparison(a, b, len(runs), scores, classes)
        for (a, b), scores, classes in zip(
            pairs,
            _corrected_by_name([scores for scores, _ in found]),
            _corrected([classes for _, classes in found]),
            strict=True,
        )
    ]


def correct(family: Sequence[ComparedAt]) -> list[Compared]:
    """Comparisons that are one family, corrected by Holm's method, with intervals that agree with the adjusted p."""
    first = [compared_at(LEVEL) for compared_at in family]
    p = [each.p for each in first]
    corrected = []
    for own, compared_at, adjusted_p, level in zip(first, family, holm(p), holm_levels(p, LEVEL), strict=True):
        at_level = own if level == LEVEL else own._replace(interval=compared_at(level).interval)
        corrected.append(Compared(at_level, adjusted_p, level))
    return corrected


def _compare_pair(a: Predictions, b: Predictions) -> tuple[dict[str, ComparedAt], dict[str, ComparedAt]]:
    """The comparisons of the scores and of each class's AUROC."""
    scores_a, scores_b = (log_odds(run.logits, run.task.activation) for run in (a, b))
    right_a, right_b = (run.task.correct(run.logits, run.target) for run in (a, b))
    auroc = pair_rankings(scores_a, scores_b, a.target)
    balanced: ComparedAt
    if a.task.is_multilabel:
        answers_a, answers_b = (run.task.predict_labels(run.logits) == run.target for run in (a, b))
        balanced = partial(metrics.compare_label_balanced_accuracy, answers_a, answers_b, a.target)
    else:
        balanced = partial(metrics.compare_balanced_accuracy, right_a, right_b, a.target)
    overall: dict[str, ComparedAt] = {
        "auroc": auroc.macro,
        "average_precision": pair_rankings(scores_a, scores_b, a.target, "average_precision").macro,
        "balanced_accuracy": balanced,
        "accuracy": partial(metrics.compare_accuracy, right_a, right_b),
    }
    return overall, dict(zip(a.classes, auroc.classes, strict=True))


def _corrected_by_name(pairs: list[dict[str, ComparedAt]]) -> list[dict[str, Compared]]:
    """Each score is a family of its own: one per pair."""
    by_name = {name: correct([pair[name] for pair in pairs]) for name in pairs[0]}
    return [{name: family[i] for name, family in by_name.items()} for i in range(len(pairs))]


def _corrected(pairs: list[dict[str, ComparedAt]]) -> list[dict[str, Compared]]:
    """All comparisons of all pairs are one family."""
    family = iter(correct([compared_at for pair in pairs for compared_at in pair.values()]))
    return [{name: next(family) for name in pair} for pair in pairs]


def _refuse_different_examples(name_a: str, a: Predictions, name_b: str, b: Predictions) -> None:
    if a.task.classes != b.task.classes:
        raise ValueError(f"{name_a} and {name_b} have different classes: {a.classes} and {b.classes}")
    if not np.array_equal(a.index, b.index):
        different = len(np.setxor1d(a.index, b.index))
        raise ValueError(f"{name_a} and {name_b} were not tested on the same examples: {different} are in one only")
    if a.task.kind != b.task.kind:
        raise ValueError(f"{name_a} is a {a.task.kind} and {name_b} a {b.task.kind} task")
    if not np.array_equal(a.target, b.target):
        wrong = a.index[(a.target != b.target).reshape(len(a.index), -1).any(1)]
        raise ValueError(
            f"{name_a} and {name_b} do not agree on the targets of {len(wrong)} examples, index {wrong[:5].tolist()} …"
        )
