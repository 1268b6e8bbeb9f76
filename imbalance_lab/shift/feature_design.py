"""Features of both samples as numbers for the tests: ranks, distances from the middle, missing values, categories."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_scores

Array = NDArray[np.float64]
MIN_CATEGORY_ROWS = 20
MAX_CATEGORIES = 30


class FeatureDesign(NamedTuple):
    """Columns (N + M, D), for each the feature that it is of (D,) and its aspect."""

    values: Array
    feature: NDArray[np.int64]
    aspects: tuple[str, ...]


def feature_design(features: Array, categorical: Sequence[int]) -> FeatureDesign:
    """The columns of features (N + M, F) of both samples; constant ones are left out.

    A number becomes its rank among both samples, from −1 to 1, and the square of that, which sees a change of spread;
    so outliers and skewed distributions do no harm. Missing values are NaN: they become 0, with a column of their own.
    A category becomes a 0/1 column for each that is frequent enough.
    """
    columns: list[Array] = []
    labels: list[tuple[int, str]] = []
    for f, column in enumerate(features.T):
        of_feature = _categories(column) if f in set(categorical) else _numbers(column)
        columns += [values for _, values in of_feature]
        labels += [(f, aspect) for aspect, _ in of_feature]
    kept = [i for i, values in enumerate(columns) if np.ptp(values) > 0]
    values = np.stack([columns[i] for i in kept], 1) if kept else np.zeros((len(features), 0))
    return FeatureDesign(values, np.array([labels[i][0] for i in kept], np.int64), tuple(labels[i][1] for i in kept))


def as_features(features: Any, name: str) -> Array:
    """Features as float64 (N, F); NaN is a missing value.

    Raises:
        TypeError, ValueError: for other dtypes and shapes, infinities, or no rows or columns.
    """
    array = as_scores(features, name, ndim=2, finite=None).astype(np.float64)
    if np.isinf(array).any():
        row, column = np.argwhere(np.isinf(array))[0].tolist()
        raise ValueError(
            f"{name} must be finite or NaN (missing), got {array[row, column]} in row {row}, column {column}"
        )
    return array


def _numbers(column: Array) -> list[tuple[str, Array]]:
    missing = np.isnan(column)
    rank = np.zeros(len(column))
    _, inverse, counts = np.unique(column[~missing], return_inverse=True, return_counts=True)
    if len(counts):
        midrank = np.cumsum(counts) - counts / 2
        rank[~missing] = 2 * midrank[inverse] / counts.sum() - 1
    square = np.where(missing, 0, rank**2)
    return [("level", rank), ("spread", square), ("missing", missing.astype(np.float64))]


def _categories(column: Array) -> list[tuple[str, Array]]:
    missing = np.isnan(column)
    values, counts = np.unique(column[~missing], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]
    frequent = values[order[counts[order] >= MIN_CATEGORY_ROWS]]
    rare = ~missing & ~np.isin(column, frequent)
    return [
        *(("category", (column == value).astype(np.float64)) for value in frequent),
        ("category", rare.astype(np.float64)),
        ("missing", missing.astype(np.float64)),
    ]
