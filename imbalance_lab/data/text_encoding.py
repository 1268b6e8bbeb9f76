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

GZIP, PARQUET, ZIP, OLD_EXCEL = b"\x1f\x8b", b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How files begin that are not plain text."""


def open_unpacked(file: Path) -> BinaryIO:
    """The content of a file, also of one that gzip has packed, whatever its name."""
    return cast(BinaryIO, gzip.open(file, "rb")) if is_packed(file) else open(file, "rb")


def is_packed(file: Path) -> bool:
    """Whether gzip has packed the file."""
    with open(file, "rb") as content:
        return content.read(2) == GZIP


def find_encoding(file: Path, head: bytes) -> str | None:
    """The encoding of a file that begins with ``head``, certain but for UTF-16 without a mark; None if unknown.

    UTF-8 is decided on the whole file: the first umlaut may be its last line.
    """
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if wide := _without_mark(head):
        return wide
    return "utf-8" if not _undecodable(file, "utf-8") else None


def western(file: Path) -> tuple[str, str] | None:
    """What a file would be in Western European text that is not UTF-8: (encoding, the first line that shows it).

    None where that is no sensible reading: bytes that stand for nothing there, or runs of letters with accents, as
    other alphabets give.
    """
    if _undecodable(file, "cp1252"):
        return None
    with open_unpacked(file) as content:
        lines = (line.decode("cp1252") for line in content if not line.isascii())
        found = [line for _, line in zip(range(200), lines, strict=False)]
    words = [word for line in found for word in re.findall(r"[^\W\d_]+", line)]
    accented = [word for word in words if not word.isascii()]
    foreign = sum(bool(re.search(r"[^\x00-\x7f]{3}", word)) for word in accented)
    if foreign > len(accented) / 10:
        return None
    shown = re.findall(r"[^\W_]*[^\x00-\x7f]+[^\W_]*", found[0])
    return "cp1252", shown[0]


def _undecodable(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_unpacked(file) as content:
        try:
            while block := content.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return True
    return False


def _without_mark(head: bytes) -> str | None:
    """UTF-16 by its zeros, which every second byte of digits, delimiters and line ends is."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if max(first, second) < len(head) / 50 or not head:
        return None
    if second > 10 * first:
        return "utf-16-le"
    return "utf-16-be" if first > 10 * second else None
