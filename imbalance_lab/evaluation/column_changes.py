"""How the columns of a table differ between labelled and new rows, beyond what other class shares explain, in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.columns import Column
from imbalance_lab.evaluation.scores import defined
from imbalance_lab.shift import ShiftTest

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ColumnChange:
    """How one column differs.

    Args:
        column: its name.
        what: what is compared: a median, a half width (of the middle half of the values), the share of missing values,
            or the share of ``category``, the one with the largest difference.
        category: as text; None for the other kinds.
        reference, new: its values, NaN where undefined; the reference is weighted to the class shares of the new rows.
        p_value: of this column alone, corrected for the number of columns.
        changed: whether that is at most the level of the test.
    """

    column: str
    what: Literal["median", "half width", "missing", "category"]
    category: str | None
    reference: float
    new: float
    p_value: float
    changed: bool

    @property
    def is_share(self) -> bool:
        """Whether the values are shares of the rows, not values of the column."""
        return self.what in ("missing", "category")

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for the median of a column without a value."""
        return {**asdict(self), "reference": defined(self.reference), "new": defined(self.new)}


def column_changes(
    columns: Sequence[Column], reference: Values, weights: NDArray[np.float64], new: Values, test: ShiftTest
) -> tuple[ColumnChange, ...]:
    """Every column, in the order of the test: those that differ most first.

    Args:
        columns: what the F columns are.
        reference: (N, F) labelled rows, with NaN where missing and the codes of categories, from 1.
        weights: (N,) of them, see `share_weights`.
        new: (M, F) rows.
        test: for other shift, with one part for each column that is not constant.
    """
    changes = []
    for part in test.parts:
        column, old, now = columns[part.index], reference[:, part.index], new[:, part.index]
        what: Literal["median", "half width", "missing", "category"] = "median"
        category = None
        if part.aspect == "missing":
            what, before, after = "missing", np.average(np.isnan(old), weights=weights), np.isnan(now).mean()
        elif part.aspect == "category":
            what = "category"
            category, before, after = _category(column, old, weights, now)
        elif part.aspect == "spread":
            what = "half width"
            before, after = (_spread(each, mass) for each, mass in ((old, weights), (now, np.ones(len(now)))))
        else:
            before, after = (_quantile(each, mass, 0.5) for each, mass in ((old, weights), (now, np.ones(len(now)))))
        changed = part.p_value <= test.level
        changes.append(ColumnChange(column.name, what, category, float(before), float(after), part.p_value, changed))
    return tuple(changes)


def share_weights(target: NDArray[np.integer[Any]], shares: Sequence[float]) -> NDArray[np.float64]:
    """(N,) weights, of mean 1, that give examples of the classes ``target`` (N,) the class shares (C,).

    >>> share_weights(np.array([0, 0, 0, 1]), [0.5, 0.5]).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    counts = np.bincount(target, minlength=len(shares))
    weights = (np.asarray(shares) / np.maximum(counts, 1))[target]
    total = weights.sum()
    return np.asarray(weights * (len(target) / total) if total > 0 else np.ones(len(target)))


def _category(column: Column, old: Values, weights: NDArray[np.float64], now: Values) -> tuple[str, float, float]:
    """The category whose share differs most, and both shares."""
    size = len(column.categories) + 1
    before = np.bincount(np.nan_to_num(old).astype(np.int64), weights, size) / weights.sum()
    after = np.bincount(np.nan_to_num(now).astype(np.int64), minlength=size) / len(now)
    code = 1 + int(np.argmax(np.abs(after - before)[1:]))
    return str(column.categories[code - 1]), float(before[code]), float(after[code])


def _quantile(values: Values, weights: NDArray[np.float64], level: float) -> float:
    """A quantile of the values that are present; NaN without any."""
    there = ~np.isnan(values)
    if not there.any():
        return float("nan")
    order = np.argsort(values[there], kind="stable")
    mass = np.cumsum(weights[there][order])
    at = int(np.searchsorted(mass, level * mass[-1]))
    return float(values[there][order][min(at, len(order) - 1)])


def _spread(values: Values, weights: NDArray[np.float64]) -> float:
    """Half the distance between the quartiles."""
    return (_quantile(values, weights, 0.75) - _quantile(values, weights, 0.25)) / 2
