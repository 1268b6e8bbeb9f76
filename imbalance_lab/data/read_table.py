"""CSV and Parquet files as Arrow tables; what is wrong with them is said by file, line and column."""

import csv
import gzip
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

Files = Sequence[tuple[Path, int]]
"""The files that rows come from, each with the number of its first row."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]
"""What stands for a missing value in a CSV file; "none" does not, which is a name."""


def read_table(path: str | Path, option: str = "data.path") -> pa.Table:
    """Read a ``.csv``, ``.tsv`` (``.gz`` too) or ``.parquet`` file; categories and text become strings.

    Args:
        path: the file.
        option: what names it on the command line.

    Raises:
        ValueError, FileNotFoundError: for what is no such file, or has no rows or no usable header.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{option}={path} is no file: name a .csv, .tsv or .parquet file")
    kind = file.with_suffix("").suffix.lower() if file.suffix == ".gz" else file.suffix.lower()
    if kind != ".parquet" and kind not in DELIMITERS:
        raise ValueError(f"{option}={path} ends in {file.suffix or 'nothing'}: name a .csv, .tsv or .parquet file")
    try:
        table = pq.read_table(file) if kind == ".parquet" else _read_csv(file, DELIMITERS[kind])
        names = table.column_names
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{file} cannot be read: {' '.join(str(error).split())[:300]}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"the header of {file} is not UTF-8: save the file as UTF-8") from error
    if not table.num_rows:
        raise ValueError(f"{file} has a header but no row")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{file} has two columns called {name!r}: rename one of them")
    return pa.table({name: _plain(file, name, table[name]) for name in names})


def place(files: Files, row: int) -> str:
    """Where the ``row``-th row (from 0, over all files) stands, as an editor counts it."""
    file, start = next((file, start) for file, start in reversed(files) if row >= start)
    if file.suffix == ".parquet":
        return f"{file.name}, row {row - start + 1}"
    return f"{file.name}, line {_line(file, row - start)}"


def _line(file: Path, row: int) -> int:
    """The line on which a row of a CSV file begins: one more than ``row + 1`` for each blank or quoted line before."""
    unpack = gzip.open if file.suffix == ".gz" else open
    with unpack(file, "rt", encoding="utf-8", errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=DELIMITERS.get(Path(file.name.removesuffix(".gz")).suffix.lower(), ","))
        seen, before = -2, 0  # the header is no row
        for cells in reader:
            seen += bool(cells)
            if seen == row:
                return before + 1
            before = reader.line_num
    return row + 2


def known(name: str, among: Iterable[str], file: Path, option: str) -> str:
    """The name, if there is such a column.

    Raises:
        ValueError: naming the nearest one.
    """
    columns = list(among)
    if name in columns:
        return name
    near = get_close_matches(str(name), columns, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f": it has {', '.join(columns[:12])}{' …' * (len(columns) > 12)}"
    raise ValueError(f"{option}={name} is no column of {file}{hint}")


def first(mask: pa.ChunkedArray) -> int:
    """The first row where ``mask`` holds; −1 if it does nowhere."""
    return int(pc.index(mask, True).as_py())


def _read_csv(file: Path, delimiter: str, threads: bool = True) -> pa.Table:
    try:
        return pcsv.read_csv(
            file,
            read_options=pcsv.ReadOptions(use_threads=threads),
            parse_options=pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(null_values=MISSING, strings_can_be_null=True),
        )
    except pa.ArrowInvalid:
        if not threads:
            raise
        return _read_csv(file, delimiter, threads=False)  # only this way does the error tell the line


def _plain(file: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as strings, whatever it was stored as; refuse what is no text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid:
            row, value = next((row, value) for row, value in enumerate(column.to_pylist()) if not _is_text(value))
            where = place([(file, 0)], row)
            raise ValueError(f"{where}, column {name!r}: {value!r} is not UTF-8: save the file as UTF-8") from None
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def _is_text(value: bytes | None) -> bool:
    try:
        return value is None or bool(value.decode()) or True
    except UnicodeDecodeError:
        return False
