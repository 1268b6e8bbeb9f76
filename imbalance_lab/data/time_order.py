"""The order in time that a column of a table gives: by its dates, or by its numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.columns import read_dates
from imbalance_lab.data.infer_columns import ColumnOptions, infer_column
from imbalance_lab.data.number_text import NumberFormat
from imbalance_lab.data.read_table import Files, format_location


def time_order(column: pa.ChunkedArray, name: str, options: ColumnOptions, files: Files) -> NDArray[np.int64]:
    """The place of each row in time (N,), from 0; the same for equal times.

    Raises:
        ValueError: naming the place of a missing value; for a column that holds neither dates nor numbers.
    """
    found = infer_column(column, name, options, files)
    values: NDArray[np.datetime64] | NDArray[np.float64]
    if found.date is not None:
        values = read_dates(column, name, found.date, files)
        missing = np.isnat(values)
    elif found.kind == "number" and pa.types.is_string(column.type):
        values, wrong = (found.format or NumberFormat()).parse(column)
        missing = wrong | np.isnan(values)
    elif found.kind == "number":
        values = pc.cast(column, pa.float64(), safe=False).to_numpy()
        missing = np.isnan(values)
    else:
        raise ValueError(f"data.time={name}: the column holds neither dates nor numbers: name one that does")
    if missing.any():
        where = format_location(files, int(missing.argmax()))
        raise ValueError(f"{where}, column {name!r} has no value, so that its time is not known: fill it in")
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
