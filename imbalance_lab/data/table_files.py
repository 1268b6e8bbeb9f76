"""The files of a table: read one after another, as one, with the splits that they stand for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from imbalance_lab.data.read_table import Files, read_table, require_column
from imbalance_lab.data.splitting import NOTHING, SplitIndices


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
    try:
        return tuple(files), pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ValueError(
            f"{' and '.join(str(file) for file, _ in files)} hold different kinds of values: {error}"
        ) from error


def file_splits(files: Files, n: int, paths: Sequence[str | None]) -> SplitIndices:
    """The splits that separate files give; the rows of the first are for training."""
    ends = [*(start for _, start in files[1:]), n]
    rows = iter([torch.arange(start, end) for (_, start), end in zip(files, ends, strict=True)])
    return SplitIndices(*(NOTHING if path is None else next(rows) for path in paths))


def check_columns(options: Mapping[str, Iterable[str]], data: pa.Table, files: Files) -> None:
    """Refuse an option that names a column which the table has not."""
    for option, columns in options.items():
        for column in columns:
            require_column(column, data.column_names, files[0][0], f"data.{option}")
