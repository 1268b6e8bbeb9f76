"""Dates as people write them, read by a format of `datetime.strptime`."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ISO = "%Y-%m-%d"

DIRECTIVES = {
    "d": r"(?P<d>[0-9]{1,2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "b": r"(?P<b>[^\W\d_]{3,9})\.?",
    "B": r"(?P<b>[^\W\d_]{3,9})\.?",
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "H": r"(?P<H>[0-9]{1,2})",
    "I": r"(?P<H>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{2})",
    "S": r"(?P<S>[0-9]{2})",
    "f": r"(?P<f>[0-9]{1,9})",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "z": r"(?P<z>[Zz]|[-+][0-9]{2}:?[0-9]{2}|UTC|GMT)",
    "%": "%",
}
"""What each stands for; a month is known by the first three letters of its English name."""

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
TIME = (
    rf"(?:(?:[Tt]|,?\s+){DIRECTIVES['H']}:{DIRECTIVES['M']}(?::{DIRECTIVES['S']}(?:[.,]{DIRECTIVES['f']})?)?"
    rf"(?:\s?{DIRECTIVES['p']})?(?:\s?{DIRECTIVES['z']})?)?"
)
"""A time that may follow a date."""

PIVOT = 69
"""Years of two digits from here on are of the 20th century, as in POSIX."""


@dataclass(frozen=True)
class DateFormat:
    """How the dates of a column are written.

    A time may follow each date. Times with an offset become UTC; others are taken as they are written. ISO dates are
    read too, whatever the format.

    Args:
        pattern: of `datetime.strptime`, such as ``%d/%m/%Y``, with the directives d m b B Y y H I M S f p z.

    Raises:
        ValueError: for another directive, or one twice; if year or month are lacking.
    """

    pattern: str = ISO

    def __post_init__(self) -> None:
        found = re.findall("%(.?)", self.pattern.replace("%%", ""))
        if unknown := [each for each in found if each not in DIRECTIVES]:
            raise ValueError(
                f"the date format {self.pattern!r} has %{unknown[0]}: use {' '.join(f'%{each}' for each in DIRECTIVES)}"
            )
        parts = [{"B": "b", "I": "H"}.get(each, each) for each in found]
        if len(set(parts)) < len(parts) or not {"Y", "y"} & set(parts) or not {"m", "b"} & set(parts):
            raise ValueError(
                f"the date format {self.pattern!r} must have year and month, once: write such as '%d/%m/%Y'"
            )

    def parse(self, column: pa.ChunkedArray) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
        """Microseconds (N,), NaT where there is none, and (N,) whether something is there that is no date.

        Args:
            column: text, numbers such as 20201231, or dates and timestamps of Arrow.
        """
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            times = column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("M8[us]")
            return times, np.zeros(len(times), np.bool_)
        codes = column.cast(pa.string()).combine_chunks().dictionary_encode()
        texts = codes.dictionary.to_pylist()
        times = np.array([self.read(text) or np.datetime64("NaT") for text in texts] + ["NaT"], "M8[us]")
        wrong = np.array([bool(text.strip()) for text in texts] + [False]) & np.isnat(times)
        at = codes.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        return times[at], wrong[at]

    def read(self, text: str) -> datetime | None:
        """One date, naive; None if it is none."""
        for pattern in (self._compiled, _compiled(ISO)):
            match = pattern.fullmatch(text.strip())
            if match and (found := _to_datetime(match.groupdict())):
                return found
        return None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return _compiled(self.pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(%.|\s+)", pattern)
    found = [
        r"\s+" if part.isspace() else DIRECTIVES[part[1]] if part.startswith("%") else re.escape(part) for part in parts
    ]
    return re.compile("".join(found) + ("" if re.search("%[HI]", pattern) else TIME))


def _to_datetime(parts: dict[str, str | None]) -> datetime | None:
    def number(name: str, default: int = 0) -> int:
        return int(parts.get(name) or default)

    year = number("Y") if parts.get("Y") else number("y") + (1900 if number("y") >= PIVOT else 2000)
    hour, half = number("H"), (parts.get("p") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half == "p")
    try:
        month = MONTHS.index((parts["b"] or "")[:3].lower()) + 1 if "b" in parts else number("m")
        fraction = int(f"{parts.get('f') or 0:0<6}"[:6])
        return datetime(year, month, number("d", 1), hour, number("M"), number("S"), fraction) - _offset(parts.get("z"))
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    """What is added to UTC, at most a day."""
    if not zone or zone[0] not in "+-":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)
