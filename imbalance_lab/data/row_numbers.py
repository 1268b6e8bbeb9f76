"""Columns that number the rows or identify them, and files whose rows are in the order of their classes.

What a model learns of a row's number holds for the rows of one file alone: where they are ordered by class, it looks
like perfect foresight, and is none.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.column_ranking import class_rates
from imbalance_lab.data.feature_rows import FeatureRows, drop_override, named

MIN_NUMBERED, MIN_UNIQUE = 10, 50
"""Rows without which an order, or different values, mean nothing: 10 are in order by chance once in 2 million cases."""

MAX_BLOCKS, MIN_BLOCK = 10, 50
"""Files put together, of which each may count from 1 again, and their rows."""

CHANCE = 14
"""exp(−14) ≈ 10⁻⁶: n numbers from a range of R are all different with a probability of at most exp(−n² / 2R)."""

NAMED_UNIQUE = 0.95
"""Share of different values from which a column called ``id`` is one."""

TELLING_AUROC = 0.75
"""Of the rows' order, from which the remark says so."""

FOLLOWS = 0.8
"""Rank correlation with the row's number, within the classes."""

N_BINS, MIN_IN_BIN = 20, 10

ID_NAME = re.compile(
    r"|(?i:unnamed: ?\d+)|index|__index_level_\d+__|level_\d+|id|.*[ _.-]id|.*[a-z]Id|(.*[a-z_ .-])?ID|id[ _.-].*"
    r"|(?i:uuid|guid|nr|no|number)"
    r"|(?i:(row|record|obs|observation|sample|case|serial|line)[ _.-]?(id|no|nr|num|number|names?|index)?)"
)
"""Names of ids and of what programs write in front of a table; an empty one is such."""

UUID_LIKE = r"^(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,64})$"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RowIds:
    """Columns that count the rows, and those with another value in each."""

    counting: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        return {*self.counting, *self.unique}


@dataclass(frozen=True)
class Order:
    """The class that the order of the rows of a file tells best, and its AUROC from a row's place alone."""

    label: str
    auroc: float


def find_row_ids(rows: FeatureRows) -> RowIds:
    """The features that number or identify the rows."""
    counting, unique = [], []
    for column in rows.columns:
        if column.format is not None:
            continue  # amounts, whose text differs as their values do
        values = rows.data[column.source]
        numbers = _whole_numbers(values)
        if numbers is not None and _counts(numbers, rows.segments):
            counting.append(column.source)
        elif column.date is None and _identifies(column.source, values, numbers):
            unique.append(column.source)
    return RowIds(tuple(dict.fromkeys(counting)), tuple(unique))


def describe_row_ids(ids: RowIds, order: Order | None) -> Iterator[str]:
    """Sentences on these columns; ``order`` if the rows are ordered by class."""
    if ids.counting:
        are = "number" if len(ids.counting) > 1 else "numbers"
        why = f", and the order tells the class (class {order.label!r}: AUROC {order.auroc:.3f})" if order else ""
        yield (
            f"{named(ids.counting)} {are} the rows{why}, which says nothing about new rows: pass "
            f"{drop_override(ids.counting)}"
        )
    if ids.unique:
        have = "have" if len(ids.unique) > 1 else "has"
        yield (
            f"{named(ids.unique)} {have} another value in every row, as an id, which says nothing about new rows: pass "
            f"{drop_override(ids.unique)}"
        )


def describe_following(names: Sequence[str], order: Order) -> Iterator[str]:
    """A sentence on columns that follow an order of the rows that is that of the classes."""
    if names:
        follow = "follow" if len(names) > 1 else "follows"
        yield (
            f"the rows are ordered by class (class {order.label!r}: AUROC {order.auroc:.3f} from the order alone), and "
            f"{named(names)} {follow} the order within the classes as well: is that so in new rows? If not, pass "
            f"{drop_override(names)}"
        )


