"""Which columns of a table are features, of which kind, and with which categories: read off the training rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
from torch import Tensor

from imbalance_lab.data.columns import Column, fit_column
from imbalance_lab.data.date_parts import NAMES, date_parts
from imbalance_lab.data.date_text import DateFormat
from imbalance_lab.data.infer_columns import ColumnOptions, Inferred, infer_column
from imbalance_lab.data.near_twins import describe_twins
from imbalance_lab.data.read_table import Files
from imbalance_lab.text import list_override
from imbalance_lab.validation import raise_together

MANY_MISSING = 0.5
NEAR_UNIQUE, FEW = 0.5, 20
"""Share of the rows with a category of their own, and the number of categories, beyond which they are told of."""


@dataclass(frozen=True)
class FittedColumns:
    """The features, numbers first; remarks on unusual columns, and what was guessed."""

    columns: tuple[Column, ...]
    notes: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)


def fit_columns(data: pa.Table, training: Tensor, options: ColumnOptions, files: Files) -> FittedColumns:
    """The features, with the categories of the training rows.

    Raises:
        ValueError: naming every column that cannot be read; if there is none to learn from.
    """
    at = pa.array(training.numpy())
    fitted = FittedColumns(())
    columns: list[Column] = []
    problems: list[str] = []
    for name in data.column_names:
        try:
            inferred = infer_column(data[name], name, options, files)
            columns += _fit(name, inferred, data[name].take(at), fitted)
        except ValueError as error:
            problems.append(str(error))
    raise_together(problems)
    if not columns:
        raise ValueError(f"{files[0][0]} has no column to learn from besides the target")
    _check_names(columns)
    return replace(fitted, columns=tuple(sorted(columns, key=lambda column: column.kind == "category")))


def _fit(name: str, inferred: Inferred, rows: pa.ChunkedArray, fitted: FittedColumns) -> Iterator[Column]:
    """The inputs that a column gives; ``fitted`` gets what is to be said of it."""
    present = len(rows) - rows.null_count
    if present == 0 or (present == len(rows) and len(pc.unique(rows)) == 1):
        fitted.notes.append(
            f"column {name!r} is {'constant' if present else 'empty'} in the training rows: it is left out"
        )
        return
    if present < (1 - MANY_MISSING) * len(rows):
        fitted.notes.append(f"column {name!r} is missing in {1 - present / len(rows):.0%} of the training rows")
    if inferred.guess:
        fitted.guesses.append(inferred.guess)
    if inferred.date is not None:
        yield from _fit_dates(name, inferred.date, rows)
    elif inferred.kind is not None:
        column = replace(fit_column(name, inferred.kind, rows), format=inferred.format)
        if inferred.kind == "category" and pa.types.is_string(rows.type):
            fitted.notes.extend(_describe_categories(column, rows, present))
        yield column


def _fit_dates(name: str, form: DateFormat, rows: pa.ChunkedArray) -> Iterator[Column]:
    times, _ = form.parse(rows)
    for part in date_parts(name, form, times):
        if part.is_number:
            yield Column(part.name, "number", date=part)
        else:
            there = set(part.texts(times).unique().to_pylist())
            yield Column(part.name, "category", tuple(each for each in NAMES[part.part] if each in there), date=part)


def _describe_categories(column: Column, rows: pa.ChunkedArray, present: int) -> Iterator[str]:
    n = len(column.categories)
    if n > FEW and n > NEAR_UNIQUE * present:
        yield (
            f"column {column.name!r} is text with {n:,} different values in {present:,} training rows: little can be "
            f"learned from values that hardly repeat; leave it out with {list_override('data.drop', [column.name])}"
        )
    yield from describe_twins(f"column {column.name!r}", rows)


def _check_names(columns: list[Column]) -> None:
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"column {name!r} has the name of a part of the dates beside it: rename it")
