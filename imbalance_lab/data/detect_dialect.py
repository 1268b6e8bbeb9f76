"""How a text file seems to be written, from a sample of it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imbalance_lab.data.dialect import DELIMITERS, MISSING, Dialect, DialectOptions
from imbalance_lab.data.text_encoding import find_encoding, open_unpacked, western

SAMPLE, MAX_SAMPLE, ENOUGH_LINES = 1 << 16, 1 << 22, 20
"""Bytes that are looked at, and more while they have fewer lines than that."""

REGULAR = 0.9
"""Share of the rows that have as many cells as the header, with the delimiter that is right."""

SEP_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""The first line by which spreadsheets name the delimiter."""

SIGNED = r"\s*[-+]?"
POINT = re.compile(SIGNED + r"\d*\.\d+([eE][-+]?\d+)?\s*")
COMMA = re.compile(SIGNED + r"\d*,\d+([eE][-+]?\d+)?\s*")
GROUPED = re.compile(
    SIGNED + r"[1-9]\d{0,2}(?P<mark>[.,' \u00a0\u202f\u2019_])\d{3}((?P=mark)\d{3})*(?P<decimals>[.,]\d+)?\s*"
)


@dataclass(frozen=True)
class Guess:
    """A dialect, and what of it was neither given nor is usual, in words: "separated by semicolons"."""

    dialect: Dialect
    reasons: Sequence[str] = ()


def detect(
    file: Path, options: DialectOptions | None = None, fallback: DialectOptions | None = None, suffix: str = ","
) -> Guess:
    """How a text file is to be read.

    Args:
        file: text, maybe packed by gzip.
        options: what the user says; it is never doubted.
        fallback: what holds where the content shows nothing else, as the options that a model was trained with.
        suffix: the delimiter that the file's name stands for, where the content shows none.

    Raises:
        ValueError: if it is not text, or its encoding cannot be told; with the remedy.
    """
    given, usual = options or DialectOptions(), fallback or DialectOptions()
    with open_unpacked(file) as content:
        head = content.read(SAMPLE)
        while head.count(b"\n") < ENOUGH_LINES and len(head) < MAX_SAMPLE and (more := content.read(SAMPLE)):
            head += more
        is_whole = not content.read(1)
    encoding, reasons = _encoding(file, head, given.encoding, usual.encoding)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    if not is_whole:
        text = text[: text.rfind("\n") + 1]
    named = SEP_LINE.match(text)
    body = text[named.end() :] if named else text
    delimiter = given.delimiter or (named[1] if named else find_delimiter(body)) or usual.delimiter or suffix
    rows = list(records(body, delimiter))[1:]
    decimal, thousands = find_marks([cell for row in rows for cell in row], delimiter)
    decimal = given.decimal or decimal or usual.decimal or "."
    thousands = given.thousands or (None if thousands == decimal else thousands) or usual.thousands
    missing = next(each for each in (given.missing, usual.missing, MISSING) if each is not None)
    dialect = Dialect(
        delimiter, decimal, None if thousands == decimal else thousands, encoding, missing, 1 if named else 0
    )
    return Guess(dialect, [*_described(dialect, given), *reasons])


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


def find_marks(cells: Sequence[str], delimiter: str) -> tuple[str | None, str | None]:
    """The decimal mark of the numbers and the mark of thousands, each None if no number shows it.

    ``1,234`` has either: it is taken for a decimal comma only among semicolons, which are used where commas are not
    free.
    """
    groups = Counter[str]()
    points = commas = 0
    for cell in cells:
        grouped = GROUPED.fullmatch(cell)
        is_clear = grouped is None or cell.count(grouped["mark"]) > 1 or bool(grouped["decimals"])
        if grouped and (is_clear or grouped["mark"] not in ".,"):
            groups[grouped["mark"]] += 1
            cell = cell.replace(grouped["mark"], "")
        points += bool(is_clear and POINT.fullmatch(cell))
        commas += bool(is_clear and COMMA.fullmatch(cell))
    if not points and not commas and delimiter == ";":
        commas = sum(bool(COMMA.fullmatch(cell)) for cell in cells)
    decimal = None if not points and not commas else "," if commas > points else "."
    marks = [mark for mark, _ in groups.most_common() if mark != decimal]
    return decimal, marks[0] if marks else None


def _clean(rows: Sequence[Sequence[str]]) -> float:
    """The share of cells that hold a number, or no other delimiter."""
    cells = [cell for row in rows for cell in row]
    others = "".join(set(DELIMITERS.values()) - {" "})
    clean = sum(bool(COMMA.fullmatch(cell)) or not any(each in cell for each in others) for cell in cells)
    return clean / len(cells) if cells else 0.0


def _encoding(file: Path, head: bytes, given: str | None, usual: str | None) -> tuple[str, list[str]]:
    if given is not None:
        return given, []
    if (found := find_encoding(file, head)) is not None:
        return found, [] if found == "utf-8" else [f"encoded as {found.upper()} (data.encoding)"]
    if usual is not None:
        return usual, []
    if (guess := western(file)) is None:
        raise ValueError(
            f"{file} is not UTF-8, nor Western European text: save it as UTF-8, or name its encoding, as in "
            "data.encoding=cp1251, gb18030 or shift_jis"
        )
    encoding, example = guess
    return encoding, [f"not UTF-8 but taken for {encoding}, in which it has {example!r} (data.encoding)"]


def _described(dialect: Dialect, given: DialectOptions) -> Iterator[str]:
    names = {mark: name for name, mark in DELIMITERS.items()}
    if given.delimiter is None and dialect.delimiter != ",":
        name = names.get(dialect.delimiter)
        yield f"separated by {name + 's' if name else repr(dialect.delimiter)} (data.delimiter)"
    if given.decimal is None and dialect.decimal != ".":
        yield "written with decimal commas (data.decimal)"
    if given.thousands is None and dialect.thousands is not None:
        yield f"written with {dialect.thousands!r} between thousands (data.thousands)"
