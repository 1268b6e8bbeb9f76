"""The schema and preparation of very many rows, fitted on a sample of them; on all of them where they are few."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.columns import MAX_CATEGORIES, Column, fit_column
from imbalance_lab.data.feature_rows import FeatureRows
from imbalance_lab.data.fit_columns import fit_columns
from imbalance_lab.data.fit_table import fit_like, fit_schema
from imbalance_lab.data.infer_columns import ColumnOptions, parse_dates_option
from imbalance_lab.data.large_labels import LabeledRows
from imbalance_lab.data.large_splits import TRAIN, UNUSED
from imbalance_lab.data.leaks import describe_leaks
from imbalance_lab.data.missing_values import describe_sentinels
from imbalance_lab.data.near_twins import describe_twins
from imbalance_lab.data.parquet_rows import JoinedRows, ParquetRows, RowPart
from imbalance_lab.data.preprocess import Preprocess
from imbalance_lab.data.splitting import SplitIndices
from imbalance_lab.data.table_changes import MissingValues, check_features
from imbalance_lab.data.table_files import UNNAMED, describe_nothing
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.progress import progress

if TYPE_CHECKING:
    from imbalance_lab.data.large_table import LargeTable

MAX_ROWS, MAX_VALUES = 1 << 19, 1 << 24
"""Rows of the sample, and values: it has fewer rows of wide tables."""

Categories = Mapping[str, pa.ChunkedArray]


@dataclass(frozen=True)
class FittedRows:
    """What the rows are encoded with.

    Args:
        schema, prepare: fitted on the training rows of a sample, or the schema of a trained model.
        columns: what is read of the files.
        training: (n, F) the encoded training rows of the sample.
        notes, guesses: what is to be said.
    """

    schema: TableSchema
    prepare: Preprocess
    columns: list[str]
    training: Tensor
    notes: list[str]
    guesses: list[str]

    def with_gaps(self, missing: tuple[Tensor, MissingValues]) -> "FittedRows":
        """The same, with an indicator for each column in which any training row has a gap, not only of the sample."""
        numbers = self.schema.numbers
        gaps = tuple(name for name, n in zip(numbers, missing[0].tolist(), strict=True) if n)
        if set(gaps) <= set(self.schema.gaps):
            return self
        prepare = fit_like(replace(self.schema, gaps=gaps), self.training)
        prepare.load_state_dict(self.prepare.state_dict() | {"gaps": prepare.gaps})
        return replace(self, schema=replace(self.schema, gaps=gaps), prepare=prepare)


def fit_rows(rows: ParquetRows, asked: "LargeTable", labeled: LabeledRows) -> FittedRows:
    """Fit the columns on the training rows of a sample, or take those of a trained model.

    Raises:
        ValueError: naming the columns that cannot be read.
    """
    n = min(len(rows), MAX_ROWS, max(1, MAX_VALUES // len(rows.columns)))
    chosen = np.arange(n) * len(rows) // n  # every row, or evenly spaced ones
    data, categories = _read_sample(rows, asked, labeled, chosen)
    splits = labeled.splits[chosen]
    parts = SplitIndices(*(torch.from_numpy(np.flatnonzero(splits == code)) for code in range(UNUSED)))
    unnamed = [name for name in asked.features(data.column_names) if UNNAMED.fullmatch(name)]
    left_out = {name: what for name in unnamed if (what := describe_nothing([data[name]]))}
    features = data.select([name for name in asked.features(data.column_names) if name not in left_out])
    guesses = [f"column {name!r} {what}: left out; give it a name to keep it" for name, what in left_out.items()]
    is_sample = n < len(rows)
    try:
        if asked.schema is not None:
            fitted = _as_trained(asked, features, data, parts)
        else:
            fitted = _fit(rows, asked, labeled, features, parts, chosen, categories if is_sample else {})
    except ValueError as error:
        if not is_sample:
            raise
        raise ValueError(f"{error} (rows are counted in a sample of {n:,} of the {len(rows):,} rows)") from error
    if is_sample:
        guesses += [
            f"kinds of columns, medians, scales and remarks are those of {n:,} of the {len(rows):,} rows, evenly "
            "spaced; copies of rows are not looked for"
        ]
    notes = [*fitted.notes, *_twins(asked, data), *describe_sentinels(features)]
    baselines = "data=large_table trains no baselines beside the net"
    return replace(fitted, notes=notes, guesses=[*guesses, *fitted.guesses, baselines])


def _twins(asked: "LargeTable", data: pa.Table) -> list[str]:
    """Sentences on classes and groups that are nearly the same."""
    named = [("class", asked.columns.target), ("group", asked.columns.group)]
    columns = [(role, name) for role, name in named if isinstance(name, str)]
    found = (describe_twins(f"{role} column {name!r}", data[name]) for role, name in columns)
    return [sentence for each in found for sentence in each]


def _read_sample(
    rows: ParquetRows, asked: "LargeTable", labeled: LabeledRows, chosen: NDArray[np.int64]
) -> tuple[pa.Table, Categories]:
    """The chosen rows; and of each column with text or codes all values of the training rows."""
    joined, found = JoinedRows(rows.files, chosen), dict[str, pa.ChunkedArray]()
    labels = set(asked.columns.names)
    with progress("reading a sample of the rows") as step:
        for part in rows.parts(rows.columns, step):
            joined.add(part)
            if len(chosen) < len(rows):
                _add_categories(found, part, labeled, asked)
    return joined.table(labels), found


def _add_categories(
    found: dict[str, pa.ChunkedArray], part: RowPart, labeled: LabeledRows, asked: "LargeTable"
) -> None:
    training = pa.array(labeled.splits[part.first : part.first + len(part.rows)] == TRAIN)
    for name in asked.features(part.rows.column_names):
        kind = part.rows[name].type
        is_wanted = pa.types.is_string(kind) or name in asked.categorical
        if not is_wanted or (name in found and len(found[name]) > MAX_CATEGORIES):
            continue
        new = pc.unique(part.rows[name].filter(training))
        before = [found[name].combine_chunks()] if name in found else []
        found[name] = pa.chunked_array([pc.unique(pa.concat_arrays([*before, new.cast(kind)]))])


def _fit(
    rows: ParquetRows,
    asked: "LargeTable",
    labeled: LabeledRows,
    features: pa.Table,
    parts: SplitIndices,
    chosen: NDArray[np.int64],
    categories: Categories,
) -> FittedRows:
    options = ColumnOptions(asked.categorical, parse_dates_option(asked.dates, features.column_names))
    found = fit_columns(features, parts.train, options, rows.files)
    columns = tuple(_with_categories(each, categories) for each in found.columns)
    what = labeled.classes, columns, tuple(asked.columns.targets), asked.scaling
    schema = TableSchema(*what, numerical=asked.numerical)
    inputs, _ = schema.encode_rows(features, rows.files)
    training = inputs[parts.train]
    schema, prepare = fit_schema(schema, training)
    labels = labeled.targets[chosen].astype(np.int64)
    sample = FeatureRows(features, schema.columns, inputs.numpy(), labeled.classes, labels, parts, rows.files)
    if len(chosen) < len(rows):  # whose numbers in the files are others
        sample = replace(sample, files=())
    groups = None if labeled.groups is None else labeled.groups[chosen]
    notes = [*found.notes, *describe_leaks(sample, labeled.given, groups)]
    return FittedRows(schema, prepare, features.column_names, training, notes, list(found.guesses))


def _as_trained(asked: "LargeTable", features: pa.Table, data: pa.Table, parts: SplitIndices) -> FittedRows:
    assert asked.schema is not None
    schema = check_features(asked.schema, features, data)
    training = schema.encode_rows(features.take(pa.array(parts.train.numpy())))[0]
    return FittedRows(schema, fit_like(schema, training), features.column_names, training, [], [])


def _with_categories(column: Column, categories: Categories) -> Column:
    """The column with all categories of the training rows, where those of the sample may not be all."""
    if column.kind != "category" or column.date is not None or column.name not in categories:
        return column
    values = categories[column.name]
    if len(values) > MAX_CATEGORIES:
        raise ValueError(
            f"column {column.name!r} has more than {MAX_CATEGORIES:,} different values in the training rows: leave it "
            f"out with 'data.drop=[{column.name}]'"
        )
    return replace(column, categories=fit_column(column.name, "category", values).categories)
