"""The rows of a CSV or Parquet file, part by part, each column read as the model means it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from imbalance_lab.data.read_table import MISSING, as_text, check_header, readable, table_file
from imbalance_lab.deployment.inputs.stream import PART_ROWS

BLOCK = 1 << 21
"""Bytes of a CSV file that are parsed in one go; a row must fit into them. Arrow reads up to 32 of them ahead."""


class TableRows(ABC):
    """The rows of a file, some columns of them; ``names`` are all that it has."""

    names: list[str]

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows_read = 0

    @property
    @abstractmethod
    def position(self) -> tuple[int, int]:
        """How much has been read, and of how much."""

    @abstractmethod
    def _batches(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[pa.RecordBatch]:
        """The rows, as many at a time as the file has together."""

    def read(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[tuple[int, pa.Table]]:
        """Up to `PART_ROWS` rows at a time, each with the number of its first row, from 0.

        Args:
            wanted: names of columns.
            text: those that are text even if every value looks like a number, as the codes "07" and "08" do.

        Raises:
            ValueError: for a file that is damaged or has no row.
        """
        first = 0
        for batch in self._batches(wanted, text):
            for start in range(0, len(batch), PART_ROWS):
                table = pa.Table.from_batches([batch.slice(start, PART_ROWS)])
                yield first, as_text([(self.file, -first)], table)
                first += len(table)
        if not first:
            raise ValueError(f"{self.file} has a header but no row")


class ParquetRows(TableRows):
    """Of a Parquet file; only the wanted columns are read."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        with readable(file):
            self.content = pq.ParquetFile(file)
        self.names = self.content.schema_arrow.names
        check_header(file, self.names)

    @property
    def position(self) -> tuple[int, int]:
        return self.rows_read, self.content.metadata.num_rows

    def _batches(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[pa.RecordBatch]:
        with readable(self.file):
            for batch in self.content.iter_batches(PART_ROWS, columns=wanted):
                self.rows_read += len(batch)
                yield batch


class CsvRows(TableRows):
    """Of a CSV file.

    The first block tells the types of the columns. A later value of another type, as text among numbers, makes the
    rest be read as text, so that its line can be named, or the number that it is be read after all.
    """

    def __init__(self, file: Path, delimiter: str) -> None:
        super().__init__(file)
        self.delimiter = delimiter
        with readable(file), self._open() as reader:
            self.types = {field.name: field.type for field in reader.schema}
        self.names = reader.schema.names
        check_header(file, self.names)

    @property
    def position(self) -> tuple[int, int]:
        return self.source.tell() if not self.source.closed else self.file.stat().st_size, self.file.stat().st_size

    def _batches(self, wanted: Sequence[str], text: Collection[str]) -> Iterator[pa.RecordBatch]:
        types = {name: pa.string() if name in text else self._widest(name) for name in wanted}
        try:
            for batch in self._from_row(0, types):
                self.rows_read += len(batch)
                yield batch
        except pa.ArrowInvalid:
            with readable(self.file):
                yield from self._from_row(self.rows_read, dict.fromkeys(wanted, pa.binary()))

    def _widest(self, name: str) -> pa.DataType:
        """The type of a column in the first block; numbers may have decimals later."""
        seen = self.types[name]
        return pa.float64() if pa.types.is_integer(seen) or pa.types.is_null(seen) else seen

    def _from_row(self, row: int, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        """The batches from a row on."""
        done = 0
        with self._open(types) as reader:
            for batch in reader:
                done += len(batch)
                if done > row:
                    yield batch.slice(max(0, len(batch) - (done - row)))

    def _open(self, types: dict[str, pa.DataType] | None = None) -> pcsv.CSVStreamingReader:
        self.source = pa.OSFile(str(self.file))
        stream = pa.CompressedInputStream(self.source, "gzip") if self.file.suffix == ".gz" else self.source
        return pcsv.open_csv(
            stream,
            read_options=pcsv.ReadOptions(block_size=BLOCK),
            parse_options=pcsv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(
                null_values=MISSING, strings_can_be_null=True, column_types=types, include_columns=list(types or ())
            ),
        )


def table_rows(file: Path) -> TableRows:
    """The rows of a table.

    Raises:
        ValueError, FileNotFoundError: if it is not one, or damaged.
    """
    file, delimiter = table_file(file, "INPUT")
    return ParquetRows(file) if delimiter is None else CsvRows(file, delimiter)
