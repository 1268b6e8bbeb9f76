"""The classes and splits of the rows of Parquet files, read from the columns that say them alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.column_values import ColumnValues, look_up, read_values
from imbalance_lab.data.labels import SPLITS, group_ids, read_targets, split_from_column, validate_splits
from imbalance_lab.data.large_splits import PART, TRAIN, UNUSED, Codes, Targets, count_pairs, split_large
from imbalance_lab.data.parquet_rows import JoinedRows, ParquetRows
from imbalance_lab.data.read_table import Files, format_location
from imbalance_lab.data.splitting import NOTHING, SplitIndices, fill_missing_splits
from imbalance_lab.samplers.windows import is_large


class LabelColumns(NamedTuple):
    """Where classes and splits are, and how missing splits are filled; the arguments of `large_table`."""

    target: str | Sequence[str]
    split: str | None
    group: str | None
    fractions: Mapping[str, float]
    split_seed: int
    max_evaluated: int | None
    known: Sequence[str] | None

    @property
    def targets(self) -> list[str]:
        """The columns to predict."""
        return [self.target] if isinstance(self.target, str) else list(self.target)

    @property
    def names(self) -> list[str]:
        """All of the columns."""
        return list(dict.fromkeys([*self.targets, *filter(None, (self.split, self.group))]))


class LabeledRows(NamedTuple):
    """What is known of N rows before their features are read.

    Args:
        classes: their names.
        targets: class indices (N,), or 0/1 labels (N, L), of the smallest integer type.
        splits: the split of each row, (N,), see `imbalance_lab.data.large_splits`.
        given: the splits that files or a column give.
        groups: (N,) if there are such.
        notes: what a user should know.
    """

    classes: tuple[str, ...]
    targets: Targets
    splits: Codes
    given: list[str]
    groups: NDArray[np.int64] | None
    notes: list[str]


def read_labels(rows: ParquetRows, columns: LabelColumns) -> LabeledRows:
    """Read the classes and splits: up to `windows.LARGE` rows as `imbalance_lab.data.table` does, more in parts.

    Raises:
        ValueError: naming the file and row, or the column.
    """
    if columns.split is not None and sum(n is not None for n in rows.n_rows.values()) > 1:
        raise ValueError(
            f"data.split={columns.split} and data.val_path or data.test_path both give the split: choose one"
        )
    return _read_parts(rows, columns) if is_large(len(rows)) else _read_all(rows, columns)


def _fractions(columns: LabelColumns) -> dict[str, float]:
    nothing = {} if columns.split is None else {"val_fraction": 0.0, "test_fraction": 0.0}
    return {**columns.fractions, **nothing}


def _read_all(rows: ParquetRows, columns: LabelColumns) -> LabeledRows:
    joined = JoinedRows(rows.files, np.arange(len(rows)))
    for part in rows.parts(columns.names):
        joined.add(part)
    data = joined.table(columns.names)
    classes, labels = read_targets(data, columns.target, rows.files, columns.known)
    groups = None if columns.group is None else group_ids(data[columns.group])
    if columns.split is None:
        ends = np.cumsum([0, *(n or 0 for n in rows.n_rows.values())]).tolist()
        has_rows = [n is not None for n in rows.n_rows.values()]
        ranges = [torch.arange(start, stop) for start, stop in pairwise(ends)]
        parts = SplitIndices(*(each if has else NOTHING for each, has in zip(ranges, has_rows, strict=True)))
    else:
        parts = split_from_column(data[columns.split], columns.split, rows.files)
    given = [name for name, of_split in zip(SPLITS[1:], parts[1:], strict=True) if len(of_split)]
    if groups is not None:
        _check_groups(parts, groups, rows.files)
    fractions: Any = _fractions(columns)
    parts = fill_missing_splits(parts, labels, **fractions, seed=columns.split_seed, groups=groups)
    validate_splits(classes, labels, parts, has_validation=columns.fractions["val_fraction"] != 0)
    splits = np.full(len(rows), UNUSED, np.uint8)
    for code, of_split in enumerate(parts):
        splits[of_split.numpy()] = code
    return LabeledRows(classes, _small(labels.numpy()), splits, given, groups, [])


def _check_groups(parts: SplitIndices, groups: NDArray[np.int64], files: Files) -> None:
    """Refuse groups that files or a column put into two splits."""
    for (a, one), (b, other) in combinations(zip(SPLITS, parts, strict=True), 2):
        shared = np.flatnonzero(np.isin(groups[other.numpy()], groups[one.numpy()]))
        if len(shared):
            row = int(other[int(shared[0])])
            raise ValueError(
                f"{len(np.unique(groups[other.numpy()][shared])):,} groups are in {a} and in {b}, such as that of "
                f"{format_location(files, row)}: assign whole groups, or remove the split column or files"
            )


def _read_parts(rows: ParquetRows, columns: LabelColumns) -> LabeledRows:
    if columns.group is not None:
        raise ValueError(
            f"data.group={columns.group} is for tables that fit into memory, and this one has {len(rows):,} rows: "
            "give the splits by data.split, or by data.val_path and data.test_path, with whole groups in each"
        )
    values = read_values(rows, columns.names)
    classes, labels = _classes(values, columns, rows.files)
    lut = labels.numpy()
    codes = {name: values[name].codes for name in columns.targets}
    if isinstance(columns.target, str):
        targets: Targets = look_up(_small(lut), codes[columns.target])
    else:
        targets = np.stack([look_up(lut[:, at].astype(np.uint8), codes[name]) for at, name in enumerate(classes)], 1)
    if columns.split is None:
        given = np.repeat(np.arange(len(SPLITS), dtype=np.uint8), [n or 0 for n in rows.n_rows.values()])
    else:
        column = values[columns.split]
        with _naming_rows({columns.split: column.first_rows}, rows.files):
            of_value = split_from_column(pa.chunked_array([column.values]), columns.split, ())
        number = np.zeros(len(column), np.uint8)
        for code, at in enumerate(of_value):
            number[at.numpy()] = code
        given = look_up(number, column.codes)
    del values, codes
    strata = targets if targets.ndim == 1 else _rarest_label(targets)
    there = [name for code, name in enumerate(SPLITS) if code != TRAIN and (given == code).any()]
    splits, notes = split_large(
        *(given, strata, _fractions(columns)), seed=columns.split_seed, max_evaluated=columns.max_evaluated
    )
    _validate(classes, targets, splits, has_validation=columns.fractions["val_fraction"] != 0)
    return LabeledRows(classes, targets, splits, there, None, notes)


def _classes(values: Mapping[str, ColumnValues], columns: LabelColumns, files: Files) -> tuple[tuple[str, ...], Tensor]:
    """The classes, and the index of each value of the target, or of each label's, padded with its first.

    Raises:
        ValueError: as `read_targets`, with the place of the first row that has the value.
    """
    longest = max(len(values[name]) for name in columns.targets)
    # Three times each, as a column whose values hardly repeat is not taken for classes.
    places = {name: [*range(len(values[name])), *[0] * (longest - len(values[name]))] * 3 for name in columns.targets}
    data = {name: pa.chunked_array([values[name].values.take(pa.array(at))]) for name, at in places.items()}
    first_rows = {name: [values[name].first_rows[each] for each in at] for name, at in places.items()}
    with _naming_rows(first_rows, files):
        classes, labels = read_targets(pa.table(data), columns.target, (), columns.known)
    return classes, labels[:longest]


@contextmanager
def _naming_rows(first_rows: Mapping[str, Sequence[int]], files: Files) -> Iterator[None]:
    """Let an error about a value, "row 3, column 'a' …", name the first row of the files that has it."""
    try:
        yield
    except ValueError as error:
        place, _, rest = str(error).partition(", ")
        number = place.removeprefix("row ")
        column = next((name for name in first_rows if rest.startswith(f"column {name!r}")), None)
        if column is None or not number.isdigit():
            raise
        raise ValueError(f"{format_location(files, first_rows[column][int(number) - 1])}, {rest}") from error


def _rarest_label(targets: Targets) -> Targets:
    """For each row the place of its rarest label, in the order from rare to common; their number without any."""
    counts = sum(targets[at : at + PART].sum(0, dtype=np.int64) for at in range(0, len(targets), PART))
    order = np.asarray(counts).argsort(kind="stable")
    strata = np.full(len(targets), len(order), np.uint16)
    for place, c in reversed(list(enumerate(order.tolist()))):
        strata[targets[:, c] > 0] = place
    return strata


def _validate(classes: Sequence[str], targets: Targets, splits: Codes, *, has_validation: bool) -> None:
    """Check a few rows that stand for all: one of each class, or label, in each split."""
    if targets.ndim == 1:
        there = np.argwhere(count_pairs(splits, targets)[:UNUSED] > 0)
        labels = torch.from_numpy(there[:, 1].copy())
    else:
        by_label = [count_pairs(splits, column)[:UNUSED] for column in targets.T]
        pairs = [
            (code, c) for c, each in enumerate(by_label) if each.shape[1] > 1 for code in np.flatnonzero(each[:, 1])
        ]
        pairs += [(code, -1) for code in np.flatnonzero(by_label[0].sum(1))]
        there = np.array(sorted(pairs))
        labels = torch.from_numpy((there[:, 1:] == np.arange(len(classes))).astype(np.int64))
    parts = [torch.from_numpy(np.flatnonzero(there[:, 0] == code)) for code in range(TRAIN, UNUSED)]
    validate_splits(classes, labels, SplitIndices(*parts), has_validation=has_validation)


def _small(values: NDArray[np.int64]) -> Targets:
    """The same numbers, not negative, in the smallest type that holds them and that torch computes with."""
    largest = int(values.max(initial=0))
    return values.astype(
        next(kind for kind in (np.uint8, np.int16, np.int32, np.int64) if largest <= np.iinfo(kind).max)
    )
