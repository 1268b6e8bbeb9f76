"""Columns that tell the class though nobody would know them before the prediction, and splits that are not apart."""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.feature_rows import FeatureRows
from imbalance_lab.data.row_numbers import (
    describe_following,
    describe_row_ids,
    find_following,
    find_order,
    find_row_ids,
)
from imbalance_lab.data.shared_groups import describe_groups, find_groups
from imbalance_lab.data.single_columns import describe_single_columns
from imbalance_lab.data.split_drift import describe_drift, find_drift


def describe_leaks(rows: FeatureRows, given: Collection[str], groups: NDArray[np.int64] | None) -> Iterator[str]:
    """Sentences on suspicious columns, each with the remedy.

    Args:
        rows: of the table.
        given: the splits that files or a column give, not this program.
        groups: (N,) that the user set, if so.
    """
    ids, order = find_row_ids(rows), find_order(rows)
    yield from describe_row_ids(ids, order)
    told = ids.names
    if order is not None:
        following = find_following(rows, told)
        yield from describe_following(following, order)
        told |= set(following)
    if groups is None:
        shared = find_groups(rows, told)
        yield from describe_groups(shared, given)
        told |= set(shared)
    yield from describe_single_columns(rows, told)
    yield from describe_drift(find_drift(rows, given, told, groups))
