"""Which columns of a table are features, of which kind, and with which categories: read off the training rows."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from torch import Tensor

from imbalance_lab.data.columns import Column, fit_column, infer_kind
from imbalance_lab.data.read_table import Files

MANY_MISSING = 0.5


def fit_columns(
    data: pa.Table, training: Tensor, categorical: Sequence[str], files: Files
) -> tuple[tuple[Column, ...], list[str]]:
    """The features, numbers first, with the categories of the training rows; and remarks on unusual columns."""
    at = pa.array(training.numpy())
    notes: list[str] = []
    columns: list[Column] = []
    for name in data.column_names:
        kind = "category" if name in categorical else infer_kind(data[name], name, files)
        rows = data[name].take(at)
        present = len(rows) - rows.null_count
        if present == 0 or (present == len(rows) and len(pc.unique(rows)) == 1):
            notes.append(
                f"column {name!r} is {'constant' if present else 'empty'} in the training rows: it is left out"
            )
            continue
        if present < (1 - MANY_MISSING) * len(rows):
            notes.append(f"column {name!r} is missing in {1 - present / len(rows):.0%} of the training rows")
        if kind is not None:
            columns.append(fit_column(name, kind, rows))
    if not columns:
        raise ValueError(f"{files[0][0]} has no column to learn from besides the target")
    return tuple(sorted(columns, key=lambda column: column.kind == "category")), notes
