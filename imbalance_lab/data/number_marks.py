"""The marks in the numbers of a text file: what stands before decimals, and between thousands."""

import re
from collections import Counter
from collections.abc import Sequence

SIGNED = r"\s*[-+]?"
POINT = re.compile(SIGNED + r"\d*\.\d+([eE][-+]?\d+)?\s*")
COMMA = re.compile(SIGNED + r"\d*,\d+([eE][-+]?\d+)?\s*")
GROUPED = re.compile(
    SIGNED + r"[1-9]\d{0,2}(?P<mark>[.,' \u00a0\u202f\u2019_])\d{3}((?P=mark)\d{3})*(?P<decimals>[.,]\d+)?\s*"
)


def find_marks(cells: Sequence[str], delimiter: str) -> tuple[str | None, str | None]:
    """The decimal mark of the numbers and the mark of thousands, each None if no number shows it.

    ``1,234`` has either: it is taken for a decimal comma only among semicolons, which are used where commas are not
    free.
    """
    groups = Counter[str]()
    points = commas = 0
    for cell in cells:
        grouped = GROUPED.fullmatch(cell)
        if grouped is None:
            points += bool(POINT.fullmatch(cell))
            commas += bool(COMMA.fullmatch(cell))
        elif grouped["decimals"] or cell.count(grouped["mark"]) > 1 or grouped["mark"] not in ".,":
            groups[grouped["mark"]] += 1
            points += (grouped["decimals"] or "").startswith(".")
            commas += (grouped["decimals"] or "").startswith(",")
    if not points and not commas and delimiter == ";":
        commas = sum(bool(COMMA.fullmatch(cell)) for cell in cells)
    decimal = None if not points and not commas else "," if commas > points else "."
    marks = [mark for mark, _ in groups.most_common() if mark != decimal]
    return decimal, marks[0] if marks else None
