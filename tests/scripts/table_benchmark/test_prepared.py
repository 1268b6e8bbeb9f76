import numpy as np
import pandas as pd
from table_benchmark.prepared import prepare

FRAME = pd.DataFrame(
    {
        "c1": ["x", "y", "x", "z", None],
        "c2": [1.0, 3.0, np.nan, 100.0, np.nan],
        "class": ["b", "a", "b", "a", "b"],
        "split": ["train", "train", "train", "test", "val"],
    }
)


def test_native_columns_are_numbers_then_codes_of_the_training_rows():
    table = prepare(FRAME)
    assert table.classes == ("a", "b")
    assert table.target["train"].tolist() == [1, 0, 1]
    assert np.nan_to_num(table.native["train"], nan=-1).tolist() == [[1, 0], [3, 1], [-1, 0]]
    assert np.nan_to_num(table.native["test"], nan=-1).tolist() == [[100, -1]], "z is not in the training rows"
    assert np.isnan(table.native["val"]).all()
    assert (table.cardinalities, table.num_numbers, table.code_columns) == ((2,), 1, [1])


def test_one_hot_columns_are_fitted_to_the_training_rows():
    table = prepare(FRAME)
    # Columns: c2 with the median 2 in its gap, whether it was missing (both standardized), c1 = x, c1 = y.
    filled = np.array([1, 3, 2])
    assert np.allclose(table.one_hot["train"][:, 0], (filled - 2) / filled.std())
    assert np.allclose(table.one_hot["test"][0, 0], (100 - 2) / filled.std())
    assert table.one_hot["train"][:, 2:].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert table.one_hot["test"][0, 2:].tolist() == [0, 0]


def test_tables_of_text_alone_and_of_numbers_alone():
    assert prepare(FRAME.drop(columns="c2")).native["train"].tolist() == [[0], [1], [0]]
    assert prepare(FRAME.drop(columns="c1")).cardinalities == ()
