"""How a text file seems to be written, from a sample of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imbalance_lab.data.delimiters import find_delimiter, records
from imbalance_lab.data.dialect import DELIMITERS, MISSING, Dialect, DialectOptions
from imbalance_lab.data.number_marks import find_marks
from imbalance_lab.data.text_encoding import MARKS, find_encoding, guess_western, open_unpacked
from imbalance_lab.data.text_layout import check_layout

SAMPLE, MAX_SAMPLE, ENOUGH_LINES = 1 << 16, 1 << 22, 20
"""Bytes that are looked at, and more while they have fewer lines than that."""

SEP_LINE = re.compile(r"\"?sep=(.)\"?\r?\n", re.IGNORECASE)
"""The first line by which spreadsheets name the delimiter."""


@dataclass(frozen=True)
class Guess:
    """A dialect, and what of it was neither given nor is usual, in words: "is separated by semicolons (…)"."""

    dialect: Dialect
    reasons: Sequence[str] = ()


def detect(
    file: Path, options: DialectOptions | None = None, fallback: DialectOptions | None = None, usual: str = ","
) -> Guess:
    """How a text file is to be read.

    Args:
        file: text, maybe packed by gzip.
        options: what the user says; it is never doubted.
        fallback: what holds where the content shows nothing else, as the options that a model was trained with.
        usual: the delimiter that the file's name stands for, where the content shows none.

    Raises:
        ValueError: if it is not text, or not a table, or its encoding cannot be told; with the remedy.
    """
    given, before = options or DialectOptions(), fallback or DialectOptions()
    head, is_whole = _read_head(file)
    encoding, odd = _encoding(file, head, given.encoding, before.encoding)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    if not is_whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    if named := SEP_LINE.match(text):
        text = text[named.end() :]
    found = named[1] if named else find_delimiter(text)
    delimiter = given.delimiter or found or before.delimiter or usual
    cells = [cell for row in list(records(text, delimiter))[1:] for cell in row]
    seen_decimal, seen_thousands = find_marks(cells, delimiter)
    decimal = given.decimal or seen_decimal or before.decimal or "."
    thousands = given.thousands or seen_thousands or before.thousands
    missing = next(each for each in (given.missing, before.missing, MISSING) if each is not None)
    dialect = Dialect(
        delimiter, decimal, None if thousands == decimal else thousands, encoding, missing, 1 if named else 0
    )
    check_layout(file, text, dialect, is_given=given.delimiter is not None)
    return Guess(dialect, [*_described(dialect, given), *odd])


def _read_head(file: Path) -> tuple[bytes, bool]:
    """The beginning of a file, and whether that is all of it."""
    with open_unpacked(file) as content:
        head = content.read(SAMPLE)
        while head.count(b"\n") < ENOUGH_LINES and len(head) < MAX_SAMPLE and (more := content.read(SAMPLE)):
            head += more
        return head, not content.read(1)


def _encoding(file: Path, head: bytes, given: str | None, before: str | None) -> tuple[str, list[str]]:
    if given is not None:
        mark = next((name for start, name in MARKS.items() if head.startswith(start)), given)
        if mark[:5] != given[:5]:
            raise ValueError(f"{file} begins as {mark.upper()} does, but data.encoding={given}: leave that out")
        return given, []
    if (found := find_encoding(file, head)) is not None:
        return found, [] if found == "utf-8" else [f"is encoded as {found.upper()} (data.encoding)"]
    if before is not None:
        return before, []
    if (guess := guess_western(file)) is None:
        raise ValueError(
            f"{file} is neither UTF-8 nor Western European text: save it as UTF-8, or name its encoding, as in "
            "data.encoding=cp1251, gb18030 or shift_jis"
        )
    encoding, word = guess
    return encoding, [f"is not UTF-8, but taken for {encoding}, in which it has {word!r} (data.encoding)"]


def _described(dialect: Dialect, given: DialectOptions) -> Iterator[str]:
    names = {mark: f"{name}s" for name, mark in DELIMITERS.items()}
    if given.delimiter is None and dialect.delimiter != ",":
        yield f"is separated by {names.get(dialect.delimiter, repr(dialect.delimiter))} (data.delimiter)"
    if given.decimal is None and dialect.decimal != ".":
        yield "has decimal commas (data.decimal)"
