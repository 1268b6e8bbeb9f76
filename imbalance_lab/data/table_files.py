"""The files of a table: read one after another, as one, with the splits that they stand for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from imbalance_lab.data.read_table import Files, read_table, require_column
from imbalance_lab.data.splitting import NOTHING, SplitIndices
from imbalance_lab.data.truth import as_truth
from imbalance_lab.validation import raise_together


def read_files(paths: dict[str, str | None], text: Sequence[str]) -> tuple[Files, pa.Table]:
    """All rows, and each file with the index of its first row."""
    files: list[tuple[Path, int]] = []
    tables: list[pa.Table] = []
    for option, path in paths.items():
        if path is None:
            continue
        more = read_table(path, f"data.{option}", text)
        if tables and set(more.column_names) != set(tables[0].column_names):
            other = sorted(set(more.column_names) ^ set(tables[0].column_names))
            raise ValueError(
                f"{files[0][0]} and {path} do not have the same columns: only one has {', '.join(other[:8])}"
            )
        files.append((Path(path).expanduser(), sum(map(len, tables))))
        tables.append(more.select(tables[0].column_names) if tables else more)
    tables = agreeing(tables)
    try:
        return tuple(files), pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ValueError(
            f"{' and '.join(str(file) for file, _ in files)} hold different kinds of values: {error}"
        ) from error


def agreeing(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Tables of the same columns, in which what is bool in one and 0 and 1, or such words, in another is the same."""
    for name in tables[0].column_names:
        columns = [table[name] for table in tables]
        if len({str(column.type) for column in columns}) == 1 or not any(
            pa.types.is_boolean(column.type) for column in columns
        ):
            continue
        truth = [each for each in map(as_truth, columns) if each is not None]
        if len(truth) == len(columns):
            at = tables[0].column_names.index(name)
            first = columns[0].type
            to = pa.bool_() if pa.types.is_string(first) or pa.types.is_boolean(first) else pa.int64()
            tables = [table.set_column(at, name, each.cast(to)) for table, each in zip(tables, truth, strict=True)]
    return list(tables)


def file_splits(files: Files, n: int, paths: Sequence[str | None]) -> SplitIndices:
    """The splits that separate files give; the rows of the first are for training."""
    ends = [*(start for _, start in files[1:]), n]
    rows = iter([torch.arange(start, end) for (_, start), end in zip(files, ends, strict=True)])
    return SplitIndices(*(NOTHING if path is None else next(rows) for path in paths))


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
