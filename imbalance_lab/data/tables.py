"""Tables as sources: a CSV or Parquet file, the column to predict, and every other column as a feature."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Arrays, Splits
from imbalance_lab.data.columns import Column, Unknown, describe_unknown, fit_column, infer_kind, text_columns
from imbalance_lab.data.labels import group_ids, read_targets, split_from_column, validate_splits
from imbalance_lab.data.preprocess import Preprocess, Scaling
from imbalance_lab.data.read_table import Files, format_location, read_table, require_column
from imbalance_lab.data.schema import InputSchema, TableSchema
from imbalance_lab.data.slice_columns import take_slice_columns
from imbalance_lab.data.splitting import NOTHING, SplitIndices, fill_missing_splits
from imbalance_lab.data.table_changes import MissingValues, check_features, describe_extra
from imbalance_lab.validation import check_list

MANY_MISSING = 0.5


@dataclass(frozen=True)
class Rows(Arrays):
    """Rows of tables: ``inputs`` (N, F) float32, numbers first, NaN where missing, then category codes.

    ``files`` are the files that they come from, each with the index of its first row; ``groups`` (N,) are the values of
    the column that says which rows belong together; ``slices`` (N rows) are the columns whose values are compared.
    """

    files: Files = ()
    groups: pa.Array | None = None
    slices: pa.Table | None = None

    def subset(self, positions: Tensor) -> Self:
        at = pa.array(positions.numpy())
        groups = None if self.groups is None else self.groups.take(at)
        slices = None if self.slices is None else self.slices.take(at)
        taken = self.inputs[positions], self.targets[positions], self.index[positions]
        return replace(self, inputs=taken[0], targets=taken[1], index=taken[2], groups=groups, slices=slices)

    def names(self, positions: Tensor) -> list[str]:
        """File and line."""
        return [format_location(self.files, number) for number in self.index[positions].tolist()]


def table(
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
    scaling: Scaling = "standard",
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    schema: InputSchema | None = None,
    slices: Sequence[str] = (),
) -> Splits:
    """Read a table. Numbers are numeric features; text, and the columns in ``categorical``, are categories.

    Medians, scales and categories are fitted on the training rows only.

    Args:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file.
        target: the column with the class; or a list of columns, each 0 or 1, for multilabel data.
        val_path, test_path, calibration_path: further files with the same columns, as rows of these splits.
        split: a column with train, val, test or calibration in every row.
        group: a column; rows with equal values are never in two splits.
        drop: columns that are not features.
        categorical: numeric columns that are categories: codes, postcodes.
        scaling: "standard", "quantile" or "none", see `Preprocess`.
        val_fraction, test_fraction: shares, stratified, of a split that neither a file nor a column gives.
        calibration_fraction: the same for calibration, taken from what would be for training; 0 for no such split.
        split_seed: decides which rows are in which split.
        schema: of a trained model: columns, categories and classes are its own, whatever this file holds.
        slices: columns by whose values the report compares the scores, ``report.slices``; they need not be features.

    Raises:
        ValueError, FileNotFoundError: naming the file and line, or the column, and the remedy.
    """
    paths = {"path": path, "val_path": val_path, "test_path": test_path, "calibration_path": calibration_path}
    files, data = _concatenated(paths, text_columns(schema.columns) if isinstance(schema, TableSchema) else [])
    check_list("data.drop", drop)
    check_list("data.categorical", categorical)
    targets = [target] if isinstance(target, str) else list(target)
    options = {"target": targets, "split": filter(None, [split]), "group": filter(None, [group]), "drop": drop}
    _check_columns(options | {"categorical": categorical}, data, files)
    told = take_slice_columns(data, slices, files, targets, categorical)
    classes, labels = read_targets(data, target, files, None if schema is None else schema.classes)
    groups = None if group is None else group_ids(data[group])
    fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction}
    parts = _parts(files, len(data), list(paths.values()))
    if split is not None:
        if len(files) > 1:
            raise ValueError(f"data.split={split} and data.val_path or data.test_path both give the split: choose one")
        parts, fractions = split_from_column(data[split], split, files), dict.fromkeys(fractions, 0.0)
    fractions["calibration_fraction"] = calibration_fraction
    parts = fill_missing_splits(parts, labels, **fractions, seed=split_seed, groups=groups)
    validate_splits(classes, labels, parts)
    features = data.drop_columns(list({*targets, *filter(None, (split, group)), *drop}))
    notes: list[str] = []
    if schema is None:
        columns, notes = _fit_columns(features, parts.train, categorical, files)
        schema = TableSchema(classes, columns, tuple(targets), scaling)
        inputs, unknown = schema.encode_rows(features, files)
        schema, fitted = _fit_schema(schema, inputs[parts.train])
    else:
        schema = check_features(schema, features, data)
        inputs, unknown = schema.encode_rows(features, files)
        fitted = _fit_like(schema, inputs[parts.train])
        notes += _changes(schema, features, inputs, unknown)
    notes += [*describe_unknown(unknown, len(data)), *_target_leakage(features, parts.train, labels)]
    values = None if group is None else data[group].combine_chunks()
    everything = Rows(inputs, labels, torch.arange(len(data)), files, values, told)
    train, val, test, calibration = (everything.subset(rows) for rows in parts)
    return Splits(classes, train, val, test, fitted, schema, notes, calibration if len(calibration) else None)


def _check_columns(options: Mapping[str, Iterable[str]], data: pa.Table, files: Files) -> None:
    for option, columns in options.items():
        for column in columns:
            require_column(column, data.column_names, files[0][0], f"data.{option}")


def _changes(schema: TableSchema, features: pa.Table, inputs: Tensor, unknown: Unknown) -> list[str]:
    """Sentences on what differs from the table that the model was trained on."""
    taken = {column.name for column in schema.columns}
    missing = MissingValues(schema)
    missing.count(inputs, unknown)
    return [*describe_extra([name for name in features.column_names if name not in taken]), *missing.describe()]


def _fit_columns(
    data: pa.Table, training: Tensor, categorical: Sequence[str], files: Files
) -> tuple[tuple[Column, ...], list[str]]:
    """The features, numbers first, with the categories of the training rows; and remarks on unusual columns."""
    at = pa.array(training.numpy())
    notes: list[str] = []
    columns: list[Column] = []
    for name in data.column_names:
        kind = "category" if name in categorical else infer_kind(data[name], name, files)
        rows = data[name].take(at)
        present = len(rows) - rows.null_count
        if present == 0 or (present == len(rows) and len(pc.unique(rows)) == 1):
            notes.append(
                f"column {name!r} is {'constant' if present else 'empty'} in the training rows: it is left out"
            )
            continue
        if present < (1 - MANY_MISSING) * len(rows):
            notes.append(f"column {name!r} is missing in {1 - present / len(rows):.0%} of the training rows")
        if kind is not None:
            columns.append(fit_column(name, kind, rows))
    if not columns:
        raise ValueError(f"{files[0][0]} has no column to learn from besides the target")
    return tuple(sorted(columns, key=lambda column: column.kind == "category")), notes


def _fit_schema(schema: TableSchema, training: Tensor) -> tuple[TableSchema, Preprocess]:
    """The preparation of encoded ``training`` rows (N, F), and the schema with its shapes."""
    numbers = schema.numbers
    fitted = Preprocess.fitted(training, len(numbers), schema.scaling)
    gaps = tuple(numbers[column] for column in fitted.gaps.tolist())
    return replace(schema, gaps=gaps, n_quantiles=fitted.quantiles.shape[1]), fitted


def _fit_like(schema: TableSchema, training: Tensor) -> Preprocess:
    """The preparation of other rows, with the shapes of the trained model's: its weights can replace it."""
    gaps = [schema.numbers.index(name) for name in schema.gaps]
    n_quantiles = schema.n_quantiles
    return Preprocess.fitted(training, len(schema.numbers), schema.scaling, gaps=gaps, n_quantiles=n_quantiles)


