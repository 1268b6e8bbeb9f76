"""Rows of a CSV or Parquet file, part by part; columns are found by name."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from torch import Tensor

from imbalance_lab.data.encode_columns import check_columns, source_columns, text_columns
from imbalance_lab.data.labels import read_targets
from imbalance_lab.data.read_table import Files, require_column
from imbalance_lab.data.table_changes import MissingValues, describe_extra
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.inputs.array_stream import index_keys
from imbalance_lab.deployment.inputs.stream import InputOptions, InputStream, Part, told_in_a_sentence
from imbalance_lab.deployment.inputs.table_rows import table_rows


class TableStream(InputStream):
    """Reads the columns that the model takes, those that name the rows, and the labels if asked for.

    Raises:
        UsageError: if the file is not a table, or a column is missing.
    """

    def __init__(self, file: Path, schema: TableSchema, options: InputOptions) -> None:
        super().__init__(file)
        self.schema = schema
        self.options = options
        self.missing = MissingValues(schema)
        with told_in_a_sentence():
            self.rows, guesses = table_rows(file, options.dialect, options.fallback)
            check_columns(schema.columns, self.rows.names, [(file, 0)])
            for name in options.ids:
                require_column(name, self.rows.names, file, "--id")
            for name in self._labels:
                require_column(name, self.rows.names, file, "the label column")
        known = {*source_columns(schema.columns), *options.ids, *options.unused, *schema.targets}
        self.notes += [*guesses, *describe_extra([name for name in self.rows.names if name not in known])]

    def __iter__(self) -> Iterator[Part]:
        wanted = [*source_columns(self.schema.columns), *self.options.ids, *self._labels]
        text = {*text_columns(self.schema.columns), *self.options.ids, *self._labels}
        with told_in_a_sentence():
            for first, table, files in self.rows.read(list(dict.fromkeys(wanted)), text):
                inputs, unknown = self.schema.encode_rows(table, files)
                self.missing.count(inputs, unknown)
                yield Part(first, self._keys(first, table), inputs, unknown, self._targets(table, files))
        self.notes += self.missing.describe()

    @property
    def position(self) -> tuple[int, int]:
        return self.rows.position

    @property
    def _labels(self) -> Sequence[str]:
        labels = self.options.labels
        return () if labels is None else [labels] if isinstance(labels, str) else labels

    def _keys(self, first: int, table: pa.Table) -> pa.Table:
        return table.select(self.options.ids) if self.options.ids else index_keys(first, len(table))

    def _targets(self, table: pa.Table, files: Files) -> Tensor | None:
        labels = self.options.labels
        return None if labels is None else read_targets(table, labels, files, self.schema.classes)[1]
