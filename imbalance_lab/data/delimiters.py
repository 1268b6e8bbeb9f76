"""What separates the cells of a text: found by trying."""

import csv
import io
from collections.abc import Iterator, Sequence

from imbalance_lab.data.dialect import DELIMITERS
from imbalance_lab.data.number_marks import COMMA

REGULAR = 0.9
"""Share of the rows that have as many cells as the header, with the delimiter that is right."""


def find_delimiter(text: str) -> str | None:
    """The delimiter with which the rows have as many cells, two or more, as the header; None if there is none."""
    fits = {}
    for delimiter in DELIMITERS.values():
        rows = list(records(text, delimiter))
        width = len(rows[0]) if rows else 0
        regular = sum(len(row) == width for row in rows)
        if width > 1 and regular >= REGULAR * len(rows):
            fits[delimiter] = round(_clean(rows[1:] or rows), 2), width
    if len(fits) > 1:
        fits.pop(" ", None)  # within a text it separates words
    return max(fits, key=lambda each: fits[each]) if fits else None


def records(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a text that are not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from (row for row in reader if row)
    except csv.Error:
        return  # a cell without an end; what came before is sample enough


def _clean(rows: Sequence[Sequence[str]]) -> float:
    """The share of cells that hold a number, or no other delimiter."""
    cells = [cell for row in rows for cell in row]
    others = set(DELIMITERS.values()) - {" "}
    clean = sum(bool(COMMA.fullmatch(cell)) or not any(each in cell for each in others) for cell in cells)
    return clean / len(cells) if cells else 0.0
