"""CSV and Parquet files as Arrow tables; errors name the file, line and column."""

import csv
import gzip
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.validation import did_you_mean

Files = Sequence[tuple[Path, int]]
"""The files that rows come from, each with the number of its first row."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]
"""Missing values in a CSV file; "none" is not one, it may be a class."""


def read_table(path: str | Path, option: str = "data.path", text: Collection[str] = ()) -> pa.Table:
    """Read a ``.csv``, ``.tsv`` (``.gz`` too) or ``.parquet`` file; categories and text become strings.

    Args:
        path: the file.
        option: what names it on the command line.
        text: columns that are text even if every value looks like a number, as the codes "07" and "08" do.

    Raises:
        ValueError, FileNotFoundError: if it is not such a file, or has no rows or no usable header.
    """
    file, delimiter = table_file(path, option)
    with readable(file):
        table = pq.read_table(file) if delimiter is None else _read_csv(file, delimiter, text)
        names = table.column_names
    check_header(file, names)
    if not table.num_rows:
        raise ValueError(f"{file} has a header but no row")
    return as_text([(file, 0)], table)


def table_file(path: str | Path, option: str) -> tuple[Path, str | None]:
    """The file, and what delimits its columns; None for a Parquet file.

    Raises:
        ValueError, FileNotFoundError: if it is not a table.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{option}={path} is not a file: name a .csv, .tsv or .parquet file")
    kind = file.with_suffix("").suffix.lower() if file.suffix == ".gz" else file.suffix.lower()
    if kind != ".parquet" and kind not in DELIMITERS:
        raise ValueError(f"{option}={path} ends in {file.suffix or 'nothing'}: name a .csv, .tsv or .parquet file")
    return file, DELIMITERS.get(kind)


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn what Arrow raises on a broken file into a sentence, a ValueError."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{file} cannot be read: {' '.join(str(error).split())[:300]}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"the header of {file} is not UTF-8: save the file as UTF-8") from error


def check_header(file: Path, names: Sequence[str]) -> None:
    """Refuse a file that is separated by semicolons, and two columns of the same name.

    Raises:
        ValueError: with the remedy.
    """
    if len(names) == 1 and names[0].count(";"):
        raise ValueError(f"{file} is separated by semicolons: save it with commas, and points in its numbers")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{file} has two columns called {name!r}: rename one of them")


def as_text(files: Files, table: pa.Table) -> pa.Table:
    """The table with text as strings, whatever type it is stored as; refuse bytes that are not UTF-8.

    Raises:
        ValueError: naming the place.
    """
    return pa.table({name: _plain(files, name, table[name]) for name in table.column_names})


def as_table(raw: Any, text: Collection[str] = ()) -> pa.Table:
    """A path of a file, an Arrow table, a DataFrame or columns by name, as `read_table` gives it.

    Raises:
        ValueError, FileNotFoundError, TypeError: for what is not a table.
    """
    if isinstance(raw, str | Path):
        return read_table(raw, "path", text)
    if not (isinstance(raw, Mapping | pa.Table) or hasattr(raw, "__arrow_c_stream__") or hasattr(raw, "__dataframe__")):
        raise TypeError(
            f"a table must be a path, a DataFrame, an Arrow table or columns by name, got {type(raw).__name__}"
        )
    try:
        table = raw if isinstance(raw, pa.Table) else pa.table(dict(raw) if isinstance(raw, Mapping) else raw)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise ValueError(f"the data cannot be read as a table: {' '.join(str(error).split())[:300]}") from error
    return as_text((), table)


def format_location(files: Files, row: int) -> str:
    """Where the ``row``-th row (from 0, over all files) stands, as an editor counts it."""
    if not files:
        return f"row {row + 1}"
    file, start = next((file, start) for file, start in reversed(files) if row >= start)
    if file.suffix == ".parquet":
        return f"{file.name}, row {row - start + 1}"
    return f"{file.name}, line {_line_number(file, row - start)}"


def _line_number(file: Path, row: int) -> int:
    """The line on which a row of a CSV file begins: one more than ``row + 1`` for each blank or quoted line before."""
    begins = _beginnings(file, file.stat().st_mtime_ns)
    return row + 2 if begins is None or row >= len(begins) else int(begins[row])


@lru_cache(maxsize=4)
def _beginnings(file: Path, changed: int) -> NDArray[np.int64] | None:
    """The line of every row, (N,); None where it is ``row + 2`` throughout, as in files without blanks and quotes."""
    with _unpacked(file, "rb") as content:
        before, plain = b"", True
        while plain and (part := content.read(1 << 24)):
            seen = before + part
            plain = b'"' not in seen and b"\n\n" not in seen and b"\n\r\n" not in seen
            before = part[-2:]
    if plain:
        return None
    found, before_row = [], 0
    with _unpacked(file, "rt") as lines:
        for cells in (reader := csv.reader(lines, delimiter=_delimiter(file))):
            if cells:
                found.append(before_row + 1)
            before_row = reader.line_num
    return np.array(found[1:], np.int64)  # the first is the header


def _unpacked(file: Path, mode: str) -> Any:
    text: dict[str, Any] = {"encoding": "utf-8", "errors": "replace", "newline": ""} if mode == "rt" else {}
    return gzip.open(file, mode, **text) if file.suffix == ".gz" else open(file, mode, **text)


def _delimiter(file: Path) -> str:
    return DELIMITERS.get(Path(file.name.removesuffix(".gz")).suffix.lower(), ",")


def require_column(name: str, among: Iterable[str], file: Path, option: str) -> str:
    """The name, if there is such a column.

    Raises:
        ValueError: naming the nearest one.
    """
    columns = list(among)
    if name in columns:
        return name
    hint = did_you_mean(name, columns, cutoff=0.5) or f": it has {', '.join(columns[:12])}{' …' * (len(columns) > 12)}"
    raise ValueError(f"{option}={name} is not a column of {file}{hint}")


def first_true(mask: pa.ChunkedArray) -> int:
    """The first row where ``mask`` holds; −1 if it does nowhere."""
    return int(pc.index(mask, True).as_py())


def _read_csv(file: Path, delimiter: str, text: Collection[str], threads: bool = True) -> pa.Table:
    try:
        return pcsv.read_csv(
            file,
            read_options=pcsv.ReadOptions(use_threads=threads),
            parse_options=pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(
                null_values=MISSING, strings_can_be_null=True, column_types=dict.fromkeys(text, pa.string())
            ),
        )
    except pa.ArrowInvalid:
        if not threads:
            raise
        return _read_csv(file, delimiter, text, threads=False)  # only then does the error name the line


def _plain(files: Files, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid:
            row, value = next((row, value) for row, value in enumerate(column.to_pylist()) if not _is_text(value))
            where = format_location(files, row)
            raise ValueError(f"{where}, column {name!r}: {value!r} is not UTF-8: save the file as UTF-8") from None
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def _is_text(value: bytes | None) -> bool:
    try:
        return value is None or bool(value.decode()) or True
    except UnicodeDecodeError:
        return False