def find_order(rows: FeatureRows) -> Order | None:
    """The class that the order of the rows tells best; None if it tells none well."""
    training = rows.training
    bins = np.empty(len(training), np.int64)
    first = 0
    for start, end in rows.segments:
        inside = (training >= start) & (training < end)
        n_bins = max(1, min(N_BINS, int(inside.sum()) // MIN_IN_BIN))
        bins[inside] = first + (training[inside] - start) * n_bins // max(end - start, 1)
        first += n_bins
    members = rows.one_vs_rest(training)
    table = np.stack([each for _, each in members], 1)
    area = np.where(table.sum(0) >= MIN_IN_BIN, class_rates(bins, table).auroc(), 0)
    best = int(np.nan_to_num(area).argmax())
    return Order(members[best][0], float(area[best])) if area[best] >= TELLING_AUROC else None


def find_following(rows: FeatureRows, skip: Collection[str]) -> list[str]:
    """Numbers whose ranks within the classes follow the number of the row."""
    found = []
    training, labels = rows.training, rows.label_codes[rows.training]
    for at, column in enumerate(rows.columns):
        values = rows.inputs[training, at]
        there = np.isfinite(values)
        if column.kind == "category" or column.source in skip or there.sum() < MIN_UNIQUE:
            continue
        product, squares = 0.0, np.zeros(2)
        for c in np.unique(labels):
            of_class = there & (labels == c)
            place = np.arange(of_class.sum(), dtype=np.float64)
            x, y = _centered_ranks(values[of_class]), place - place.mean() if len(place) else place
            product += float(x @ y)
            squares += [x @ x, y @ y]
        if abs(product) >= FOLLOWS * float(np.sqrt(squares.prod())) > 0:
            found.append(column.source)
    return list(dict.fromkeys(found))  # a date is several features


def _centered_ranks(values: NDArray[np.float32]) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return np.asarray(ranks - (len(values) + 1) / 2)


def _whole_numbers(column: pa.ChunkedArray) -> Array | None:
    """Whole numbers (N,), NaN where missing, also those at the end of a text, as in "T0-000017"; None for others."""
    kind = column.type
    if pa.types.is_integer(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    if pa.types.is_floating(kind):
        numbers: Array = column.to_numpy().astype(np.float64)
        there = numbers[np.isfinite(numbers)]
        return numbers if bool((there == np.floor(there)).all()) else None
    if not pa.types.is_string(kind):
        return None
    head = column.drop_null()[:100].to_pylist()
    if not head or len(set(head)) < len(head) or not all(re.search(r"\d{1,15}\s*$", text) for text in head):
        return None
    digits = pc.replace_substring_regex(column, r"(?s)^.*?(\d{1,15})\s*$", r"\1")
    try:
        return np.asarray(digits.cast(pa.float64()).to_numpy())
    except pa.ArrowInvalid:
        return None


def _counts(numbers: Array, segments: list[tuple[int, int]]) -> bool:
    """Whether they rise, or fall, from row to row in every file, in at most a few blocks, with few missing."""
    checked = 0
    for start, end in segments:
        part = numbers[start:end]
        there = part[np.isfinite(part)]
        if len(there) < NAMED_UNIQUE * len(part):
            return False
        if len(there) < MIN_NUMBERED:
            continue
        steps = np.diff(there)
        breaks = min(int((steps <= 0).sum()), int((steps >= 0).sum()))
        if breaks and (breaks >= MAX_BLOCKS or len(there) < MIN_BLOCK * (breaks + 1)):
            return False
        checked += 1
    return checked > 0


def _identifies(name: str, column: pa.ChunkedArray, numbers: Array | None) -> bool:
    """Whether every row has another value, and by chance or by its name that is remarkable."""
    kind = column.type
    present = len(column) - column.null_count
    if present < MIN_UNIQUE or not (numbers is not None or pa.types.is_string(kind)):
        return False
    if pa.types.is_floating(kind) and numbers is not None:
        present = int(np.isfinite(numbers).sum())
    head = column[: 10 * MIN_UNIQUE]  # of most columns these tell
    if len(pc.unique(head)) < NAMED_UNIQUE * (len(head) - head.null_count):
        return False
    different = pc.count_distinct(column).as_py()
    if ID_NAME.fullmatch(name) and different >= NAMED_UNIQUE * present:
        return True
    if different < present:
        return False
    if pa.types.is_string(kind):
        return bool(pc.all(pc.match_substring_regex(column.drop_null(), UUID_LIKE)).as_py()) or numbers is not None
    assert numbers is not None
    return bool(np.nanmax(numbers) - np.nanmin(numbers) < present**2 / (2 * CHANCE))
