"""The rows of Parquet files, read a part at a time, never all at once."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.data.read_table import Files, as_text, check_header, named, readable
from imbalance_lab.data.table_files import join_tables, with_labels
from imbalance_lab.data.table_source import TableFile, check_same_columns, find_tables, open_table
from imbalance_lab.progress import Step

PART_ROWS = 1 << 16
"""Rows of a part."""

FOOTER = 8
"""Bytes at the end of a Parquet file: the length of what describes its row groups, and its name."""


class RowPart(NamedTuple):
    """The next n rows: the number of the first one over all files, the rows, and where they come from."""

    first: int
    rows: pa.Table
    files: Files


@dataclass(frozen=True)
class ParquetRows:
    """The rows of all files of a table, in order.

    Args:
        files: each with the number of its first row.
        n_rows: how many each path, by its option, has; None without that path.
        columns: their names.
    """

    files: Files
    n_rows: Mapping[str, int | None]
    columns: tuple[str, ...]

    @classmethod
    def open(cls, paths: Mapping[str, str | None]) -> "ParquetRows":
        """Read what describes the files, not their rows.

        Args:
            paths: by option, a file, a folder of files or a pattern each.

        Raises:
            ValueError, FileNotFoundError: naming the file and the remedy.
        """
        files: list[tuple[Path, int]] = []
        n_rows: dict[str, int | None] = {}
        columns: list[str] = []
        total = 0
        for option, path in paths.items():
            before = total
            for file in [] if path is None else find_tables(path, f"data.{option}"):
                if open_table(file, f"data.{option}").dialect is not None:
                    raise ValueError(
                        f"data.{option}={file} is a text file, and data=large_table maps Parquet files: convert it, or "
                        "choose data=table"
                    )
                with readable(TableFile(file, None)), pq.ParquetFile(file) as opened:
                    names, n = named(opened.schema_arrow.names), opened.metadata.num_rows
                check_header(file, names)
                if columns:
                    check_same_columns(files[0][0], columns, file, names)
                if not n:
                    raise ValueError(f"{file} has a header but no row")
                columns = columns or names
                files.append((file, total))
                total += n
            n_rows[option] = None if path is None else total - before
        return cls(tuple(files), n_rows, tuple(columns))

    def __len__(self) -> int:
        return sum(n or 0 for n in self.n_rows.values())

    @cached_property
    def digest(self) -> str:
        """Changes with the files: their paths, sizes, times and what they say of their row groups.

        That is where each column of each row group is, how many bytes it has, and its statistics. A change of values
        that keeps all of this, and the time of the file, goes unnoticed: all rows would have to be read to see it.
        """
        digest = hashlib.blake2b(digest_size=16)
        for file, _ in self.files:
            status = file.stat()
            digest.update(f"{file.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
            with file.open("rb") as opened:
                opened.seek(-FOOTER, 2)
                length = int.from_bytes(opened.read(4), "little")
                opened.seek(-min(FOOTER + length, status.st_size), 2)
                digest.update(opened.read())
        return digest.hexdigest()

    def parts(self, columns: Sequence[str], step: Step | None = None) -> Iterator[RowPart]:
        """All rows of some columns.

        Raises:
            ValueError: for a file that cannot be read.
        """
        for file, start in self.files:
            with readable(TableFile(file, None)), pq.ParquetFile(file, pre_buffer=False) as opened:
                stored = dict(zip(named(opened.schema_arrow.names), opened.schema_arrow.names, strict=True))
                wanted, done = [stored[name] for name in columns], 0
                for batch in opened.iter_batches(PART_ROWS, columns=wanted):
                    rows = pa.Table.from_batches([batch]).select(wanted).rename_columns(list(columns))
                    where: Files = [(file, -done)]
                    yield RowPart(start + done, as_text(where, rows), where)
                    done += len(rows)
                    if step is not None:
                        step(start + done, len(self))


class JoinedRows:
    """Chosen rows of the parts of several files, put together as a table in memory would be."""

    def __init__(self, files: Files, chosen: NDArray[np.int64]) -> None:
        self.files = files
        self.chosen = chosen
        self._of_file: dict[Path, list[pa.Table]] = {}

    def add(self, part: RowPart) -> None:
        """Take the rows of a part that are among the ``chosen`` ones, which are ascending."""
        start, stop = np.searchsorted(self.chosen, [part.first, part.first + len(part.rows)])
        if stop > start:
            at = pa.array(self.chosen[start:stop] - part.first)
            self._of_file.setdefault(part.files[0][0], []).append(part.rows.take(at))

    def table(self, labels: Collection[str] = ()) -> pa.Table:
        """All rows that were taken; the columns of ``labels`` as text, the same in every kind of file."""
        tables = [pa.concat_tables(parts) for parts in self._of_file.values()]
        return join_tables([with_labels(table, labels) for table in tables], self.files)
