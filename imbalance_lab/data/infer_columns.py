"""What the columns of a table hold: numbers, dates or categories; each guess comes with a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from imbalance_lab.data.columns import Kind, read_dates
from imbalance_lab.data.date_text import DateFormat
from imbalance_lab.data.detect_dates import AmbiguousDatesError, find_dates
from imbalance_lab.data.detect_numbers import AmbiguousNumbersError, FoundNumbers, find_numbers
from imbalance_lab.data.dialect import MISSING
from imbalance_lab.data.number_text import NumberFormat
from imbalance_lab.data.read_table import Files, first_true, format_location
from imbalance_lab.text import list_override

MAX_WORDS = 6
"""Different texts among numbers that a sentence proposes as missing values."""

MAX_STEPS, STEP_SHARE = 12, 0.1
"""Different values, at most, and the share of rows with words, at least, of numbers and words that are one scale."""


@dataclass(frozen=True)
class Inferred:
    """What a column holds.

    Args:
        kind: None if it is empty, or holds dates.
        format: of numbers that are written as text.
        date: of dates.
        guess: a sentence on what was taken for granted; "" if nothing was.
    """

    kind: Kind | None
    format: NumberFormat | None = None
    date: DateFormat | None = None
    guess: str = ""


@dataclass(frozen=True)
class ColumnOptions:
    """What a user says of columns.

    Args:
        categorical: columns that are categories.
        dates: columns that are dates, with their format; None where it is to be found.
        decimal, thousands: the marks of numbers in the file, see `find_numbers`.
        missing: the texts that stand for a missing value.
    """

    categorical: Sequence[str] = ()
    dates: Mapping[str, str | None] | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: Sequence[str] = MISSING


def infer_column(column: pa.ChunkedArray, name: str, options: ColumnOptions, files: Files) -> Inferred:
    """What a column holds, by all its rows, whatever their split.

    Raises:
        ValueError: for what is mostly but not all numbers or dates, what can be read in two ways, and other types.
    """
    kind, dates = column.type, options.dates or {}
    if name in options.categorical:
        return Inferred("category")
    if name in dates:
        return _as_dates(column, name, dates[name], files)
    if pa.types.is_null(kind):
        return Inferred(None)
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    ):
        return Inferred("number")
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Inferred(None, date=DateFormat())
    if not pa.types.is_string(kind):
        raise ValueError(
            f"column {name!r} holds {kind}, neither numbers, dates nor text: convert it to numbers, or leave it out "
            f"with {list_override('data.drop', [name])}"
        )
    return _of_text(column, name, options, files)


def parse_dates_option(entries: Sequence[str], names: Sequence[str]) -> dict[str, str | None]:
    """``data.dates``: columns, or ``column=format``.

    Raises:
        ValueError: for a format that is none.
    """
    found: dict[str, str | None] = {}
    for entry in map(str, entries):
        name, mark, pattern = entry.partition("=%")
        if entry in names or not mark:
            found[entry] = None
        else:
            found[name] = DateFormat(f"%{pattern}").pattern
    return found


def _as_dates(column: pa.ChunkedArray, name: str, pattern: str | None, files: Files) -> Inferred:
    if pattern is None and pa.types.is_string(column.type):
        found = _find_dates(column, name)
        form = found.date if found else None
        if found and form and not DateFormat(form.pattern).parse(column)[1].any():
            return found
        form = form or DateFormat()
    else:
        is_integer = pattern is None and pa.types.is_integer(column.type)
        form = DateFormat(pattern or ("%Y%m%d" if is_integer else DateFormat().pattern))
    read_dates(column, name, form, files)
    return Inferred(None, date=form)


def _of_text(column: pa.ChunkedArray, name: str, options: ColumnOptions, files: Files) -> Inferred:
    if (dates := _find_dates(column, name)) is not None:
        assert dates.date is not None
        read_dates(column, name, dates.date, files)
        return dates
    keep = list_override("data.categorical", [name])
    try:
        numbers = find_numbers(column, options.decimal, options.thousands)
    except AmbiguousNumbersError as error:
        raise ValueError(f"column {name!r} {error}, or keep it as categories with {keep}") from None
    if numbers is None:
        return Inferred("category")
    if _is_scale(column, numbers):
        words = " and ".join(map(repr, list(numbers.strangers)[:2]))
        return Inferred("category", guess=f"column {name!r} holds few numbers, and {words}: read as categories")
    if numbers.strangers:
        raise ValueError(_mixed(column, name, numbers, options.missing, files))
    words = numbers.format.describe()
    what = f"numbers {words}" if words else "numbers as text"
    guess = f"column {name!r} holds {what} ({numbers.example!r}): read as numbers; {keep} keeps them as categories"
    return Inferred("number", numbers.format, guess=guess)


def _is_scale(column: pa.ChunkedArray, numbers: FoundNumbers) -> bool:
    """Whether the words among numbers are steps of a scale, as in 2, 4, more, rather than marks of missing values."""
    n_strange = sum(numbers.strangers.values())
    return bool(
        pc.count_distinct(column).as_py() <= MAX_STEPS and n_strange >= STEP_SHARE * (n_strange + numbers.n_rows)
    )


def _find_dates(column: pa.ChunkedArray, name: str) -> Inferred | None:
    try:
        found = find_dates(column)
    except AmbiguousDatesError as error:
        ways = " or ".join(list_override("data.dates", [f"{name}={pattern}"]) for pattern in error.patterns)
        why = "has a year of two digits" if len(error.patterns) == 1 else "can be read in several ways"
        raise ValueError(f"column {name!r} holds dates, but {error.example!r} {why}: pass {ways}") from None
    if found is None:
        return None
    order = "day" if found.format.pattern.startswith("%d") else "month"
    why = f", the {order} first, as {found.evidence!r} shows" if found.evidence else ""
    keep = list_override("data.categorical", [name])
    guess = f"column {name!r} holds dates written as {found.format.pattern}{why}: read as dates; {keep} keeps the texts"
    return Inferred(None, date=found.format, guess=guess)


def _mixed(column: pa.ChunkedArray, name: str, numbers: FoundNumbers, missing: Sequence[str], files: Files) -> str:
    """What to do about texts among numbers."""
    stranger = next(iter(numbers.strangers))
    row = first_true(pc.equal(column, stranger).fill_null(False))
    n = f"{numbers.n_rows:,} of {numbers.n_rows + sum(numbers.strangers.values()):,}"
    words = list(numbers.strangers)
    remedies = ["fix it"]
    if len(words) <= MAX_WORDS and not any(char.isdigit() for word in words for char in word):
        remedies.append(f"pass {list_override('data.missing', [*missing, *words])} if it is a missing value")
    elif stranger.lstrip()[:1] in "<>≤≥":
        remedies = ["a limit is no number: put one in its place"]
    remedies.append(f"pass {list_override('data.categorical', [name])}")
    return (
        f"{format_location(files, row)}, column {name!r}: {stranger!r} is not a number, but {n} values are: "
        f"{', '.join(remedies[:-1])}, or {remedies[-1]}"
    )
