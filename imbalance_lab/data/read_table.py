"""CSV and Parquet files as Arrow tables; errors name the file, line and column."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.data.dialect import Dialect, DialectOptions
from imbalance_lab.data.line_numbers import line_number, line_numbers
from imbalance_lab.data.table_source import TableFile, one_table, open_table
from imbalance_lab.data.text_encoding import is_packed
from imbalance_lab.validation import did_you_mean

Files = Sequence[tuple[Path, int]]
"""The files that rows come from, each with the number of its first row."""

WRONG_WIDTH = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
"""What Arrow says of a row with too many or too few cells."""


def read_table(
    path: str | Path, option: str = "data.path", text: Collection[str] = (), options: DialectOptions | None = None
) -> pa.Table:
    """Read a text file or a Parquet file; categories and text become strings.

    Args:
        path: the file.
        option: what names it on the command line.
        text: columns that are text even if every value looks like a number, as the codes "07" and "08" do.
        options: how a text file is to be read; what they leave open is detected.

    Raises:
        ValueError, FileNotFoundError: if it is not such a file, or has no rows or no usable header.
    """
    return read_file(open_table(one_table(path, option), option, options), text)


def read_file(file: TableFile, text: Collection[str] = ()) -> pa.Table:
    """Read a file, as `read_table` does."""
    with readable(file):
        table = pq.read_table(file.path) if file.dialect is None else _read_csv(file.path, file.dialect, text)
        names = table.column_names
    check_header(file.path, names)
    if not table.num_rows:
        raise ValueError(f"{file.path} has a header but no row")
    return as_text([(file.path, 0)], table.rename_columns(named(names)))


@contextmanager
def readable(file: TableFile) -> Iterator[None]:
    """Turn what Arrow raises on a broken file into a sentence, a ValueError."""
    try:
        yield
    except pa.ArrowInvalid as error:
        if wrong := WRONG_WIDTH.search(str(error)):
            _refuse_width(file.path, *wrong.groups())
        if "invalid UTF8" in str(error):
            row = re.search(r"Row #(\d+)", str(error))
            line = "" if row is None else f", line {line_number(file.path, int(row[1]) - 2)},"
            raise ValueError(
                f"{file.path.name}{line} is not UTF-8: name its encoding, as in data.encoding=cp1252"
            ) from error
        raise ValueError(f"{file.path} cannot be read: {' '.join(str(error).split())[:300]}") from error
    except OSError as error:
        raise ValueError(f"{file.path} cannot be read: {' '.join(str(error).split())[:300]}") from error
    except UnicodeError as error:
        encoding = "UTF-8" if file.dialect is None else file.dialect.encoding.upper()
        raise ValueError(f"{file.path} is not {encoding}: name its encoding, as in data.encoding=cp1252") from error


def check_header(file: Path, names: Sequence[str]) -> None:
    """Refuse two columns of the same name.

    Raises:
        ValueError: with the remedy.
    """
    for name in filter(None, names):
        if names.count(name) > 1:
            raise ValueError(f"{file} has two columns called {name!r}: rename one of them")


def named(names: Sequence[str]) -> list[str]:
    """The names of columns; one without is called as pandas does, "Unnamed: 0" for the first."""
    return [name if name.strip() else f"Unnamed: {number}" for number, name in enumerate(names)]


def as_text(files: Files, table: pa.Table) -> pa.Table:
    """The table with text as strings, whatever type it is stored as; refuse bytes that are not UTF-8.

    Raises:
        ValueError: naming the place.
    """
    return pa.table({name: _plain(files, name, table[name]) for name in table.column_names})


def as_table(raw: Any, text: Collection[str] = (), options: DialectOptions | None = None) -> pa.Table:
    """A path of a file, an Arrow table, a DataFrame or columns by name, as `read_table` gives it.

    Raises:
        ValueError, FileNotFoundError, TypeError: for what is not a table.
    """
    if isinstance(raw, str | Path):
        return read_table(raw, "path", text, options)
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
    return format_locations(files, np.array([row]))[0]


def format_locations(files: Files, rows: NDArray[np.int64]) -> list[str]:
    """The same of many rows (N,)."""
    if not files:
        return [f"row {row + 1}" for row in rows.tolist()]
    places = np.searchsorted([start for _, start in files], rows, side="right") - 1
    found: list[str] = [""] * len(rows)
    for at in np.unique(places).tolist():
        (file, start), of_file = files[at], np.flatnonzero(places == at)
        is_parquet = file.suffix in (".parquet", ".pq")
        numbers = rows[of_file] - start
        numbers = numbers + 1 if is_parquet else line_numbers(file, numbers)
        unit = "row" if is_parquet else "line"
        for to, number in zip(of_file.tolist(), numbers.tolist(), strict=True):
            found[to] = f"{file.name}, {unit} {number}"
    return found


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


def open_text(file: Path) -> tuple[pa.NativeFile, pa.NativeFile]:
    """A text file, whose position says how much has been read, and its unpacked bytes: the same, unless packed."""
    source = pa.OSFile(str(file))
    return source, pa.CompressedInputStream(source, "gzip") if is_packed(file) else source


def read_options(dialect: Dialect, **options: Any) -> pcsv.ReadOptions:
    """Arrow's options for the lines of a file."""
    return pcsv.ReadOptions(encoding=dialect.encoding, skip_rows=dialect.skip_lines, **options)


def parse_options(dialect: Dialect) -> pcsv.ParseOptions:
    """Arrow's options for the cells of a file."""
    return pcsv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True)


def convert_options(dialect: Dialect, **options: Any) -> pcsv.ConvertOptions:
    """Arrow's options for the values of a file."""
    missing = list(dialect.missing)
    return pcsv.ConvertOptions(null_values=missing, strings_can_be_null=True, decimal_point=dialect.decimal, **options)


def _read_csv(file: Path, dialect: Dialect, text: Collection[str], threads: bool = True) -> pa.Table:
    try:
        return pcsv.read_csv(
            open_text(file)[1],
            read_options=read_options(dialect, use_threads=threads),
            parse_options=parse_options(dialect),
            convert_options=convert_options(dialect, column_types=dict.fromkeys(text, pa.string())),
        )
    except pa.ArrowInvalid:
        if not threads:
            raise
        return _read_csv(file, dialect, text, threads=False)  # only then does the error name the line


def _refuse_width(file: Path, row: str | None, expected: str, got: str) -> NoReturn:
    place = f"{file}" if row is None else f"{file.name}, line {line_number(file, int(row) - 2)}"
    remedy = "put the cell that has a delimiter in it into quotes, or remove what is too much"
    if int(got) < int(expected):
        remedy = "add what is missing, if only the delimiters"
    raise ValueError(f"{place} has a row of {got} cells, but the header has {expected}: {remedy}")


def _plain(files: Files, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid:
            row, value = next((row, value) for row, value in enumerate(column.to_pylist()) if not _is_text(value))
            where = format_location(files, row)
            raise ValueError(
                f"{where}, column {name!r}: {value!r} is not UTF-8: name the encoding, as in data.encoding=cp1252"
            ) from None
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def _is_text(value: bytes | None) -> bool:
    try:
        return value is None or bool(value.decode()) or True
    except UnicodeDecodeError:
        return False
