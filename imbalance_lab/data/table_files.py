"""The files of a table: read one after another, as one, with the splits that they stand for."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import torch

from imbalance_lab.data.dialect import DialectOptions
from imbalance_lab.data.label_text import as_label_text
from imbalance_lab.data.missing_values import blank_missing
from imbalance_lab.data.read_table import Files, read_file, require_column
from imbalance_lab.data.splitting import NOTHING, SplitIndices
from imbalance_lab.data.table_source import TableFile, check_same_columns, describe_guesses, find_tables, open_table
from imbalance_lab.data.truth import as_truth, spelled_like
from imbalance_lab.validation import raise_together

UNNAMED = re.compile(r"Unnamed: \d+|__index_level_\d+__")
"""What pandas calls columns without a name, and the row numbers that it writes."""


@dataclass(frozen=True)
class TableFiles:
    """The rows of all files.

    Args:
        files: each with the number of its first row.
        rows: (N) of all of them.
        n_rows: how many each path, by its option, has: "path", "val_path" and so on; None without that path.
        opened: how each was read.
        left_out: columns without a name that tell nothing, and what is in them.
    """

    files: Files
    rows: pa.Table
    n_rows: Mapping[str, int | None]
    opened: tuple[TableFile, ...]
    left_out: Mapping[str, str]

    @property
    def splits(self) -> SplitIndices:
        """The splits that separate paths give; the rows of the first are for training."""
        parts, start = [], 0
        for n_rows in self.n_rows.values():
            parts.append(NOTHING if n_rows is None else torch.arange(start, start + n_rows))
            start += n_rows or 0
        return SplitIndices(*parts)

    def marks(self, options: DialectOptions) -> tuple[str | None, str | None]:
        """The decimal mark and the mark of thousands, as far as ``options`` or the files show them."""
        dialects = [each.dialect for each in self.opened if each.dialect is not None]
        commas = "," if any(each.decimal == "," for each in dialects) else None
        thousands = next((each.thousands for each in dialects if each.thousands is not None), None)
        return options.decimal or commas, options.thousands or thousands

    @property
    def guesses(self) -> list[str]:
        """What was guessed in reading them, a sentence each."""
        left_out = [
            f"column {name!r} {what}: left out; give it a name to keep it" for name, what in self.left_out.items()
        ]
        return describe_guesses(self.opened) + left_out


def read_files(
    paths: Mapping[str, str | None],
    options: DialectOptions,
    text: Collection[str] = (),
    labels: Collection[str] = (),
    keep: Collection[str] = (),
) -> TableFiles:
    """All rows of the files that the paths, by their options, stand for.

    Args:
        paths: a file, a folder of files or a pattern each.
        options: how text files are read; what they leave open is detected.
        text: columns that are text, even if they look like numbers.
        labels: columns of classes, groups or splits: text, the same in every kind of file.
        keep: columns that are not left out, even if they only number the rows.

    Raises:
        ValueError, FileNotFoundError: naming the file and the column.
    """
    files: list[tuple[Path, int]] = []
    tables: list[pa.Table] = []
    opened: list[TableFile] = []
    n_rows: dict[str, int | None] = {}
    for option, path in paths.items():
        before = sum(map(len, tables))
        for file in [] if path is None else find_tables(path, f"data.{option}"):
            opened.append(open_table(file, f"data.{option}", options))
            table = read_file(opened[-1], {*text, *labels})
            if tables:
                check_same_columns(files[0][0], tables[0].column_names, file, table.column_names)
                table = table.select(tables[0].column_names)
            files.append((file, sum(map(len, tables))))
            tables.append(
                with_labels(table if options.missing is None else blank_missing(table, options.missing), labels)
            )
        n_rows[option] = None if path is None else sum(map(len, tables)) - before
    unnamed = (name for name in tables[0].column_names if UNNAMED.fullmatch(name) and name not in {*labels, *keep})
    left_out = {name: what for name in unnamed if (what := describe_nothing([table[name] for table in tables]))}
    rows = join_tables([table.drop_columns(list(left_out)) for table in tables], files)
    return TableFiles(tuple(files), rows, n_rows, tuple(opened), left_out)


def check_columns(options: Mapping[str, Iterable[str]], data: pa.Table, files: Files) -> None:
    """Refuse options that name columns which the table has not.

    Raises:
        ValueError: naming all of them.
    """
    problems: list[str] = []
    for option, columns in options.items():
        for column in columns:
            try:
                require_column(column, data.column_names, files[0][0], f"data.{option}")
            except ValueError as error:
                problems.append(str(error))
    raise_together(problems)


def join_tables(tables: list[pa.Table], files: Files) -> pa.Table:
    """The rows of tables of the same columns, one after the other.

    Raises:
        ValueError: if a column holds different kinds of values.
    """
    tables = _agreeing(tables)
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        names = list(_of_different_kinds(tables))
        raise ValueError(
            f"{files[0][0]} and {files[-1][0]} hold different kinds of values in column "
            f"{', '.join(map(repr, names[:8]))}: {error}"
        ) from error


def _agreeing(tables: list[pa.Table]) -> list[pa.Table]:
    """Tables of the same columns; what is true and false in one, and 0 and 1 in another, is as it is in the first."""
    for name in tables[0].column_names if len(tables) > 1 else ():
        columns = [table[name] for table in tables]
        kinds = {str(column.type) for column in columns}
        if kinds != {"string"} and not (len(kinds) > 1 and kinds & {"bool", "string"}):
            continue
        truth = [each for each in map(as_truth, columns) if each is not None]
        if len(truth) == len(columns):
            at = tables[0].column_names.index(name)
            tables = [
                table.set_column(at, name, spelled_like(columns[0], each))
                for table, each in zip(tables, truth, strict=True)
            ]
    return tables


def _of_different_kinds(tables: list[pa.Table]) -> Iterator[str]:
    for name in tables[0].column_names:
        if len({table[name].type for table in tables if not pa.types.is_null(table[name].type)}) > 1:
            yield name


def with_labels(table: pa.Table, labels: Collection[str]) -> pa.Table:
    """The table with the columns of ``labels`` as text, the same in every kind of file."""
    for at, name in enumerate(table.column_names):
        if name in labels:
            table = table.set_column(at, name, as_label_text(table[name]))
    return table


def describe_nothing(columns: list[pa.ChunkedArray]) -> str | None:
    """What a column without a name, of several files, holds that tells nothing: no value, or numbers of rows."""
    if all(column.null_count == len(column) for column in columns):
        return "has no value"
    is_number = all(
        pa.types.is_integer(column.type) and not column.null_count and len(pc.unique(column)) == len(column)
        for column in columns
    )
    return "only numbers the rows, as pandas' index does" if is_number else None
