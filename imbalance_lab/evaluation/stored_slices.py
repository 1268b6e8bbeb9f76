"""The values of the validation and test examples in the columns of ``report.slices``, stored beside the predictions.

One Parquet file: ``index``, int64, the number of the example as in the predictions, and ``slice_<column>``, int64,
float64 or text, with null for a missing value. So the scores of the slices are computed again without the data.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.data import Source
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions, positions_of, text_parts
from imbalance_lab.evaluation.stored_files import read_parquet, reading
from imbalance_lab.files import atomic_write

INDEX, SLICE = "index", "slice_"
RESTORE = "restore it from a copy, or test the model again with python train.py fit=false"


def write_slices(path: Path, splits: Sequence[tuple[Predictions, Source]]) -> None:
    """Write the values of all predicted examples, whole or not at all; nothing for sources without such columns."""
    parts = []
    for predictions, source in splits:
        columns: pa.Table | None = getattr(source, "slices", None)  # sources of users may have none
        if columns is None:
            return
        at = pa.array(positions_of(predictions.index, source.index.numpy()))
        names = [f"{SLICE}{name}" for name in columns.column_names]
        parts.append(columns.take(at).rename_columns(names).add_column(0, INDEX, pa.array(predictions.index)))
    table = pa.concat_tables(parts).combine_chunks()
    with atomic_write(path) as unfinished:
        table = table.replace_schema_metadata({"sha256": _digest(table)})
        pq.write_table(table, unfinished, compression="zstd", write_page_checksum=True)


def read_slices(path: Path, columns: Sequence[str], index: NDArray[np.int64]) -> pa.Table:
    """The values of the examples with these ``index`` (N,) in these columns, N rows.

    Raises:
        UsageError: for a file that is missing or damaged, lacks a column, or is of other examples.
    """
    if not path.is_file():
        raise UsageError(
            f"report.slices={_listed(columns)} needs the values of the examples, but {path} does not exist: test the "
            "model again with python train.py fit=false ckpt_path=… data=… report.slices=…"
        )
    with reading(path, RESTORE):
        table = read_parquet(path)
        if (table.schema.metadata or {}).get(b"sha256", b"").decode() != _digest(table):
            raise ValueError("its content is not what was written: the digest differs")
        stored = {name.removeprefix(SLICE): table[name] for name in table.column_names if name != INDEX}
        among = table[INDEX].to_numpy()
    if unknown := [name for name in columns if name not in stored]:
        raise UsageError(
            f"report.slices: {unknown[0]!r} is not among the stored columns {', '.join(stored)}: choose among them, or "
            "test the model again with python train.py fit=false ckpt_path=… data=… report.slices=…"
        )
    at = positions_of(index, among) if len(among) else np.full(len(index), -1)
    if (at < 0).any():
        raise UsageError(f"{path} is of another run, it lacks examples of the test predictions: {RESTORE}")
    return pa.table({name: stored[name].combine_chunks().take(pa.array(at)) for name in columns})


def _digest(table: pa.Table) -> str:
    """SHA-256 of the names and values."""
    found = hashlib.sha256()
    for name in table.column_names:
        column = table[name].combine_chunks()
        found.update(f"{name} {column.type}".encode())
        for part in text_parts(column):
            found.update(part)
    return found.hexdigest()


def _listed(columns: Sequence[str]) -> str:
    return f"[{', '.join(columns)}]"
