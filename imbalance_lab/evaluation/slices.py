"""The scores of slices of the test examples, the values of columns that a user names, and which differ from the rest.

Each slice is compared with all other examples by the recall of a class: one family of exact tests over all slices,
columns and classes (`tarone_holm`). Intervals are simultaneous over the slices of a class: each is at the level
0.95^(1/m) for m slices (Šidák 1967), exact for proportions (Clopper & Pearson 1934).
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.evaluation.slice_values import Kind

LEVEL = 0.95

Finding = Literal["worse", "better", "no difference", "too few positives"]


@dataclass(frozen=True)
class SliceResult:
    """The scores of one class among the examples with one value in one column.

    Args:
        class_index: of the class whose positives are found or missed.
        column, value, kind: as `SliceValue` has them.
        n, n_positive: examples, and those of the class.
        n_flagged: examples that are decided to be of the class.
        recall, fpr, precision, auroc: with simultaneous intervals; auroc only with enough positives and negatives.
        shrunken_recall: the recall, drawn towards that of all examples as far as differences may be chance.
        rest_recall: of all other examples.
        p: of the exact test that the recall is that of the rest; NaN without positives on either side.
        adjusted_p: after Holm; None if no outcome could have rejected.
        detectable_recall: the recall that would have been found to be lower with 80 % probability; None for none.
    """

    class_index: int
    column: str
    value: str
    kind: Kind
    n: int
    n_positive: int
    n_flagged: int
    recall: Score
    fpr: Score
    precision: Score
    auroc: Score
    shrunken_recall: float
    rest_recall: float
    p: float
    adjusted_p: float | None
    detectable_recall: float | None

    @property
    def finding(self) -> Finding:
        """What the test says, at a family-wise error of 5 %."""
        if self.adjusted_p is None:
            return "too few positives"
        if self.adjusted_p >= 1 - LEVEL:
            return "no difference"
        return "worse" if self.recall.value < self.rest_recall else "better"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **{name: getattr(self, name) for name in ("column", "value", "kind", "n", "n_positive", "n_flagged")},
            **{name: getattr(self, name).as_json() for name in ("recall", "fpr", "precision", "auroc")},
            "shrunken_recall": defined(self.shrunken_recall),
            "rest_recall": defined(self.rest_recall),
            "p": defined(self.p),
            "adjusted_p": self.adjusted_p,
            "detectable_recall": self.detectable_recall,
            "finding": self.finding,
        }


@dataclass(frozen=True)
class ClassSlices:
    """All slices of one class.

    Args:
        class_index: of the class.
        at_threshold: whether its threshold decides; otherwise the most probable class, or probability ½ of a label.
        recall: of all examples, with its own 95 % interval.
        results: by column.
    """

    class_index: int
    at_threshold: bool
    recall: Score
    results: tuple[SliceResult, ...]


@dataclass(frozen=True)
class SliceReport:
    """The slices of the reported classes, the rarest in training first.

    Args:
        columns: their names.
        classes: at most `MAX_CLASSES`, each with a test example.
        n_tests: tests that could have rejected, the family that p is adjusted for.
        class_names: of all C classes.
    """

    columns: tuple[str, ...]
    classes: tuple[ClassSlices, ...]
    n_tests: int
    class_names: tuple[str, ...]

    def found(self, finding: Finding) -> list[SliceResult]:
        """The slices with this finding, the smallest p first."""
        every = [each for of_class in self.classes for each in of_class.results if each.finding == finding]
        return sorted(every, key=lambda each: each.p)

    def median_detectable(self) -> SliceResult | None:
        """Of the slices that can be tested, the one in the middle by the drop of recall that would have been found."""
        tested = [each for of_class in self.classes for each in of_class.results if each.adjusted_p is not None]
        if not tested:
            return None
        drop = [math.inf if (low := each.detectable_recall) is None else each.rest_recall - low for each in tested]
        return tested[int(np.argsort(drop, kind="stable")[len(drop) // 2])]

    def as_json(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return {
            "columns": list(self.columns),
            "n_tests": self.n_tests,
            "classes": [
                {
                    "name": self.class_names[each.class_index],
                    "at_threshold": each.at_threshold,
                    "recall": each.recall.as_json(),
                    "slices": [result.as_json() for result in each.results],
                }
                for each in self.classes
            ],
        }
