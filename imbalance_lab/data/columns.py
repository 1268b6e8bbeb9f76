"""The feature columns of a table: numbers, with NaN where missing, and the codes of categories."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.read_table import Files, first_true, format_location
from imbalance_lab.validation import did_you_mean

Kind = Literal["number", "category"]
Category = str | int | float | bool
Unknown = dict[str, dict[str, int]]
"""Of each column, how often each category occurs that the model does not know."""

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
MAX_CATEGORIES = 10_000


@dataclass(frozen=True)
class Column:
    """One feature: its name, its kind, and the categories of the training rows.

    ``categories`` are in the order of their codes, which start at 1; code 0 is a missing or unknown value.
    """

    name: str
    kind: Kind
    categories: tuple[Category, ...] = ()

    def encode(self, column: pa.ChunkedArray, files: Files = ()) -> NDArray[np.float32]:
        """Numbers or codes, float32 (N,).

        Raises:
            ValueError: if a value of a numeric column is not a finite number; if no value is a category, and they are
                numbers where those are text, or the reverse.
        """
        if self.kind == "number":
            return _as_numbers(column, self.name, files)
        same, known = self._comparable(column)
        codes: NDArray[np.float32] = pc.index_in(same, known).fill_null(-1).to_numpy().astype(np.float32) + 1
        self._refuse_another_type(column, codes, files)
        return codes

    def unknown(self, column: pa.ChunkedArray) -> dict[str, int]:
        """How often each value occurs that is not among the categories; missing values do not count."""
        if self.kind == "number" or pa.types.is_null(column.type):
            return {}
        column, known = self._comparable(column)
        strange = column.filter(pc.and_(pc.invert(pc.is_in(column, known)), column.is_valid()))
        return dict(Counter(str(value) for value in strange.to_pylist()).most_common())

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.name, "kind": self.kind, "categories": list(self.categories)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Column":
        """Read what `as_dict` gave."""
        return cls(content["name"], content["kind"], tuple(content["categories"]))

    @property
    def is_text(self) -> bool:
        """Whether its categories are text, also where a file has only such as look like numbers."""
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
        if _is_plain(column.type) and _is_plain(known.type):
            return column.cast(pa.float64(), safe=False), known.cast(pa.float64(), safe=False)
        return column.cast(pa.string()), known.cast(pa.string())


def text_columns(columns: Sequence[Column]) -> list[str]:
    """The categorical columns that hold text: to be read as such from a file in which every value is a number."""
    return [column.name for column in columns if column.is_text]


def check_columns(columns: Sequence[Column], names: Sequence[str], files: Files = ()) -> None:
    """Refuse a table that lacks one of the ``columns``; ``names`` are those that it has.

    Raises:
        ValueError: naming every missing column, and the nearest name that there is.
    """
    missing = [column.name for column in columns if column.name not in names]
    if not missing:
        return
    near = did_you_mean(missing[0], [name for name in names if name not in {column.name for column in columns}])
    where = f"{files[0][0]} has" if files else "the data have"
    if len(missing) == 1:
        raise ValueError(f"{where} no column {missing[0]!r}, which the model takes{near or ': add it'}")
    listed = ", ".join(map(repr, missing[:8])) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
    raise ValueError(f"{where} no columns {listed}, which the model takes{near or ': add them'}")


def encode_columns(
    columns: Sequence[Column], table: pa.Table, files: Files = ()
) -> tuple[NDArray[np.float32], Unknown]:
    """The columns of a table, found by name, as (N, F) float32, and their unknown categories.

    Raises:
        ValueError: naming a column that is missing, and the nearest that there is; and as `Column.encode` does.
    """
    check_columns(columns, table.column_names, files)
    inputs = np.empty((len(table), len(columns)), np.float32)
    unknown: Unknown = {}
    for to, column in enumerate(columns):
        inputs[:, to] = column.encode(table[column.name], files)
        if counts := column.unknown(table[column.name]):
            unknown[column.name] = counts
    return inputs, unknown


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


def infer_kind(column: pa.ChunkedArray, name: str, files: Files) -> Kind | None:
    """Whether a column holds numbers or categories; None if it is empty.

    Raises:
        ValueError: for text in which most values are numbers, and for other types, such as dates.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return None
    if _is_numeric(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        return "number"
    if not pa.types.is_string(kind):
        raise ValueError(
            f"column {name!r} holds {kind}, neither numbers nor text: convert it to numbers, or leave it out with "
            f"'data.drop=[{name}]'"
        )
    is_number = pc.match_substring_regex(column, NUMBER)
    numbers, present = pc.sum(is_number).as_py() or 0, len(column) - column.null_count
    if present and present / 2 <= numbers < present:
        row = first_true(pc.invert(is_number.fill_null(True)))
        raise ValueError(
            f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is not a number, "
            f"but {numbers:,} of {present:,} values are: fix it, or pass 'data.categorical=[{name}]'"
        )
    return "category"


def describe_unknown(unknown: Unknown, n_rows: int) -> list[str]:
    """A sentence for each column with unknown categories, from the counts by column and value."""
    return [
        f"column {name!r}: {sum(counts.values()):,} of {n_rows:,} values are not among the training categories "
        f"({_listed(counts)}): treated as unknown"
        for name, counts in unknown.items()
    ]


def _as_numbers(column: pa.ChunkedArray, name: str, files: Files) -> NDArray[np.float32]:
    kind = column.type
    if pa.types.is_string(kind):
        column = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+", "")
        if (row := first_true(pc.invert(pc.match_substring_regex(column, NUMBER)))) >= 0:
            raise ValueError(
                f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is not a number: fix it"
            )
    elif not (_is_numeric(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise ValueError(f"column {name!r} must hold numbers, but holds {kind}: convert it")
    with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
        values: NDArray[np.float32] = column.cast(pa.float64(), safe=False).to_numpy().astype(np.float32)
    if (infinite := np.isinf(values)).any():
        row = int(infinite.argmax())
        raise ValueError(
            f"{format_location(files, row)}, column {name!r}: {column[row].as_py()!r} is infinite, or too large for "
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


def _listed(counts: Mapping[str, int], most: int = 5) -> str:
    values: Sequence[str] = [f"{value[:80]!r} {n:,}" for value, n in counts.items()]
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")
