"""The rows of a CSV or Parquet file, part by part, each column read as the model means it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from imbalance_lab.data.dialect import Dialect, DialectOptions
from imbalance_lab.data.read_table import (
    Files,
    as_text,
    check_header,
    convert_options,
    named,
    open_text,
    parse_options,
    read_options,
    readable,
)
from imbalance_lab.data.table_source import TableFile, check_same_columns, describe_guesses, find_tables, open_table
from imbalance_lab.deployment.inputs.stream import PART_ROWS

BLOCK = 1 << 21
"""Bytes of a CSV file that are parsed in one go; a row must fit into them. Arrow reads up to 32 of them ahead."""

DECIMAL_COMMA = r"^(\s*[-+]?\d*),(\d+(?:[eE][-+]?\d+)?\s*)$"


Read = tuple[int, pa.Table, Files]
"""The number of the first row, from 0; the rows; and the files, by which the row that is 0 in them is found."""


class TableRows(ABC):
    """The rows of a table, some columns of them; ``names`` are all that it has."""

    names: list[str]

    @property
    @abstractmethod
    def position(self) -> tuple[int, int]:
        """How much has been read, and of how much."""

    @abstractmethod
    def read(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[Read]:
        """Up to `PART_ROWS` rows at a time.

        Args:
            wanted: names of columns.
            text: those that are text even if every value looks like a number, as the codes "07" and "08" do.

        Raises:
            ValueError: for a file that is damaged or has no row.
        """


class FileRows(TableRows):
    """The rows of one file."""

    def __init__(self, file: TableFile) -> None:
        self.file = file
        self.rows_read = 0

    def read(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[Read]:
        first = 0
        for batch in self._batches(wanted, text):
            for start in range(0, len(batch), PART_ROWS):
                table = pa.Table.from_batches([batch.slice(start, PART_ROWS)])
                files = [(self.file.path, -first)]
                yield first, as_text(files, table), files
                first += len(table)
        if not first:
            raise ValueError(f"{self.file.path} has a header but no row")

    @abstractmethod
    def _batches(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[pa.RecordBatch]:
        """The rows, as many at a time as the file has together."""


class ParquetRows(FileRows):
    """Of a Parquet file; only the wanted columns are read."""

    def __init__(self, file: TableFile) -> None:
        super().__init__(file)
        with readable(file):
            self.content = pq.ParquetFile(file.path)
        self.names = self.content.schema_arrow.names
        check_header(file.path, self.names)

    @property
    def position(self) -> tuple[int, int]:
        return self.rows_read, self.content.metadata.num_rows

    def _batches(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[pa.RecordBatch]:
        with readable(self.file):
            for batch in self.content.iter_batches(PART_ROWS, columns=wanted):
                self.rows_read += len(batch)
                yield batch


class CsvRows(FileRows):
    """Of a text file.

    The first block tells the types of the columns. A later value of another type, as text among numbers, makes the
    rest be read as text, so that its line can be named, or the number that it is be read after all.
    """

    def __init__(self, file: TableFile, dialect: Dialect) -> None:
        super().__init__(file)
        self.dialect = dialect
        self.size = file.path.stat().st_size
        with readable(file), self._open() as reader:
            self.types = {field.name: field.type for field in reader.schema}
            raw = reader.schema.names
        check_header(file.path, raw)
        self.names = named(raw)
        self.raw = dict(zip(self.names, raw, strict=True))

    @property
    def position(self) -> tuple[int, int]:
        return self.size if self.source.closed else self.source.tell(), self.size

    def _batches(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[pa.RecordBatch]:
        types = {name: pa.string() if name in text else self._widest(name) for name in wanted}
        try:
            for batch in self._from_row(0, types):
                self.rows_read += len(batch)
                yield batch
        except pa.ArrowInvalid:
            with readable(self.file):
                for batch in self._from_row(self.rows_read, dict.fromkeys(wanted, pa.binary())):
                    yield self._with_points(batch, [name for name in wanted if pa.types.is_floating(types[name])])
        except UnicodeError:
            with readable(self.file):
                raise

    def _widest(self, name: str) -> pa.DataType:
        """The type of a column in the first block; numbers may have decimals later."""
        seen = self.types[self.raw[name]]
        return pa.float64() if pa.types.is_integer(seen) or pa.types.is_null(seen) else seen

    def _from_row(self, row: int, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        """The batches from a row on."""
        done = 0
        with self._open({self.raw[name]: kind for name, kind in types.items()}) as reader:
            for batch in reader:
                done += len(batch)
                if done > row:
                    yield batch.slice(max(0, len(batch) - (done - row))).rename_columns(list(types))

    def _with_points(self, batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
        """Numbers that are still text with the decimal mark that they have elsewhere."""
        if self.dialect.decimal == ",":
            for name in names:
                column = pc.replace_substring_regex(batch[name], DECIMAL_COMMA, r"\1.\2")
                batch = batch.set_column(batch.schema.get_field_index(name), name, column)
        return batch

    def _open(self, types: dict[str, pa.DataType] | None = None) -> pcsv.CSVStreamingReader:
        self.source, stream = open_text(self.file.path)
        return pcsv.open_csv(
            stream,
            read_options=read_options(self.dialect, block_size=BLOCK),
            parse_options=parse_options(self.dialect),
            convert_options=convert_options(self.dialect, column_types=types, include_columns=list(types or ())),
        )


class ManyRows(TableRows):
    """The rows of several files of the same columns, one after another.

    Raises:
        ValueError: naming the file and the column that it lacks.
    """

    def __init__(self, files: Sequence[FileRows]) -> None:
        self.files = files
        self.done = 0
        self.names = files[0].names
        for each in files[1:]:
            check_same_columns(files[0].file.path, self.names, each.file.path, each.names)

    @property
    def position(self) -> tuple[int, int]:
        sizes = [each.position[1] for each in self.files]
        now = self.files[self.done].position[0] if self.done < len(self.files) else 0
        return sum(sizes[: self.done]) + now, sum(sizes)

    def read(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[Read]:
        before = 0
        for each in self.files:
            n_rows = 0
            for first, table, files in each.read(wanted, text):
                n_rows = first + len(table)
                yield before + first, table, files
            before += n_rows
            self.done += 1


def table_rows(
    path: Path, options: DialectOptions | None = None, fallback: DialectOptions | None = None
) -> tuple[TableRows, list[str]]:
    """The rows of a table, and what was guessed in reading it.

    Args:
        path: a file, a folder of files, or a pattern.
        options, fallback: how text files are read, see `detect`.

    Raises:
        ValueError, FileNotFoundError: if it is not one, or damaged.
    """
    files = [open_table(file, "INPUT", options, fallback) for file in find_tables(path, "INPUT")]
    rows = [ParquetRows(each) if each.dialect is None else CsvRows(each, each.dialect) for each in files]
    return rows[0] if len(rows) == 1 else ManyRows(rows), describe_guesses(files)
