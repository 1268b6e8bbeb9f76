"""Rows of JSON as inputs of a table's model.

Arrow encodes columns, and takes 30 µs for each however few rows there are. Requests have a row or some, so they are
encoded by a list comprehension, which takes 0.1 µs a value. The inputs are the same as those of
`imbalance_lab.data.columns.encode_columns`; types are stricter, because JSON tells numbers from text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imbalance_lab.data.columns import Column, Unknown
from imbalance_lab.data.encode_columns import source_columns
from imbalance_lab.deployment.serve.limits import RequestError
from imbalance_lab.validation import did_you_mean

Row = Mapping[str, Any]

NUMBERS: set[type] = {int, float, bool, type(None)}
TEXTS: set[type] = {str, type(None)}
SCALARS = NUMBERS | TEXTS
SHOWN = 80
"""Characters of a value in a sentence."""


class RowEncoder:
    """Encodes rows by the names of their columns.

    Args:
        columns: of the model, numbers first.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.names = tuple(source_columns(columns))
        self._width = len(columns)
        self._written = [(to, column) for to, column in enumerate(columns) if column.format or column.date]
        plain = [(to, column) for to, column in enumerate(columns) if not (column.format or column.date)]
        self._number_places = [to for to, column in plain if column.kind == "number"]
        self._code_places = [to for to, column in plain if column.kind == "category"]
        self._numbers = tuple(column.name for _, column in plain if column.kind == "number")
        self._codes = {
            column.name: dict(zip(column.categories, range(1, len(column.categories) + 1), strict=True))
            for _, column in plain
            if column.kind == "category"
        }
        self._types = {name: _types_of(codes) for name, codes in self._codes.items()}

    def encode(self, rows: Sequence[Row]) -> tuple[NDArray[np.float32], Unknown]:
        """Rows of JSON values → inputs (N, F) float32, and the categories that the model does not know.

        Raises:
            RequestError: naming row, column and value.
        """
        inputs = np.empty((len(rows), self._width), np.float32)
        unknown: Unknown = {}
        try:
            inputs[:, self._number_places] = self._encode_numbers(rows)
            for to, column in self._written:
                inputs[:, to] = encode_written(column, [row[column.source] for row in rows], unknown)
            for to, name in zip(self._code_places, self._codes, strict=True):
                inputs[:, to] = self._encode_category(name, [row[name] for row in rows], unknown)
        except KeyError as error:
            raise self._missing(error.args[0], rows) from None
        return inputs, unknown

    def extra(self, rows: Sequence[Row]) -> list[str]:
        """Columns that are not the model's; `encode` has accepted the rows."""
        if sum(map(len, rows)) == len(rows) * len(self.names):
            return []
        return sorted(set().union(*rows) - set(self.names))

    def _encode_numbers(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        values = [row[name] for row in rows for name in self._numbers]
        if not set(map(type, values)) <= NUMBERS:
            raise self._fault(values, lambda value: type(value) not in NUMBERS, "is not a number: send one, or null")
        try:
            with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
                wide = np.array(values, np.float64).reshape(len(rows), len(self._numbers))
                numbers = wide.astype(np.float32)
            infinite = bool(np.isinf(numbers).any())
        except OverflowError:  # of an integer with hundreds of digits
            infinite = True
        if infinite:
            raise self._fault(values, _is_too_large, "is infinite, or too large for float32: correct it")
        return numbers

    def _fault(self, values: Sequence[Any], is_wrong: Any, sentence: str) -> RequestError:
        """The error of the first wrong one of all numbers, row by row."""
        at = next(at for at, value in enumerate(values) if is_wrong(value))
        row, column = divmod(at, len(self._numbers))
        return RequestError(f"row {row + 1}, column {self._numbers[column]!r}: {shown(values[at])} {sentence}")

    def _encode_category(self, name: str, values: Sequence[Any], unknown: Unknown) -> list[int]:
        codes, types = self._codes[name], self._types[name]
        if not set(map(type, values)) <= types:
            row = next(row for row, value in enumerate(values) if type(value) not in types)
            kind = "text" if types is TEXTS else "a number" if types is NUMBERS else "a text or a number"
            raise RequestError(
                f"row {row + 1}, column {name!r}: {shown(values[row])} is not {kind}, as it was in training: "
                "convert it, or send null"
            )
        found = [codes.get(value, 0) for value in values]
        if 0 in found:
            counts = Counter(
                str(value) for value, code in zip(values, found, strict=True) if not code and value is not None
            )
            if counts:
                unknown[name] = dict(counts.most_common())
        return found

    def _missing(self, name: str, rows: Sequence[Row]) -> RequestError:
        number, row = next((number, row) for number, row in enumerate(rows, 1) if name not in row)
        known = set(self.names)
        hint = (
            nearest(name, (each for each in row if each not in known)) or ": add it, with null if its value is missing"
        )
        return RequestError(f"row {number} has no column {name!r}, which the model takes{hint}")


def encode_written(column: Column, values: Sequence[Any], unknown: Unknown) -> NDArray[np.float32]:
    """Dates, and numbers that are text as in training; numbers as such are taken as they are.

    Raises:
        RequestError: naming row, column and value.
    """
    taken = TEXTS if column.date is not None else SCALARS
    if not set(map(type, values)) <= taken:
        row = next(row for row, value in enumerate(values) if type(value) not in taken)
        kind = "a text with a date" if column.date is not None else "a number or a text with one"
        raise RequestError(f"row {row + 1}, column {column.source!r}: {shown(values[row])} is not {kind}: convert it")
    is_text = np.array([type(each) is str for each in values], np.bool_)
    try:
        texts = pa.chunked_array([pa.array([each if type(each) is str else None for each in values], pa.string())])
        encoded = column.encode(texts)
        if counts := column.unknown(texts):
            unknown[column.name] = counts
        if not is_text.all() and column.date is None:
            numbers = [np.nan if type(each) is str or each is None else float(each) for each in values]
            encoded = np.where(is_text, encoded, column.encode(pa.chunked_array([pa.array(numbers)])))
    except (ValueError, OverflowError) as error:
        raise RequestError(str(error)) from None
    return encoded


def shown(value: Any) -> str:
    """A JSON value in a sentence, as Python writes it; a long one is cut."""
    if type(value) is int and abs(value) >= 10**SHOWN:
        return f"an integer of {value.bit_length()} bits"
    if type(value) in (dict, list):
        return "an object" if type(value) is dict else "a list"
    text = "null" if value is None else repr(value[: SHOWN + 1] if type(value) is str else value)
    return text if len(text) <= SHOWN + 2 else f"{text[:SHOWN]}…"


def nearest(name: str, among: Iterable[str]) -> str:
    """The end of a sentence that names the nearest; of a thousand short ones, so that a request costs no time."""
    return did_you_mean(name[:200], (each for each in islice(among, 1000) if len(each) <= 200))


def _types_of(codes: Mapping[Any, int]) -> set[type]:
    """The types of JSON that a column with these categories may hold."""
    held = {type(category) for category in codes}
    return TEXTS if held == {str} else NUMBERS if held and str not in held else SCALARS


def _is_too_large(value: Any) -> bool:
    try:
        with np.errstate(over="ignore"):
            return value is not None and bool(np.isinf(np.float32(float(value))))
    except OverflowError:
        return True
