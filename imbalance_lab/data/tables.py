"""Tables as sources: a CSV or Parquet file, the column to predict, and every other column as a feature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Arrays, Splits
from imbalance_lab.data.columns import Unknown
from imbalance_lab.data.dialect import MISSING, DialectOptions
from imbalance_lab.data.encode_columns import describe_unknown, source_columns, text_columns
from imbalance_lab.data.feature_rows import FeatureRows
from imbalance_lab.data.fit_columns import FittedColumns, fit_columns
from imbalance_lab.data.infer_columns import ColumnOptions, parse_dates_option
from imbalance_lab.data.labels import SPLITS, group_ids, read_targets, split_from_column, validate_splits
from imbalance_lab.data.leaks import describe_leaks
from imbalance_lab.data.missing_values import describe_sentinels
from imbalance_lab.data.near_twins import describe_twins
from imbalance_lab.data.preprocess import Numerical, Preprocess, Scaling
from imbalance_lab.data.read_table import Files, format_locations
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.slice_columns import take_slice_columns
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits
from imbalance_lab.data.table_changes import MissingValues, check_features, describe_extra
from imbalance_lab.data.table_files import TableFiles, check_columns, read_files
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.validation import check_list


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
        return format_locations(self.files, self.index[positions].numpy())


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
    dates: Sequence[str] = (),
    scaling: Scaling = "standard",
    numerical: Numerical = "piecewise",
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] | None = None,
    schema: InputSchema | None = None,
    slices: Sequence[str] = (),
) -> Splits:
    """Read a table. Numbers are numeric features; text, and the columns in ``categorical``, are categories.

    Medians, scales and categories are fitted on the training rows only.

    Args:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file, a folder of such files, or a pattern as ``2024-*.csv``.
        target: the column with the class; or a list of columns, each 0 or 1, for multilabel data.
        val_path, test_path, calibration_path: further files with the same columns, as rows of these splits.
        split: a column with train, val, test or calibration in every row.
        group: a column; rows with equal values are never in two splits.
        drop: columns that are not features.
        categorical: columns that are categories though they hold numbers or dates: codes, postcodes.
        dates: columns that are dates, each with its format where it cannot be told: ``closed=%d/%m/%Y``.
        scaling: "standard", "quantile" or "none", see `Preprocess`.
        numerical: how numbers are encoded: "plain", "piecewise" (see `Preprocess`), or "periodic" (see `Embedding`).
        val_fraction, test_fraction: shares, stratified, of a split that neither a file nor a column gives; the first
            may be 0 for no validation, see `Splits`.
        calibration_fraction: the same for calibration, taken from what would be for training; 0 for no such split.
        split_seed: decides which rows are in which split.
        delimiter, decimal, thousands, encoding: of text files, see `DialectOptions`; None to detect it.
        missing: the texts and numbers that stand for a missing value; None for `MISSING`, in text files.
        schema: of a trained model: columns, categories and classes are its own, whatever this file holds.
        slices: columns by whose values the report compares the scores, ``report.slices``; they need not be features.

    Raises:
        ValueError, FileNotFoundError: naming the file and line, or the column, and the remedy.
    """
    paths = {"path": path, "val_path": val_path, "test_path": test_path, "calibration_path": calibration_path}
    dialect = DialectOptions.parse(
        delimiter=delimiter, decimal=decimal, thousands=thousands, encoding=encoding, missing=missing
    )
    targets = [target] if isinstance(target, str) else list(target)
    roles: dict[str, Sequence[str]] = {"target": targets, "split": _listed(split), "group": _listed(group)}
    read = _read_columns(paths, dialect, roles, drop, categorical, dates, schema)
    files, data = read.files, read.rows
    told = take_slice_columns(data, slices, files, targets, categorical)
    classes, labels = read_targets(data, target, files, None if schema is None else schema.classes)
    groups = None if group is None else group_ids(data[group])
    fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction}
    fractions = fractions if split is None else dict.fromkeys(fractions, 0.0)
    fractions["calibration_fraction"] = calibration_fraction
    parts = _given_splits(read, split)
    given = [name for name, rows in zip(SPLITS[1:], parts[1:], strict=True) if len(rows)]
    parts = fill_missing_splits(parts, labels, **fractions, seed=split_seed, groups=groups)
    validate_splits(classes, labels, parts, has_validation=val_fraction != 0)
    no_features = {*targets, *filter(None, (split, group)), *drop}
    features = data.select([name for name in data.column_names if name not in no_features])
    found = FittedColumns(())
    if schema is None:
        found = fit_columns(features, parts.train, _column_options(read, dialect, categorical, dates), files)
        schema = TableSchema(classes, found.columns, tuple(targets), scaling, numerical=numerical, dialect=dialect)
        inputs, unknown = schema.encode_rows(features, files)
        schema, fitted = fit_schema(schema, inputs[parts.train])
        rows = FeatureRows(features, schema.columns, inputs.numpy(), classes, labels.numpy(), parts, files)
        notes = [*found.notes, *describe_leaks(rows, given, groups)]
    else:
        schema = check_features(schema, features, data)
        inputs, unknown = schema.encode_rows(features, files)
        fitted = fit_like(schema, inputs[parts.train])
        notes = _changes(schema, features, inputs, unknown)
    notes += [*_twins(data, target, group), *describe_unknown(unknown, len(data)), *describe_sentinels(features)]
    values = None if group is None else data[group].combine_chunks()
    everything = Rows(inputs, labels, torch.arange(len(data)), files, values, told)
    train, val, test, calibration = (everything.subset(rows) for rows in parts)
    chosen_on, held_out = (split if len(split) else None for split in (val, calibration))
    guesses = [*read.guesses, *found.guesses]
    return Splits(classes, train, chosen_on, test, fitted, schema, notes, held_out, guesses=guesses)


def _read_columns(
    paths: Mapping[str, str | None],
    dialect: DialectOptions,
    roles: dict[str, Sequence[str]],
    drop: Sequence[str],
    categorical: Sequence[str],
    dates: Sequence[str],
    schema: InputSchema | None,
) -> TableFiles:
    """The files, with text in the columns that ``roles`` name, and every column that an option names."""
    check_list("data.drop", drop)
    check_list("data.categorical", categorical)
    check_list("data.dates", dates)
    columns = schema.columns if isinstance(schema, TableSchema) else ()
    labels = [name for names in roles.values() for name in names]
    read = read_files(paths, dialect, text_columns(columns), labels, keep=source_columns(columns))
    there = {"drop": [name for name in drop if name not in read.left_out], "categorical": categorical}
    there["dates"] = list(parse_dates_option(dates, read.rows.column_names))
    check_columns(roles | there, read.rows, read.files)
    return read


def _listed(name: str | None) -> list[str]:
    return [name] if name else []


def _column_options(
    read: TableFiles, dialect: DialectOptions, categorical: Sequence[str], dates: Sequence[str]
) -> ColumnOptions:
    """What is known of columns before their values are seen."""
    dated = parse_dates_option(dates, read.rows.column_names)
    return ColumnOptions(categorical, dated, *read.marks(dialect), missing=dialect.missing or MISSING)


def _twins(data: pa.Table, target: str | Sequence[str], group: str | None) -> list[str]:
    """Sentences on classes and groups that are nearly the same."""
    roles = {"class": target if isinstance(target, str) else None, "group": group}
    found = (describe_twins(f"{role} column {name!r}", data[name]) for role, name in roles.items() if name is not None)
    return [sentence for each in found for sentence in each]


def _given_splits(read: TableFiles, split: str | None) -> SplitIndices:
    """The splits that the files or a column give."""
    if split is None:
        return read.splits
    if sum(n_rows is not None for n_rows in read.n_rows.values()) > 1:
        raise ValueError(f"data.split={split} and data.val_path or data.test_path both give the split: choose one")
    return split_from_column(read.rows[split], split, read.files)


def _changes(schema: TableSchema, features: pa.Table, inputs: Tensor, unknown: Unknown) -> list[str]:
    """Sentences on what differs from the table that the model was trained on."""
    taken = source_columns(schema.columns)
    missing = MissingValues(schema)
    missing.count(inputs, unknown)
    return [*describe_extra([name for name in features.column_names if name not in taken]), *missing.describe()]


def fit_schema(schema: TableSchema, training: Tensor) -> tuple[TableSchema, Preprocess]:
    """The preparation of encoded ``training`` rows (N, F), and the schema with its shapes."""
    numbers = schema.numbers
    fitted = Preprocess.fitted(training, len(numbers), schema.scaling, numerical=schema.numerical)
    gaps = tuple(numbers[column] for column in fitted.gaps.tolist())
    return replace(schema, gaps=gaps, n_quantiles=fitted.quantiles.shape[1], n_bins=fitted.n_bins), fitted


def fit_like(schema: TableSchema, training: Tensor) -> Preprocess:
    """The preparation of other rows, with the shapes of the trained model's: its weights can replace it."""
    gaps = [schema.numbers.index(name) for name in schema.gaps]
    return Preprocess.fitted(
        *(training, len(schema.numbers), schema.scaling),
        numerical=schema.numerical,
        gaps=gaps,
        n_quantiles=schema.n_quantiles,
        n_bins=schema.n_bins,
    )
