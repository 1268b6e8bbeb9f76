"""Whether the texts of a column are numbers, and how they are written; what has two meanings is never guessed."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.number_text import NumberFormat, normalized, number_pattern
from imbalance_lab.data.units import is_known_unit, is_unit, same_unit

SAMPLE = 2000
"""Different texts, evenly spaced, from which units are found; all texts are then tried."""

MOSTLY, NEARLY_ALL, SEVERAL = 0.5, 0.9, 20
"""A column holds numbers if so large a share of its rows do, or nearly all of several different texts."""

MARKS = [(".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"), (".", "_")]
"""Decimal mark and mark of thousands."""

NAMES = {".": "point", ",": "comma"}
"""Of marks, as the options take them."""

TEXT = re.compile(
    r"\(?[-+]? ?(?P<prefix>(?:[^\d\s.,'()+-]{0,7}(?:[^\W\d_]\.?|[^\w\s.,'()+-]))?) ?[-+]? ?"
    r"(?:[0-9][0-9.,' _]*[0-9][.,]?|[0-9][.,]?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?-?\)? ?"
    r"(?P<suffix>(?:[^\d\s().,'+-].{0,19}?)?)\)?"
)
INTEGER = r"^\s*[-+]?[0-9]+\s*$"
ANY_NUMBER = "[0-9.,' _]*[0-9][.,]?(?:[eE][-+]?[0-9]+)?"


@dataclass(frozen=True)
class FoundNumbers:
    """Numbers in a column of text.

    Args:
        format: how they are written.
        example: one, as it stands there.
        strangers: the texts that are no such numbers, the most frequent first, each with the number of its rows.
        n_rows: that are.
    """

    format: NumberFormat
    example: str
    strangers: dict[str, int]
    n_rows: int


class AmbiguousNumbersError(ValueError):
    """Numbers that can be read in two ways, or have several units; the sentence goes on after the column's name."""


def find_numbers(
    column: pa.ChunkedArray, decimal: str | None = None, thousands: str | None = None
) -> FoundNumbers | None:
    """The numbers of a text column; None if it holds something else, such as codes with leading zeros.

    Args:
        column: text, with its missing values.
        decimal, thousands: the marks of the file, which decide where the column itself does not; None if unknown.

    Raises:
        AmbiguousNumbersError: with the option that decides.
    """
    texts = _Texts.of(column)
    unit = _unit_of(texts)
    if unit is None:
        return None
    frame = NumberFormat(prefix=unit[0], suffix=unit[1])
    framed = texts.where(pc.match_substring_regex(texts.plain, frame.frame(ANY_NUMBER)))
    bodies = frame.body(framed.plain)
    if not len(bodies) or pc.any(pc.match_substring_regex(bodies, "^0[0-9]")).as_py():
        return None
    exponent = "(?:[eE][-+]?[0-9]+)?$"
    fits = {
        marks: pc.match_substring_regex(bodies, f"^{number_pattern(*marks)}{exponent}").to_numpy(zero_copy_only=False)
        for marks in MARKS
    }
    marks = _choose(fits, framed, bodies, unit, (decimal, thousands))
    if marks is None:
        return None
    found = NumberFormat(*marks, *unit)
    is_number = pc.match_substring_regex(texts.plain, found.pattern)
    numbers, others = texts.where(is_number), texts.where(pc.invert(is_number))
    if not _is_most(numbers, others):
        return None
    if not len(others.raw) and pc.all(pc.match_substring_regex(numbers.raw, INTEGER)).as_py():
        return None  # integers that somebody has stored as text: codes
    order = np.argsort(-others.rows, kind="stable")
    strangers = dict(zip(others.raw.take(order).to_pylist(), others.rows[order].tolist(), strict=True))
    return FoundNumbers(found, _telling(numbers), strangers, int(numbers.rows.sum()))


@dataclass(frozen=True)
class _Texts:
    """The different texts of a column that are not blank: as they stand there, normalized, and their rows."""

    raw: pa.Array
    plain: pa.Array
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Self:
        counts = column.drop_null().value_counts()
        raw = counts.field("values")
        plain = normalized(raw)
        return cls(raw, plain, counts.field("counts").to_numpy()).where(pc.not_equal(plain, ""))

    def where(self, mask: pa.Array) -> Self:
        """Those of ``mask``."""
        rows = self.rows[mask.to_numpy(zero_copy_only=False)]
        return replace(self, raw=self.raw.filter(mask), plain=self.plain.filter(mask), rows=rows)


def _telling(numbers: _Texts) -> str:
    """A text that shows how the numbers are written: a long one, of the first."""
    texts: list[str] = numbers.raw[:SAMPLE].to_pylist()
    return max(texts, key=len)


