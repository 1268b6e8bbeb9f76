"""The columns of a table as the input of a model, found by name."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imbalance_lab.data.columns import Column, Unknown, read_dates
from imbalance_lab.data.date_text import DateFormat
from imbalance_lab.data.read_table import Files
from imbalance_lab.validation import did_you_mean, raise_together


def text_columns(columns: Sequence[Column]) -> list[str]:
    """The columns that hold text: to be read as such from a file in which every value is a number."""
    return list(dict.fromkeys(column.source for column in columns if column.is_text))


def source_columns(columns: Sequence[Column]) -> list[str]:
    """The columns of a table that are read, in order."""
    return list(dict.fromkeys(column.source for column in columns))


def check_columns(columns: Sequence[Column], names: Sequence[str], files: Files = ()) -> None:
    """Refuse a table that lacks one of the ``columns``; ``names`` are those that it has.

    Raises:
        ValueError: naming every missing column, and the nearest name that there is.
    """
    wanted = source_columns(columns)
    missing = [name for name in wanted if name not in names]
    if not missing:
        return
    near = did_you_mean(missing[0], [name for name in names if name not in wanted])
    where = f"{files[0][0]} has" if files else "the data have"
    if len(missing) == 1:
        raise ValueError(f"{where} no column {missing[0]!r}, which the model takes{near or ': add it'}")
    listed = ", ".join(map(repr, missing[:8])) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
    raise ValueError(f"{where} no columns {listed}, which the model takes{near or ': add them'}")


def encode_columns(
    columns: Sequence[Column], table: pa.Table, files: Files = ()
) -> tuple[NDArray[np.float32], Unknown]:
    """The columns of a table, found by name, as (N, F) float32, and their unknown categories.

    Raises:
        ValueError: naming a column that is missing, and the nearest that there is; and as `Column.encode` does.
    """
    check_columns(columns, table.column_names, files)
    inputs = np.empty((len(table), len(columns)), np.float32)
    unknown: Unknown = {}
    problems: dict[str, None] = {}
    times: dict[str, pa.ChunkedArray] = {}
    for to, column in enumerate(columns):
        try:
            values = table[column.source]
            if column.date is not None:  # its text is read once, not for each part
                form = DateFormat(column.date.pattern)
                if column.source not in times:
                    times[column.source] = pa.chunked_array([read_dates(values, column.source, form, files)])
                values = times[column.source]
            inputs[:, to] = column.encode(values, files)
            if counts := column.unknown(values):
                unknown[column.name] = counts
        except ValueError as error:
            problems[str(error)] = None
    raise_together(list(problems))
    return inputs, unknown


def describe_unknown(unknown: Unknown, n_rows: int) -> list[str]:
    """A sentence for each column with unknown categories, from the counts by column and value."""
    return [
        f"column {name!r}: {sum(counts.values()):,} of {n_rows:,} values are not among the training categories "
        f"({_listed(counts)}): treated as unknown"
        for name, counts in unknown.items()
    ]


def _listed(counts: Mapping[str, int], most: int = 5) -> str:
    values: Sequence[str] = [f"{value[:80]!r} {n:,}" for value, n in counts.items()]
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")
