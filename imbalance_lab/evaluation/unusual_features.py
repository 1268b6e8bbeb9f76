"""Which values of a row of a table are unusual for the examples of a class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab.data import InputSchema, Source, TableSchema
from imbalance_lab.data.columns import Column
from imbalance_lab.samplers import SampledIndices

MAX_FEATURES, MAX_TAIL = 4, 0.25
"""Of an example are listed; a feature with a larger tail probability is not unusual."""

MAX_ROWS = 5000
"""Training rows of a class, evenly spaced, that values are compared with."""

TO_SIGMA = 1.4826
"""Times the median absolute deviation is the standard deviation of normal values."""


@dataclass(frozen=True)
class UnusualFeature:
    """A value that few examples of a class have.

    Args:
        name: of the column.
        value: as text; "" if it is missing, or a category that training did not have.
        tail: the share of the class's examples with a value at least as far from the median, or as rare.
        center, spread: median and 1.4826 · median absolute deviation of a number in the class; None for a category.
        share: of the class's examples that have this category, or miss this number; None for a number.
    """

    name: str
    value: str
    tail: float
    center: float | None = None
    spread: float | None = None
    share: float | None = None


class ClassValues:
    """The encoded values (n, F) of the training examples of one class, or of those without a label."""

    def __init__(self, columns: Sequence[Column], values: NDArray[np.float32]) -> None:
        self.columns = columns
        self.values = values

    @classmethod
    def of(cls, source: Source, schema: InputSchema | None, members: NDArray[np.bool_]) -> "ClassValues | None":
        """At most `MAX_ROWS` of the ``members`` (N,) of the training split; None unless they are rows of a table."""
        rows = np.flatnonzero(members)
        if not isinstance(schema, TableSchema) or not len(rows):
            return None
        chosen = rows[np.linspace(0, len(rows) - 1, min(MAX_ROWS, len(rows))).astype(np.int64)]
        at = torch.from_numpy(chosen)
        return cls(schema.columns, source.__getitems__(SampledIndices(at, torch.zeros_like(at))).input.numpy())

    def unusual(self, row: NDArray[np.float32]) -> tuple[UnusualFeature, ...]:
        """The features of an encoded ``row`` (F,) with the smallest tail probabilities, at most `MAX_FEATURES`.

        Numbers and categories are compared by the same measure, (1 + k) / (1 + n) for k of n examples of the class
        whose value is at least as far from the median, or whose category is at most as frequent; numbers that no
        example reaches are ordered by their distance in robust standard deviations.
        """
        found: list[tuple[float, float, int, UnusualFeature]] = []
        for column, values, value in zip(self.columns, self.values.T, row.tolist(), strict=True):
            measure = _of_category if column.kind == "category" or np.isnan(value) else _of_number
            feature, distance = measure(column, values, value)
            if feature is not None and feature.tail <= MAX_TAIL:
                found.append((feature.tail, -distance, len(found), feature))
        return tuple(feature for *_, feature in sorted(found)[:MAX_FEATURES])


def _of_number(column: Column, values: NDArray[np.float32], value: float) -> tuple[UnusualFeature | None, float]:
    """The feature, and its distance from the median in robust standard deviations."""
    present = values[~np.isnan(values)].astype(np.float64)
    if not len(present):
        return None, 0.0
    center = float(np.median(present))
    deviations = np.abs(present - center)
    spread, distance = TO_SIGMA * float(np.median(deviations)), abs(value - center)
    tail = (1 + int((deviations >= distance).sum())) / (1 + len(present))
    far = distance / spread if spread else float("inf") if distance else 0.0
    return UnusualFeature(column.name, feature_text(value), tail, center, spread), far


def _of_category(column: Column, values: NDArray[np.float32], value: float) -> tuple[UnusualFeature | None, float]:
    """A category, or a missing number; the tail is the share of examples with values at most as frequent."""
    if column.kind == "number":  # a missing value
        missing = int(np.isnan(values).sum())
        tail = (1 + missing) / (1 + len(values))
        return UnusualFeature(column.name, "", tail, share=missing / len(values)), 0.0
    counts = np.bincount(values.astype(np.int64), minlength=len(column.categories) + 1)
    own = counts[int(value)]
    text = feature_text(column.categories[int(value) - 1]) if value else ""
    tail = (1 + int(counts[counts <= own].sum())) / (1 + len(values))
    return UnusualFeature(column.name, text, tail, share=int(own) / len(values)), 0.0


def feature_text(value: object) -> str:
    """A number in at most six digits with thousands separated; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.6g}"
