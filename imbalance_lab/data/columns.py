"""The feature columns of a table: numbers, with NaN where missing, and the codes of categories."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.date_parts import DatePart
from imbalance_lab.data.date_text import DateFormat
from imbalance_lab.data.number_text import PLAIN as NUMBER
from imbalance_lab.data.number_text import NumberFormat
from imbalance_lab.data.read_table import Files, format_location
from imbalance_lab.data.truth import as_truth, is_truth

Kind = Literal["number", "category"]
Category = str | int | float | bool
Unknown = dict[str, dict[str, int]]
"""Of each column, how often each category occurs that the model does not know."""

MAX_CATEGORIES = 10_000


@dataclass(frozen=True)
class Column:
    """One input of a model, from a column of a table.

    Args:
        name: of the column; of an input that is a part of dates, the part too.
        kind: of the input.
        categories: of the training rows, in the order of their codes, which start at 1; code 0 is a missing or unknown
            value.
        format: how the numbers were written, if the training rows held text.
        date: the part of a date that it is.
    """

    name: str
    kind: Kind
    categories: tuple[Category, ...] = ()
    format: NumberFormat | None = None
    date: DatePart | None = None

    @property
    def source(self) -> str:
        """The column of the table that it is read from."""
        return self.name if self.date is None else self.date.source

    def encode(self, column: pa.ChunkedArray, files: Files = ()) -> NDArray[np.float32]:
        """Numbers or codes, float32 (N,).

        Raises:
            ValueError: if a value of a numeric column is not a finite number; if no value is a category, and they are
                numbers where those are text, or the reverse.
        """
        if self.date is not None:
            times = read_dates(column, self.source, DateFormat(self.date.pattern), files)
            if self.kind == "number":
                return self.date.values(times).astype(np.float32)
            column = self.date.texts(times)
        elif self.kind == "number":
            return _as_numbers(column, self.name, files, self.format)
        same, known = self._comparable(column)
        codes: NDArray[np.float32] = pc.index_in(same, known).fill_null(-1).to_numpy().astype(np.float32) + 1
        self._refuse_another_type(column, codes, files)
        return codes

    def unknown(self, column: pa.ChunkedArray) -> dict[str, int]:
        """How often each value occurs that is not among the categories; missing values do not count."""
        if self.kind == "number" or pa.types.is_null(column.type):
            return {}
        if self.date is not None:
            column = self.date.texts(DateFormat(self.date.pattern).parse(column)[0])
        column, known = self._comparable(column)
        strange = column.filter(pc.and_(pc.invert(pc.is_in(column, known)), column.is_valid()))
        return dict(Counter(str(value) for value in strange.to_pylist()).most_common())

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        plain: dict[str, Any] = {"name": self.name, "kind": self.kind, "categories": list(self.categories)}
        if self.format is not None:
            plain["format"] = self.format.as_dict()
        return plain if self.date is None else {**plain, "date": self.date.as_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Column":
        """Read what `as_dict` gave."""
        form, date = content.get("format"), content.get("date")
        return cls(
            content["name"],
            content["kind"],
            tuple(content["categories"]),
            None if form is None else NumberFormat.from_dict(form),
            None if date is None else DatePart.from_dict(date),
        )

    @property
    def is_text(self) -> bool:
        """Whether it is read from text, also where a file has only such as looks like numbers."""
        if self.format is not None or self.date is not None:
            return True
        return self.kind == "category" and pa.types.is_string(pa.array(self.categories).type)

    def _refuse_another_type(self, column: pa.ChunkedArray, codes: NDArray[np.float32], files: Files) -> None:
        """Refuse numbers for text, or the reverse; a single value that is known shows that the column is the same."""
        there = column.drop_null()
        if codes.any() or not len(there) or not self.categories:
            return
        now, before = _holds_numbers(there), _holds_numbers(pa.chunked_array([pa.array(self.categories)]))
        if not now & before:
            kinds = {True: "numbers", False: "text"}
            where = f"column {self.name!r}" + (f" of {files[0][0]}" if files else "")
            raise ValueError(
                f"{where} holds {kinds[True in now]}, such as {there[0].as_py()!r}, but in training it held "
                f"{kinds[True in before]}, such as {self.categories[0]!r}: convert it"
            )

    def _comparable(self, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.Array]:
        """The column and the categories in one type: a file with numbers only is read as numbers."""
        known = pa.array(self.categories)
        column = _without_nan(column)
        if pa.types.is_null(column.type):
            return column.cast(known.type), known
        if is_truth(known) and (truth := as_truth(column)) is not None:
            return truth, as_truth(known)
        if _is_plain(column.type) and _is_plain(known.type):
            return column.cast(pa.float64(), safe=False), known.cast(pa.float64(), safe=False)
        return column.cast(pa.string()), known.cast(pa.string())


def read_dates(column: pa.ChunkedArray, name: str, form: DateFormat, files: Files) -> NDArray[np.datetime64]:
    """The dates of a column, in microseconds (N,), NaT where missing.

    Raises:
        ValueError: naming the place of what is no date, and the option.
    """
    times, wrong = form.parse(column)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is not a date as {form.pattern} "
            f"says: correct it, or leave the cell empty"
        )
    return times


def fit_column(name: str, kind: Kind, training: pa.ChunkedArray) -> Column:
    """Take the categories of a column from its ``training`` rows.

    Raises:
        ValueError: if there are more than `MAX_CATEGORIES`.
    """
    if kind == "number":
        return Column(name, kind)
    values = pc.drop_null(pc.unique(_without_nan(training)))
    if len(values) > MAX_CATEGORIES:
        raise ValueError(
            f"column {name!r} has {len(values):,} different values in {len(training):,} training rows: "
            f"leave it out with 'data.drop=[{name}]'"
        )
    values = values.take(pc.sort_indices(values))
    return Column(name, kind, tuple((values if _is_plain(values.type) else values.cast(pa.string())).to_pylist()))


def _as_numbers(
    column: pa.ChunkedArray, name: str, files: Files, form: NumberFormat | None = None
) -> NDArray[np.float32]:
    kind, given = column.type, column
    if pa.types.is_string(kind):
        if (truth := as_truth(column)) is not None and form is None:
            column = truth
        else:
            numbers, wrong = (form or NumberFormat()).parse(column)
            if wrong.any():
                row = int(wrong.argmax())
                as_in = f" {form.describe()}".rstrip() + ", as in training" if form else ""
                raise ValueError(
                    f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is not a number{as_in}: "
                    "fix it"
                )
            column = pa.chunked_array([numbers])
    elif not (_is_numeric(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise ValueError(f"column {name!r} must hold numbers, but holds {kind}: convert it")
    with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
        values: NDArray[np.float32] = column.cast(pa.float64(), safe=False).to_numpy().astype(np.float32)
    if (infinite := np.isinf(values)).any():
        row = int(infinite.argmax())
        raise ValueError(
            f"{format_location(files, row)}, column {name!r}: {given[row].as_py()!r} is infinite, or too large for "
            "float32"
        )
    return values


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _holds_numbers(column: pa.ChunkedArray) -> set[bool]:
    """{True} for numbers, as such or as text, {False} for other values, both for a mixture."""
    if not pa.types.is_string(column.type):
        return {_is_plain(column.type) or bool(pa.types.is_decimal(column.type))}
    return set(pc.unique(pc.match_substring_regex(column, NUMBER)).to_pylist())


def _is_plain(kind: pa.DataType) -> bool:
    return _is_numeric(kind) or bool(pa.types.is_boolean(kind))


def _without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
