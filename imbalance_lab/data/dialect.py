"""How a text file is to be read: what separates its columns, how its numbers look, its encoding, its missing values."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from imbalance_lab.validation import check_list, did_you_mean

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""What stands for a missing value in a text file, unless told otherwise; "none" does not, it may be a class."""

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
"""The delimiters that are looked for, by the names that they also go by on a command line."""

DECIMALS = {"point": ".", "comma": ","}
THOUSANDS = {
    "comma": ",",
    "point": ".",
    "space": " ",
    "apostrophe": "'",
    "underscore": "_",
    "no-break space": "\u00a0",
    "narrow no-break space": "\u202f",
    "right quote": "\u2019",
}
ENCODINGS = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "cp1250", "cp1251", "cp1253", "cp1254"),
    *("cp437", "cp850", "iso8859-2", "iso8859-15", "mac-roman", "gb18030", "big5", "shift-jis", "euc-jp", "euc-kr"),
)
"""Those that a message suggests; any text encoding of Python's is accepted."""

OPTIONS = ("delimiter", "decimal", "thousands", "encoding", "missing")
"""What can be said about a text file, by the name of its key in the data's configuration."""

SPELLINGS = {"ansi": "cp1252", "windows": "cp1252", "unicode": "utf-16", "excel": "cp1252"}


@dataclass(frozen=True)
class Dialect:
    """How a text file is read; detected (`detect`) or given (``data.delimiter=`` and so on).

    Args:
        delimiter: one character between the columns.
        decimal: "." or ",".
        thousands: one character between groups of three digits; None if none is known.
        encoding: Python's name; "utf-8" also for a file with a byte order mark.
        missing: the texts that stand for a missing value.
        skip_lines: lines above the header, as the ``sep=;`` of spreadsheets.

    Raises:
        ValueError: for a value that cannot be, or two that contradict each other.
    """

    delimiter: str = ","
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    missing: tuple[str, ...] = MISSING
    skip_lines: int = 0

    def __post_init__(self) -> None:
        if self.decimal == self.thousands:
            raise ValueError(
                f"data.decimal and data.thousands are both {self.decimal!r}: a number cannot be read so, change one"
            )


@dataclass(frozen=True)
class DialectOptions:
    """What a user says about text files; None is left to `detect`, and means `MISSING` for ``missing``."""

    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] | None = None

    @classmethod
    def parse(
        cls,
        *,
        delimiter: str | None = None,
        decimal: str | None = None,
        thousands: str | None = None,
        encoding: str | None = None,
        missing: Sequence[Any] | None = None,
    ) -> Self:
        r"""Read the options as they stand on a command line: characters, or their names; ``tab``, ``\t``.

        Raises:
            ValueError, TypeError: naming the option, the value and the remedy.
        """
        parsed = cls(
            None if delimiter is None else _delimiter(delimiter),
            None if decimal is None else _choice("data.decimal", decimal, DECIMALS),
            None if thousands is None else _choice("data.thousands", thousands, THOUSANDS),
            None if encoding is None else _encoding(encoding),
            None if missing is None else _missing(missing),
        )
        if parsed.thousands is not None and parsed.thousands == (parsed.decimal or "."):
            raise ValueError(
                f"data.thousands={thousands} is what stands before the decimals: set data.decimal too, or change it"
            )
        return parsed

    def as_dict(self) -> dict[str, Any]:
        """Plain values, which `parse` reads."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in OPTIONS
            if (value := getattr(self, name)) is not None
        }


DETECTED = DialectOptions()
"""Nothing is said of text files."""


def _delimiter(value: Any) -> str:
    if isinstance(value, str):
        found = DELIMITERS.get(value.lower(), "\t" if value == "\\t" else value)
        if len(found) == 1 and not found.isalnum() and found not in "\"'\n\r.-+_":
            return found
    raise ValueError(f"data.delimiter={value!r} is not one character: use {', '.join(DELIMITERS)}, or any such as '~'")


def _choice(option: str, value: Any, names: dict[str, str]) -> str:
    found = names.get(value.lower(), value) if isinstance(value, str) else value
    if found in names.values():
        return str(found)
    raise ValueError(f"{option}={value!r} is not possible: use {', '.join(names)}, or the character itself in quotes")


def _encoding(value: Any) -> str:
    """Python's own name for a text encoding."""
    text = str(value)
    try:
        info = codecs.lookup(text)
        if getattr(info, "_is_text_encoding", True) and "e\u0301".encode(text, "replace"):
            return "utf-8" if info.name == "utf-8-sig" else info.name
    except (LookupError, UnicodeError, ValueError):
        pass
    near = SPELLINGS.get(text.lower())
    hint = f"; did you mean {near!r}?" if near else did_you_mean(text.lower(), ENCODINGS, cutoff=0.5)
    raise ValueError(
        f"data.encoding={value!r} is not an encoding of text{hint or ': use such as ' + ', '.join(ENCODINGS[:5])}"
    )


def _missing(value: Any) -> tuple[str, ...]:
    for each in check_list("data.missing", value):
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            word = "null" if each is None else str(each).lower()
            raise ValueError(f"data.missing has {word} where text is needed: put quotes around it")
    return tuple(dict.fromkeys(str(each) for each in value))
