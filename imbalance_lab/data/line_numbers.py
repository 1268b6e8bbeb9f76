"""On which line of a text file a row begins, as an editor counts."""

import csv
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.detect_dialect import detect
from imbalance_lab.data.dialect import Dialect
from imbalance_lab.data.text_encoding import open_unpacked


def line_number(file: Path, row: int) -> int:
    """The line of a row, from 0."""
    return int(line_numbers(file, np.array([row]))[0])


def line_numbers(file: Path, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The line of each row, from 0: one more than ``row + 1`` for each blank line, and line end in quotes, before."""
    begins, found = _beginnings(file, file.stat().st_mtime_ns), rows + 2
    if begins is not None:
        known = rows < len(begins)
        found[known] = begins[rows[known]]
    return found


@lru_cache(maxsize=4)
def _beginnings(file: Path, changed: int) -> NDArray[np.int64] | None:
    """The line of every row, (N,); None where it is ``row + 2`` throughout, as in files without blanks and quotes."""
    dialect = _dialect(file)
    if dialect.encoding == "utf-8" and not dialect.skip_lines and _is_plain(file):
        return None
    found, before_row = [], dialect.skip_lines
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with open_unpacked(file) as content:
        lines = io.TextIOWrapper(content, encoding, errors="replace", newline="")
        for _ in range(dialect.skip_lines):
            next(lines)
        for cells in (reader := csv.reader(lines, delimiter=dialect.delimiter)):
            if cells:
                found.append(before_row + 1)
            before_row = dialect.skip_lines + reader.line_num
    return np.array(found[1:], np.int64)  # the first is the header


def _is_plain(file: Path) -> bool:
    with open_unpacked(file) as content:
        before = b""
        while part := content.read(1 << 24):
            seen = before + part
            if b'"' in seen or b"\n\n" in seen or b"\n\r\n" in seen:
                return False
            before = part[-2:]
    return True


def _dialect(file: Path) -> Dialect:
    try:
        return detect(file).dialect
    except ValueError:  # what could not be detected, the user has given; line ends are the same in most encodings
        return Dialect(encoding="latin-1")
