"""Where the header and the rows of a text file are: what cannot be read as a table is refused with the remedy."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from imbalance_lab.data.delimiters import REGULAR, records
from imbalance_lab.data.dialect import DELIMITERS, Dialect
from imbalance_lab.text import shorten_middle

NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*")
MAX_SHOWN = 60


NAMES = {name: mark for name, mark in DELIMITERS.items() if mark != " "}
"""The delimiters that are not also in every title."""


def check_layout(file: Path, text: str, dialect: Dialect, is_given: bool = False) -> None:
    """Refuse a sample without a header, with lines above it, or with a header that does not fit to the rows.

    Args:
        file: what the text is the beginning of.
        text: whole lines.
        dialect: as which it is read.
        is_given: whether the user said what separates the columns: then nothing else is tried.

    Raises:
        ValueError: naming the line and the remedy.
    """
    rows = list(records(text, dialect.delimiter))
    if not rows:
        raise ValueError(f"{file} is empty: it must have a header, and a row for each example")
    tried = [dialect.delimiter] if is_given else NAMES.values()
    above = next((found for each in tried if (found := _above(list(records(text, each))))), None)
    width = len(rows[0])
    regular = sum(len(row) == width for row in rows)
    if above is not None and (width == 1 or regular < REGULAR * len(rows)):
        _refuse_header(file, text, *above)
    if _is_data(rows[0]) and len(rows) > 1:
        cell = next(cell for cell in rows[0] if NUMBER.fullmatch(cell))
        raise ValueError(
            f"the first line of {file} holds values, such as {cell.strip()}, not names of columns: add a header line"
        )


def _above(rows: Sequence[Sequence[str]]) -> tuple[int, int, Sequence[Sequence[str]]] | None:
    """(First row that is as wide as most, their width, the rows), if it is not the first; None otherwise."""
    if len(rows) < 3:
        return None
    width, _ = Counter(map(len, rows[1:])).most_common(1)[0]
    first = next(number for number, row in enumerate(rows) if len(row) == width)
    regular = sum(len(row) == width for row in rows[first:])
    return (first, width, rows) if width > 1 and first and regular >= REGULAR * (len(rows) - first) else None


def _refuse_header(file: Path, text: str, first: int, width: int, rows: Sequence[Sequence[str]]) -> None:
    names, header = len(rows[0]), next(line for line in text.splitlines() if line.strip())
    if first == 1:
        other = [name for name, each in NAMES.items() if len(next(iter(records(text, each)))) == width]
        if other and names == 1:
            raise ValueError(
                f"the header of {file} is separated by {other[0]}s, but its rows are not: use one for both"
            )
        if names == width - 1 and names > 1:
            remedy = (
                "every row ends with a delimiter: remove it, or add one to the header"
                if not any(row[-1] for row in rows[1:])
                else "give the first column a name; R writes none unless row.names=FALSE"
            )
            raise ValueError(f"the header of {file} has {names} cells, but the rows have {width}: {remedy}")
    shown = shorten_middle(header.strip(), MAX_SHOWN)
    raise ValueError(
        f"{file} begins with {shown!r}, which is not its header of {width} columns: remove the "
        f"{'line' if first == 1 else f'{first} lines'} above the header"
    )


def _is_data(header: Sequence[str]) -> bool:
    """Whether most cells are numbers that do not count up, as years and wavelengths do."""
    numbers = [float(cell.replace(",", ".")) for cell in header if NUMBER.fullmatch(cell)]
    counts_up = len(numbers) < 2 or all(a < b for a, b in pairwise(numbers))
    return bool(numbers) and len(numbers) >= len(header) / 2 and (not counts_up)