def _is_most(numbers: _Texts, others: _Texts) -> bool:
    different = len(numbers.raw), len(others.raw)
    is_nearly_all = different[0] >= max(SEVERAL, NEARLY_ALL * sum(different))
    rows = int(numbers.rows.sum()), int(others.rows.sum())
    return bool(different[0]) and (is_nearly_all or rows[0] >= MOSTLY * sum(rows))


def _unit_of(texts: _Texts) -> tuple[str, str] | None:
    """The prefix and suffix of the numbers, as most have them; None if they are no numbers."""
    at = np.linspace(0, len(texts.raw) - 1, min(SAMPLE, len(texts.raw))).astype(np.int64)
    spellings: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    different, rows = 0, 0
    for text, n in zip(texts.plain.take(at).to_pylist(), texts.rows[at].tolist(), strict=True):
        split = TEXT.fullmatch(text)
        if split and is_unit(*(unit := (split["prefix"], split["suffix"]))):
            spellings.setdefault((same_unit(unit[0]), same_unit(unit[1])), Counter())[unit] += n
            different, rows = different + 1, rows + n
    if not different or (different < NEARLY_ALL * len(at) and rows < MOSTLY * texts.rows[at].sum()):
        return None
    plain = spellings.pop(("", ""), Counter())
    if len(spellings) < 2:
        return next((each.most_common(1)[0][0] for each in spellings.values()), ("", ""))
    if plain.total() > sum(each.total() for each in spellings.values()):
        return "", ""
    units = [each.most_common(1)[0] for each in spellings.values()]
    if len(texts.raw) > SEVERAL and all(is_known_unit(*unit) for unit, _ in units):
        named = ", ".join(f"{(prefix + suffix)!r} ({n:,})" for (prefix, suffix), n in units[:4])
        raise AmbiguousNumbersError(f"holds numbers in different units, {named}: convert them to one")
    return None


Marks = tuple[str, str | None]


def _choose(
    fits: dict[Marks, NDArray[np.bool_]], texts: _Texts, bodies: pa.Array, unit: tuple[str, str], known: Sequence[Any]
) -> Marks | None:
    """The marks with which most texts are numbers; those of the file where several do; None if none does."""
    best = max(int(mask.sum()) for mask in fits.values())
    if not best:
        return None
    has = {mark: pc.any(pc.match_substring(bodies, mark)).as_py() for mark in ".,'_ "}
    readings: dict[Marks, NDArray[np.bool_]] = {}
    for (decimal, thousands), mask in fits.items():
        if mask.sum() == best:
            used = decimal if has[decimal] or (thousands == "." and has["."]) else "."
            readings.setdefault((used, thousands if thousands and has[thousands] else None), mask)
    if len(readings) == 1:
        return next(iter(readings))
    fitting = [marks for marks in readings if _agrees(marks, *known)]
    if len(fitting) == 1:
        return fitting[0]
    if unit == ("", "") and (".", None) in readings and best == len(bodies):
        return ".", None  # as programs write them
    (one, first), (other, second) = list(readings.items())[:2]
    if (both := np.flatnonzero(first & second)).size:
        example = texts.raw[int(both[0])].as_py()
        values = (f"{_value(example, marks, unit):.12g} with {_options(*marks)}" for marks in (one, other))
        raise AmbiguousNumbersError(
            f"holds {example!r}, which is {' but '.join(values)}, and no value shows which is meant: pass one of them"
        )
    if (first | second).sum() < NEARLY_ALL * len(bodies):
        return None
    examples = (texts.raw[int(mask.argmax())].as_py() for mask in (first, second))
    raise AmbiguousNumbersError(f"holds numbers written as {' and as '.join(map(repr, examples))}: write them alike")


def _agrees(marks: Marks, decimal: str | None, thousands: str | None) -> bool:
    """Whether the marks of a column can be those of its file, of which something is known."""
    if decimal is None and thousands is None:
        return False
    return (
        decimal in (None, marks[0]) and thousands != marks[0] and (thousands is None or marks[1] in (None, thousands))
    )


def _value(text: str, marks: Marks, unit: tuple[str, str]) -> float:
    return float(NumberFormat(*marks, *unit).parse(pa.chunked_array([[text]]))[0][0])


def _options(decimal: str, thousands: str | None) -> str:
    """What a user passes for these marks, of which one is a point or a comma."""
    given = [f"data.decimal={NAMES[decimal]}"] if decimal == "," or thousands is None else []
    return " ".join([*given, *([f"data.thousands={NAMES[thousands]}"] if thousands else [])])
