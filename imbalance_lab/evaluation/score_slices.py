"""Scores slices of the test examples and tests each against the rest: see `imbalance_lab.evaluation.slices`."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.scores import FEW_POSITIVES, Score
from imbalance_lab.evaluation.slice_tests import (
    beta_prior_strength,
    detectable_share,
    fisher_exact_test,
    shrunken_share,
    tarone_holm,
)
from imbalance_lab.evaluation.slice_values import SliceValue, slice_values
from imbalance_lab.evaluation.slices import LEVEL, ClassSlices, SliceReport, SliceResult
from imbalance_lab.metrics.distributions import clopper_pearson_interval
from imbalance_lab.posthoc import PostProcessor, Threshold

POWER = 0.8
"""With which a drop would have been found."""

MAX_CLASSES = 4
"""Of many classes the rarest in training; each class more makes every difference harder to show."""


class _OfClass(NamedTuple):
    """The test examples as one class sees them, (N,) each."""

    class_index: int
    at_threshold: bool
    positive: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    log_odds: NDArray[np.float32]

    def counts(self, members: NDArray[np.bool_]) -> tuple[int, int, int]:
        """True positives, positives and flagged examples among the members."""
        inside = self.positive & members
        return int((inside & self.flagged).sum()), int(inside.sum()), int((self.flagged & members).sum())


def score_slices(test: Evaluation, columns: pa.Table, postprocessor: PostProcessor) -> SliceReport:
    """Score the slices of the test examples and test each against the rest.

    Args:
        test: of the stored predictions.
        columns: the values of the same examples, N rows, in the same order.
        postprocessor: whose thresholds decide; where a class has none, the most probable class does, or for labels
            probability ½.
    """
    values = [each for name in columns.column_names for each in slice_values(name, columns[name])]
    seen = _of_classes(test, postprocessor)
    counts = [[each.counts(value.members) for value in values] for each in seen]
    totals = [(int((each.positive & each.flagged).sum()), int(each.positive.sum())) for each in seen]
    tests = [
        fisher_exact_test(tp, n, all_tp - tp, all_n - n)
        for of_class, (all_tp, all_n) in zip(counts, totals, strict=True)
        for tp, n, _ in of_class
    ]
    adjusted = tarone_holm(tests, 1 - LEVEL)
    alpha = (1 - LEVEL) / max(1, adjusted.n_tests)
    p = iter(zip(tests, adjusted.p, strict=True))
    classes = []
    for each, of_class, total in zip(seen, counts, totals, strict=True):
        strength = beta_prior_strength(_by_column(values, of_class))
        tested = [(test.p, adjusted_p) for test, adjusted_p in (next(p) for _ in values)]
        context = _Context(total, len(values), strength, alpha)
        results = [_result(each, *rest, context) for rest in zip(values, of_class, tested, strict=True)]
        overall = Score(total[0] / total[1], metrics.wilson_interval(*total))
        classes.append(ClassSlices(each.class_index, each.at_threshold, overall, tuple(results)))
    return SliceReport(tuple(columns.column_names), tuple(classes), adjusted.n_tests, test.predictions.classes)


class _Context(NamedTuple):
    """What the slices of a class share: true positives and positives of all, and how each is judged."""

    total: tuple[int, int]
    n_slices: int
    strength: float | None
    alpha: float


def _result(
    of: _OfClass,
    value: SliceValue,
    counts: tuple[int, int, int],
    tested: tuple[float, float | None],
    context: _Context,
) -> SliceResult:
    tp, n_positive, n_flagged = counts
    all_tp, all_positive = context.total
    n, n_elsewhere = int(value.members.sum()), all_positive - n_positive
    level = LEVEL ** (1 / context.n_slices)
    rest = (all_tp - tp) / n_elsewhere if n_elsewhere else math.nan
    return SliceResult(
        of.class_index, value.column, value.value, value.kind, n, n_positive, n_flagged,
        recall=_proportion(tp, n_positive, level),
        fpr=_proportion(n_flagged - tp, n - n_positive, level),
        precision=_proportion(tp, n_flagged, level),
        auroc=_auroc(of, value.members, min(n_positive, n - n_positive), level),
        shrunken_recall=shrunken_share(tp, n_positive, all_tp / all_positive, context.strength),
        rest_recall=rest,
        p=tested[0] if n_positive and n_elsewhere else math.nan,
        adjusted_p=tested[1],
        detectable_recall=detectable_share(n_positive, n_elsewhere, rest, context.alpha, POWER),
    )  # fmt: skip


def _proportion(count: int, n: int, level: float) -> Score:
    return Score(count / n, clopper_pearson_interval(count, n, level)) if n else Score(math.nan)


def _auroc(of: _OfClass, members: NDArray[np.bool_], n_rarer: int, level: float) -> Score:
    if n_rarer < FEW_POSITIVES:
        return Score(math.nan)
    ranking = metrics.rank(of.log_odds[members & of.positive], of.log_odds[members & ~of.positive])
    return Score(ranking.auroc, metrics.auroc_interval(ranking, level))


def _of_classes(test: Evaluation, postprocessor: PostProcessor) -> list[_OfClass]:
    """The examples as each of the reported classes with one sees them, the rarest in training first."""
    task, logits = test.predictions.task, test.predictions.logits
    positive, scores = task.one_hot(test.predictions.target), postprocessor.log_odds(logits)
    order = sorted(task.reported_classes, key=lambda c: test.train_counts[c])
    found = []
    for c in [c for c in order if positive[:, c].any()][:MAX_CLASSES]:
        threshold = postprocessor.thresholds[c]
        if isinstance(threshold, Threshold):
            flagged = threshold.flags(scores[:, c])
        else:
            flagged = task.one_hot(task.predict_labels(postprocessor.adjusted(logits)))[:, c]
        found.append(_OfClass(c, isinstance(threshold, Threshold), positive[:, c], flagged, scores[:, c]))
    return found


def _by_column(
    values: Sequence[SliceValue], counts: Sequence[tuple[int, int, int]]
) -> list[tuple[list[int], list[int]]]:
    """What was found, and the positives, of the slices of each column."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for value, (tp, n_positive, _) in zip(values, counts, strict=True):
        of_column = found.setdefault(value.column, ([], []))
        of_column[0].append(tp)
        of_column[1].append(n_positive)
    return list(found.values())
