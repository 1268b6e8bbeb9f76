"""Numbers as people write them: with marks between thousands, decimal commas, currencies and units."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.units import unit_pattern

PLAIN = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
"""Numbers as programs write them."""

SPACES, APOSTROPHES, MINUSES = "\u00a0\u2007\u2009\u202f", "\u2019\u02bc\u00b4`", "\u2212\u2013\ufe63\uff0d"
"""What typesetters put for a blank, for an apostrophe and for a minus sign."""


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Signs, exponents and negative numbers in parentheses are always read; marks and units may be left out in each
    number, as they are in small ones.

    Args:
        decimal: what stands before the decimals, "." or ",".
        thousands: what stands between groups of digits; None for nothing.
        prefix, suffix: a currency or unit; "" without.
    """

    decimal: str = "."
    thousands: str | None = None
    prefix: str = ""
    suffix: str = ""

    @property
    def pattern(self) -> str:
        """A regular expression for such numbers, as `normalized` leaves them."""
        return self.frame(f"{number_pattern(self.decimal, self.thousands)}(?:[eE][-+]?[0-9]+)?")

    def frame(self, number: str) -> str:
        """A regular expression for signs and units, each optional, around the expression ``number``."""
        before = rf"(?:{unit_pattern(self.prefix)} ?)?" if self.prefix else ""
        after = rf"(?: ?{unit_pattern(self.suffix)})?" if self.suffix else ""
        signed = f"[-+]? ?{before}[-+]? ?{number}-?"
        return rf"^(?:{signed}{after}|\({signed}{after}\)|\({signed}\){after})$"

    def parse(self, texts: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Numbers (N,), NaN where there is none, and (N,) whether a text is there that is no number.

        Numbers as programs write them are read too, where the format does not read them otherwise.
        """
        texts = normalized(texts)
        there = pc.and_kleene(texts.is_valid(), pc.not_equal(texts, "")).fill_null(False)
        fits = pc.match_substring_regex(texts, self.pattern).fill_null(False)
        values = _to_floats(pc.if_else(fits, self._as_plain(texts), None))
        values[_mask(pc.and_(fits, pc.match_substring_regex(texts, r"^[^0-9]*[-(]|[0-9]-").fill_null(False)))] *= -1
        is_plain = pc.and_(pc.invert(fits), pc.match_substring_regex(texts, PLAIN).fill_null(False))
        if pc.any(is_plain).as_py():
            plain = _to_floats(pc.if_else(is_plain, pc.utf8_ltrim(texts, "+"), None))
            values = np.where(_mask(is_plain), plain, values)
        return values, _mask(pc.and_(there, pc.invert(pc.or_(fits, is_plain))))

    def describe(self) -> str:
        """In words, such as "with decimal commas and in 'EUR'"; "" for numbers as programs write them."""
        unit = self.prefix + self.suffix
        marks = {None: "", " ": "blanks", "'": "apostrophes", "_": "underscores", ".": "points", ",": "commas"}
        parts = [
            "with decimal commas" if self.decimal == "," else "",
            f"with {marks[self.thousands]} between thousands" if self.thousands else "",
            f"in {'percent' if unit == '%' else repr(unit)}" if unit else "",
        ]
        return " and ".join(filter(None, parts))

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "NumberFormat":
        """Read what `as_dict` gave."""
        return cls(**content)

    def body(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """What is left of texts that fit `frame` without sign and unit."""
        if re.search("[0-9]", self.suffix):
            texts = pc.replace_substring_regex(texts, rf"(?: ?{unit_pattern(self.suffix)})\)?$", "")
            after = ""
        else:
            after = "".join({*self.suffix, *self.suffix.swapcase(), *"sS."}) if self.suffix else ""
        before = "".join({*self.prefix, *self.prefix.swapcase()})
        return pc.utf8_rtrim(pc.utf8_ltrim(texts, f"(+- {before}"), f")- {after}")

    def _as_plain(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Texts that fit, as programs write numbers, without a sign."""
        body = self.body(texts)
        if self.thousands is not None:
            body = pc.replace_substring(body, self.thousands, "")
        return pc.replace_substring(body, ",", ".") if self.decimal == "," else body


def normalized(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without blanks around them, in which every kind of blank, apostrophe and minus is the plain one."""
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        for characters, plain in ((SPACES, " "), (APOSTROPHES, "'"), (MINUSES, "-")):
            texts = pc.replace_substring_regex(texts, f"[{characters}]", plain)
    return pc.utf8_trim_whitespace(texts)


def number_pattern(decimal: str, thousands: str | None) -> str:
    """A regular expression for numbers without sign and unit; groups have three digits, with commas also two."""
    digits = "[0-9]+"
    if thousands is not None:
        mark = re.escape(thousands)
        groups = rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
        indian = rf"|[1-9][0-9]?(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}" * (thousands == ",")
        digits = f"(?:{groups}{indian}|[0-9]+)"
    point = re.escape(decimal)
    return f"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)"


def _to_floats(texts: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.array(texts.cast(pa.float64()).to_numpy(), np.float64)  # a copy that can be written to


def _mask(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.asarray(column.to_numpy(), np.bool_)
