"""The different values of columns of very many rows, found in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.parquet_rows import ParquetRows
from imbalance_lab.progress import progress

PART = 1 << 20

MAX_CLASSES = 1 << 16
"""Different values of a column with classes."""


@dataclass(frozen=True)
class ColumnValues:
    """The different values of a column, the row of the first of each, and the number of each row's value, (N,)."""

    values: pa.Array
    first_rows: list[int]
    codes: NDArray[np.uint8] | NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.values)


def read_values(rows: ParquetRows, names: Sequence[str]) -> dict[str, ColumnValues]:
    """The values of columns with few different ones, in one pass.

    Raises:
        ValueError: if a column has more than `MAX_CLASSES`.
    """
    values: dict[str, Any] = dict.fromkeys(names)
    first_rows: dict[str, list[int]] = {name: [] for name in names}
    codes: dict[str, NDArray[np.uint8] | NDArray[np.uint16]] = {name: np.empty(len(rows), np.uint8) for name in names}
    with progress("reading the classes") as step:
        for part in rows.parts(names, step):
            for name in names:
                column = part.rows[name].combine_chunks()
                known = values[name]
                if known is not None and column.type != known.type:
                    column = column.cast(known.type)  # another file's
                strange = pc.unique(column if known is None else column.filter(pc.invert(pc.is_in(column, known))))
                n_known = 0 if known is None else len(known)
                values[name] = known = strange if known is None else pa.concat_arrays([known, strange])
                if len(known) > MAX_CLASSES:
                    raise ValueError(
                        f"column {name!r} has more than {MAX_CLASSES:,} different values: is it the class?"
                    )
                if len(known) > 256 and codes[name].dtype == np.uint8:
                    codes[name] = codes[name].astype(np.uint16)
                here = pc.index_in(column, known).to_numpy()
                first_rows[name] += [part.first + int((here == new).argmax()) for new in range(n_known, len(known))]
                codes[name][part.first : part.first + len(column)] = here
    return {name: ColumnValues(each, first_rows[name], codes[name]) for name, each in values.items()}


def look_up(values: NDArray[Any], codes: NDArray[np.unsignedinteger]) -> NDArray[Any]:
    """``values[codes]``, part by part: NumPy makes eight bytes of every code first."""
    found = np.empty(len(codes), values.dtype)
    for at in range(0, len(codes), PART):
        found[at : at + PART] = values[codes[at : at + PART]]
    return found
