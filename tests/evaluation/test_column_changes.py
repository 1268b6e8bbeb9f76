"""What is said about the columns of a watched table, against values computed by hand."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from imbalance_lab.data.columns import Column
from imbalance_lab.evaluation.column_changes import ColumnChange, column_changes, share_weights
from imbalance_lab.shift import ShiftPart, ShiftTest

COLUMNS = (Column("amount", "number"), Column("country", "category", ("DE", "FR", "GB")))


def changed(aspect: str, index: int, reference: object, new: object, weights: object = None) -> ColumnChange:
    """What is said if the test finds that aspect of that column."""
    old: NDArray[np.float64] = np.asarray(reference, float)
    mass = np.ones(len(old)) if weights is None else np.asarray(weights, float)
    test = ShiftTest("other shift", 0.001, 0.005, 9.0, (ShiftPart(index, 1.0, 9.0, 0.001, aspect),))
    return column_changes(COLUMNS, old, mass, np.asarray(new, float), test)[0]


def test_a_median_has_the_class_shares_of_the_new_rows() -> None:
    reference = [[1, 1], [2, 1], [3, 1], [100, 1]]
    plain = changed("level", 0, reference, [[5, 1], [6, 1], [7, 1]])
    assert (plain.column, plain.what, plain.reference, plain.new, plain.changed) == ("amount", "median", 2, 6, True)
    weighted = changed("level", 0, reference, [[5, 1]], weights=share_weights(np.array([0, 0, 0, 1]), [0.2, 0.8]))
    assert weighted.reference == 100
    assert not weighted.is_share


def test_missing_values_and_categories_are_shares() -> None:
    nan = float("nan")
    missing = changed("missing", 0, [[nan, 1], [1, 1], [1, 1], [1, 1]], [[nan, 1], [1, 1]])
    assert (missing.what, missing.reference, missing.new, missing.is_share) == ("missing", 0.25, 0.5, True)
    category = changed("category", 1, [[0, 1], [0, 2], [0, 2], [0, nan]], [[0, 1], [0, 3], [0, 3], [0, 3]])
    assert (category.category, category.reference, category.new) == ("GB", 0, 0.75)


def test_a_spread_is_half_the_distance_of_the_quartiles() -> None:
    rows = np.stack([np.arange(101), np.ones(101)], 1)
    spread = changed("spread", 0, rows, rows * 3)
    assert (spread.reference, spread.new) == pytest.approx((25, 75), abs=1)


def test_a_column_without_a_value_has_no_median() -> None:
    change = changed("level", 0, [[1, 1], [2, 1]], [[float("nan"), 1]])
    assert np.isnan(change.new)
    assert json.loads(json.dumps(change.as_json(), allow_nan=False))["new"] is None


def test_weights_give_the_classes_their_shares() -> None:
    target = np.repeat([0, 1, 2], [70, 20, 10])
    weights = share_weights(target, [0.2, 0.3, 0.5])
    assert weights.mean() == pytest.approx(1)
    assert np.bincount(target, weights) / 100 == pytest.approx([0.2, 0.3, 0.5])
