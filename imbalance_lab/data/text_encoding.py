"""The bytes of a text file: unpacked, and the encoding that they are in."""

import codecs
import gzip
import re
from pathlib import Path
from typing import BinaryIO, cast

BLOCK = 1 << 20

MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks; that of UTF-32 begins as that of UTF-16 does, and is looked for first."""

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
"""How packed files, and Parquet files, begin."""

NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"%PDF": "a PDF",
    b"ORC": "an ORC file",
    b"ARROW1": "a Feather file",
    b"SQLite format 3": "a database",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}
"""Other files that are taken for tables, by how they begin."""


def open_unpacked(file: Path) -> BinaryIO:
    """The content of a file, also of one that gzip has packed, whatever its name."""
    return cast(BinaryIO, gzip.open(file, "rb")) if is_packed(file) else open(file, "rb")


def is_packed(file: Path) -> bool:
    """Whether gzip has packed the file."""
    return first_bytes(file).startswith(GZIP)


def first_bytes(file: Path) -> bytes:
    """What tells the kind of a file."""
    with open(file, "rb") as content:
        return content.read(16)


def find_encoding(file: Path, head: bytes) -> str | None:
    """The encoding of a file that begins with ``head``, certain but for UTF-16 without a mark; None if unknown.

    UTF-8 is decided on the whole file: the first umlaut may be in its last line.

    Raises:
        ValueError: if it is no text.
    """
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        if wide := _without_mark(head):
            return wide
        raise ValueError(f"{file} is not text: name a .csv, .tsv or .parquet file")
    return "utf-8" if _decodable(file, "utf-8") else None


def guess_western(file: Path) -> tuple[str, str] | None:
    """What a file would be in Western European text that is not UTF-8: (encoding, the first word that shows it).

    None where that is no sensible reading: bytes that stand for nothing there, or runs of letters with accents, as
    other alphabets give.
    """
    if not _decodable(file, "cp1252"):
        return None
    with open_unpacked(file) as content:
        lines = (line.decode("cp1252") for line in content if not line.isascii())
        found = [line for _, line in zip(range(200), lines, strict=False)]
    accented = [word for line in found for word in re.findall(r"[^\W\d_]+", line) if not word.isascii()]
    foreign = sum(bool(re.search(r"[^\x00-\x7f]{3}", word)) for word in accented)
    if foreign > len(accented) / 10:
        return None
    word = re.search(r"\w*[^\x00-\x7f]+\w*", found[0])
    return "cp1252", word[0] if word else found[0]


def _decodable(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_unpacked(file) as content:
        try:
            while block := content.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _without_mark(head: bytes) -> str | None:
    """UTF-16 by its zeros: one byte of every digit, delimiter and line end."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if second > 10 * first and second > len(head) / 50:
        return "utf-16-le"
    return "utf-16-be" if first > 10 * second and first > len(head) / 50 else None
