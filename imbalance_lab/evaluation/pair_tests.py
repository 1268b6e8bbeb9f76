"""Tests of two single runs on the same test examples, for the scores of `metrics.json` that have one.

Rankings and shares of correct predictions have tests of their own (`metrics.compare_rankings`, `compare_accuracy`,
`compare_balanced_accuracy`); other scores are compared over seeds only.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.metrics.compare_rankings import ComparedAt, pair_rankings
from imbalance_lab.posthoc import log_odds


def pair_test(a: Run, b: Run, score: str) -> ComparedAt | None:
    """The comparison of two runs with stored predictions for the same examples; None for a score without a test."""
    if a.test is None or b.test is None:
        return None
    name, _, of = score.partition("/")
    if name in ("auroc", "average_precision"):
        return _of_rankings(a.test, b.test, name, of)
    if score == "accuracy":
        return partial(metrics.compare_accuracy, _right(a.test), _right(b.test))
    if score == "balanced_accuracy" and a.test.task.is_multilabel:
        of_a, of_b = (each.task.predict_labels(each.logits) == each.target for each in (a.test, b.test))
        return partial(metrics.compare_label_balanced_accuracy, of_a, of_b, a.test.target)
    if score == "balanced_accuracy" or (name == "recall" and of and not a.test.task.is_multilabel):
        members = np.isin(a.test.target, _classes_of(a, of))
        if not members.any():
            return None
        return partial(
            metrics.compare_balanced_accuracy, _right(a.test)[members], _right(b.test)[members], a.test.target[members]
        )
    return None


def _of_rankings(a: Predictions, b: Predictions, name: str, of: str) -> ComparedAt | None:
    scores_a, scores_b = (log_odds(each.logits, each.task.activation) for each in (a, b))
    pair = pair_rankings(scores_a, scores_b, a.target, "auroc" if name == "auroc" else "average_precision")
    if not of:
        return pair.macro
    found = of.removeprefix("class/")
    return pair.classes[a.classes.index(found)] if of.startswith("class/") and found in a.classes else None


def _classes_of(run: Run, of: str) -> list[int]:
    """The indices of the classes that a score is of: all, one ("class/NAME"), or those of a group."""
    assert run.test is not None
    names = run.test.classes
    if of.startswith("class/"):
        return [c for c, name in enumerate(names) if name == of.removeprefix("class/")]
    groups = {each["name"]: each.get("group") for each in (run.scores or {}).get("test", {}).get("classes", [])}
    return [c for c, name in enumerate(names) if not of or groups.get(name) == of]


def _right(run: Predictions) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = run.task.correct(run.logits, run.target)
    return found