def _target_leakage(data: pa.Table, training: Tensor, labels: Tensor) -> list[str]:
    """Remarks on columns that are the class under another name."""
    if labels.ndim == 2:
        return []
    target, at = labels[training].numpy(), pa.array(training.numpy())
    notes = []
    for name in data.column_names:
        codes = data[name].take(at).combine_chunks().dictionary_encode().indices.fill_null(-1)
        values = codes.to_numpy(zero_copy_only=False).astype(np.int64)
        classes, different = len(np.unique(target)), len(np.unique(values))
        pairs = len(np.unique(values * (target.max() + 1) + target))
        if classes <= different <= 2 * classes and pairs == different:
            notes.append(
                f"column {name!r} alone determines the class of every training row: is it known before the prediction?"
            )
    return notes


def _concatenated(paths: dict[str, str | None], text: Sequence[str]) -> tuple[Files, pa.Table]:
    """All rows, and each file with the index of its first row."""
    files: list[tuple[Path, int]] = []
    tables: list[pa.Table] = []
    for option, path in paths.items():
        if path is None:
            continue
        more = read_table(path, f"data.{option}", text)
        if tables and set(more.column_names) != set(tables[0].column_names):
            other = sorted(set(more.column_names) ^ set(tables[0].column_names))
            raise ValueError(
                f"{files[0][0]} and {path} do not have the same columns: only one has {', '.join(other[:8])}"
            )
        files.append((Path(path).expanduser(), sum(map(len, tables))))
        tables.append(more.select(tables[0].column_names) if tables else more)
    try:
        return tuple(files), pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ValueError(
            f"{' and '.join(str(file) for file, _ in files)} hold different kinds of values: {error}"
        ) from error


def _parts(files: Files, n: int, paths: Sequence[str | None]) -> SplitIndices:
    """The splits that separate files give; the rows of the first are for training."""
    ends = [*(start for _, start in files[1:]), n]
    rows = iter([torch.arange(start, end) for (_, start), end in zip(files, ends, strict=True)])
    return SplitIndices(*(NOTHING if path is None else next(rows) for path in paths))
