"""Tables larger than memory: Parquet files whose rows are encoded once, into mapped files, and read from there."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.cache_folder import cache_folder
from imbalance_lab.data.encode_columns import describe_unknown, source_columns
from imbalance_lab.data.fit_large import FittedRows, fit_rows
from imbalance_lab.data.labels import SPLITS
from imbalance_lab.data.large_labels import LabelColumns, LabeledRows, read_labels
from imbalance_lab.data.large_splits import UNUSED, count_pairs
from imbalance_lab.data.mapped_rows import MappedRows
from imbalance_lab.data.parquet_rows import ParquetRows
from imbalance_lab.data.preprocess import Numerical, Scaling
from imbalance_lab.data.read_table import require_column
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.table_changes import MissingValues, describe_extra
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.data.table_store import StoreWriter, TableStore
from imbalance_lab.data.whole_folder import one_at_a_time, unfinished
from imbalance_lab.progress import progress
from imbalance_lab.samplers.windows import LARGE, is_large
from imbalance_lab.validation import check_integer, check_list, raise_together

FORMAT = 1
"""Goes into every name: a store of another layout is never read."""


@dataclass(frozen=True)
class LargeTable:
    """What is asked for; the arguments of `large_table`."""

    columns: LabelColumns
    drop: Sequence[str]
    categorical: Sequence[str]
    dates: Sequence[str]
    scaling: Scaling
    numerical: Numerical
    schema: InputSchema | None

    def features(self, names: Sequence[str]) -> list[str]:
        """The columns, of all ``names``, that a model may learn from."""
        others = {*self.columns.names, *self.drop}
        return [name for name in names if name not in others]

    def key(self, rows: ParquetRows) -> str:
        """Changes with the files and with what is asked for, save the schema of a trained model."""
        asked = replace(self, schema=None, columns=self.columns._replace(known=None))
        digest = hashlib.blake2b(f"{FORMAT} {LARGE} {asked!r} {rows.digest}".encode(), digest_size=12)
        return digest.hexdigest()


def large_table(
    *,
    path: str,
    target: str | Sequence[str],
    val_path: str | None = None,
    test_path: str | None = None,
    calibration_path: str | None = None,
    split: str | None = None,
    group: str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    dates: Sequence[str] = (),
    scaling: Scaling = "standard",
    numerical: Numerical = "piecewise",
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    max_evaluated: int | None = 500_000,
    cache: str | None = None,
    schema: InputSchema | None = None,
    slices: Sequence[str] = (),
) -> Splits:
    """Read Parquet files whose rows do not fit into memory.

    The first time the rows are encoded into files of ``cache``, in three passes: over the classes, over a sample of the
    rows, over all features. After that they are only mapped. As long as the table has no more rows than the sample of
    `fit_large`, the splits, schema, preparation and batches are those of `imbalance_lab.data.table`, bit for bit; in
    larger ones the kinds of columns, medians, scales, quantiles and remarks are those of the sample, and the categories
    and the columns with missing values those of all training rows.

    Args:
        path, target, val_path, test_path, calibration_path, split, drop, categorical, dates, scaling, numerical,
            val_fraction, test_fraction, calibration_fraction, split_seed, schema, slices: as of `table`; there are no
            slices.
        group: as of `table`, up to `windows.LARGE` rows.
        max_evaluated: in a larger table, rows of validation, test and calibration at most; null for any number.
        cache: the directory of the mapped files; null for that of `cache_folder`. What is in it may be deleted when no
            run uses it.

    Raises:
        ValueError, FileNotFoundError, OSError: naming the file and row, or the column, and the remedy.
    """
    paths = {"path": path, "val_path": val_path, "test_path": test_path, "calibration_path": calibration_path}
    for name, listed in (("drop", drop), ("categorical", categorical), ("dates", dates)):
        check_list(f"data.{name}", listed)
    if max_evaluated is not None:
        check_integer("max_evaluated", max_evaluated, minimum=1)
    if slices:
        raise ValueError(f"report.slices={slices[0]} needs data=table: leave it out with data=large_table")
    fractions = dict(zip((f"{each}_fraction" for each in SPLITS[1:]), (val_fraction, test_fraction), strict=False))
    fractions["calibration_fraction"] = calibration_fraction
    known = None if schema is None else schema.classes
    columns = LabelColumns(target, split, group, fractions, split_seed, max_evaluated, known)
    asked = LargeTable(columns, drop, categorical, dates, scaling, numerical, schema)
    rows = ParquetRows.open(paths)
    _check_columns(rows, asked)
    return _splits(_find_or_write(rows, asked, cache_folder(cache)), rows)


def _check_columns(rows: ParquetRows, asked: LargeTable) -> None:
    problems: list[str] = []
    dates = [name.partition("=%")[0] if name not in rows.columns else name for name in asked.dates]
    roles = {"target": asked.columns.targets, "drop": asked.drop, "categorical": asked.categorical, "dates": dates}
    roles |= {"split": [asked.columns.split or ""], "group": [asked.columns.group or ""]}
    for option, names in roles.items():
        for name in filter(None, names):
            try:
                require_column(name, rows.columns, rows.files[0][0], f"data.{option}")
            except ValueError as error:
                problems.append(str(error))
    raise_together(problems)


def _find_or_write(rows: ParquetRows, asked: LargeTable, cache: Path) -> TableStore:
    """The store of the rows; that of a training whose schema is asked for, if there is one."""
    key = asked.key(rows)
    trained = TableStore.find(cache / key)
    if trained is not None and (asked.schema is None or asked.schema.as_dict() == trained.facts["schema"]):
        return trained
    if asked.schema is not None:
        content = json.dumps(asked.schema.as_dict(), sort_keys=True).encode()
        key = f"{key}-{hashlib.blake2b(content, digest_size=8).hexdigest()}"
    folder = cache / key
    with one_at_a_time(cache / f"{key}.lock"):
        if (found := TableStore.find(folder)) is None:
            with unfinished(folder) as made:
                _write(rows, asked, made)
            found = TableStore.find(folder)
    assert found is not None
    return found


def _write(rows: ParquetRows, asked: LargeTable, folder: Path) -> None:
    labeled = read_labels(rows, asked.columns)
    fitted = fit_rows(rows, asked, labeled)
    strata = labeled.targets if labeled.targets.ndim == 1 else np.zeros(len(rows), np.uint8)
    counts = count_pairs(labeled.splits, strata)[:UNUSED]
    n_labels = 0 if labeled.targets.ndim == 1 else labeled.targets.shape[1]
    kinds = labeled.targets.dtype, np.int32 if len(rows) <= np.iinfo(np.int32).max else np.int64
    writer = StoreWriter(folder, counts, len(fitted.schema.columns), n_labels, kinds)
    missing, told = _encode(rows, fitted, labeled, writer)
    fitted = fitted.with_gaps(missing)
    notes = [*labeled.notes, *fitted.notes, *told]
    if asked.schema is not None:
        taken = source_columns(fitted.schema.columns)
        notes += describe_extra([name for name in fitted.columns if name not in taken])
        notes += missing[1].describe()
    facts: dict[str, Any] = {
        "schema": fitted.schema.as_dict(),
        "counts": counts.tolist(),
        "notes": notes,
        "guesses": fitted.guesses,
    }
    writer.finish(facts, fitted.prepare.state_dict())
    pa.default_memory_pool().release_unused()


def _encode(
    rows: ParquetRows, fitted: FittedRows, labeled: LabeledRows, writer: StoreWriter
) -> tuple[tuple[Tensor, MissingValues], list[str]]:
    """Write all rows; what is missing in training and in all rows, and sentences on unknown categories."""
    schema, unknown = fitted.schema, dict[str, dict[str, int]]()
    in_training, everywhere = torch.zeros(len(schema.numbers), dtype=torch.long), MissingValues(schema)
    with progress("encoding the rows") as step:
        for part in rows.parts(fitted.columns, step):
            inputs, strange = schema.encode_rows(part.rows, part.files)
            everywhere.count(inputs, strange)
            for name, counts in strange.items():
                known = unknown.setdefault(name, {})
                for value, n in counts.items():
                    known[value] = known.get(value, 0) + n
            here = slice(part.first, part.first + len(inputs))
            splits = labeled.splits[here]
            in_training += inputs[torch.from_numpy(splits == 0), : len(schema.numbers)].isnan().sum(0)
            index = np.arange(part.first, part.first + len(inputs))
            writer.add(index, inputs.numpy(), labeled.targets[here], splits)
    frequent = {name: dict(sorted(each.items(), key=lambda item: -item[1])) for name, each in unknown.items()}
    return (in_training, everywhere), describe_unknown(frequent, len(rows))


def _splits(store: TableStore, rows: ParquetRows) -> Splits:
    schema = InputSchema.from_dict(store.facts["schema"])
    assert isinstance(schema, TableSchema)
    sizes = np.array(store.facts["counts"]).sum(1)
    stops = sizes.cumsum()
    parts: list[MappedRows | None] = []
    for size, stop in zip(sizes.tolist(), stops.tolist(), strict=True):
        start, places = stop - size, None
        if not is_large(len(rows)):  # in the order of the files, as in memory
            places = start + store.index[start:stop].long().argsort()
        parts.append(MappedRows(store, start, stop, places, rows.files) if size else None)
    train, val, test, calibration = parts
    assert train is not None
    assert test is not None
    prepare = schema.prepare_from(store.prepare_state())
    facts: Mapping[str, Any] = store.facts
    told = {"notes": facts["notes"], "guesses": facts["guesses"], "calibration": calibration}
    return Splits(schema.classes, train, val, test, prepare, schema, **told)
