"""Columns of a table as features: numbers, with NaN where missing, and category codes."""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.read_table import Files, first_true, format_location

Kind = Literal["number", "category", "none"]

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
MOST_CATEGORIES = 10_000


def infer_kind(column: pa.ChunkedArray, name: str, files: Files) -> Kind:
    """Whether a column is of numbers or of categories.

    Raises:
        ValueError: for text where most values are numbers, and for what is neither, as dates.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return "none"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "number"
    if not pa.types.is_string(kind):
        raise ValueError(
            f"column {name!r} holds {kind}, neither numbers nor text: turn it into numbers, or leave it out with "
            f"'data.drop=[{name}]'"
        )
    is_number = pc.match_substring_regex(column, NUMBER)
    numbers, there = pc.sum(is_number).as_py() or 0, len(column) - column.null_count
    if there and there / 2 <= numbers < there:
        row = first_true(pc.invert(is_number.fill_null(True)))
        raise ValueError(
            f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is no number, "
            f"as {numbers:,} of {there:,} values are: mend it, or say 'data.categorical=[{name}]'"
        )
    return "category"


def as_numbers(column: pa.ChunkedArray, name: str, files: Files) -> NDArray[np.float32]:
    """Float32 (N,), NaN where missing.

    Raises:
        ValueError: for an infinite value, by its line.
    """
    values: NDArray[np.float32] = column.cast(pa.float64(), safe=False).to_numpy().astype(np.float32)
    if (infinite := np.isinf(values)).any():
        row = int(infinite.argmax())
        raise ValueError(
            f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is infinite, or too large for float32"
        )
    return values


def as_categories(column: pa.ChunkedArray, training: pa.ChunkedArray, name: str) -> tuple[NDArray[np.float32], int]:
    """Codes (N,), and how many there are; 0 stands for what is missing, or not among the ``training`` values.

    Raises:
        ValueError: for more categories than can be learnt anything of.
    """
    values = pc.drop_null(pc.unique(training))
    if len(values) > MOST_CATEGORIES:
        raise ValueError(
            f"column {name!r} has {len(values):,} different values in {len(training):,} training rows: "
            f"leave it out with 'data.drop=[{name}]'"
        )
    values = values.take(pc.sort_indices(values))
    codes = pc.index_in(column, values).fill_null(-1).to_numpy().astype(np.float32) + 1
    return codes, len(values) + 1
