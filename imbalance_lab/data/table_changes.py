"""How a table differs from the one that a model was trained on: what is refused, and what is told in a sentence."""

from collections.abc import Iterator

import pyarrow as pa
from torch import Tensor

from imbalance_lab.data.schema import InputSchema, TableSchema

MAX_NAMED = 8
"""Columns that a sentence names."""


def check_features(schema: InputSchema, features: pa.Table, data: pa.Table) -> TableSchema:
    """Refuse a model of other inputs, and options that take away a column that it needs.

    Raises:
        ValueError: naming the column.
    """
    if not isinstance(schema, TableSchema):
        raise ValueError("the model was not trained on a table: choose the kind of data that it was trained on")
    for column in schema.columns:
        if column.name in data.column_names and column.name not in features.column_names:
            raise ValueError(
                f"the model takes column {column.name!r} as a feature: remove it from data.drop, group and split"
            )
    return schema


def describe_changes(schema: TableSchema, features: pa.Table, inputs: Tensor) -> Iterator[str]:
    """A sentence on columns that the model does not take, and on gaps that it has not seen in training.

    Args:
        schema: of the model.
        features: the columns of the file that could be features.
        inputs: (N, F), as the schema encodes them.
    """
    taken = {column.name for column in schema.columns}
    if extra := [name for name in features.column_names if name not in taken]:
        more = f" and {len(extra) - MAX_NAMED} more" if len(extra) > MAX_NAMED else ""
        names = ", ".join(map(repr, extra[:MAX_NAMED]))
        yield f"the model does not take column{'s' * (len(extra) > 1)} {names}{more}: ignored"
    for column, values in zip(schema.columns, inputs.unbind(1), strict=True):
        missing = int(values.isnan().sum()) if column.kind == "number" else features[column.name].null_count
        if missing == len(values):
            stands = "the training median stands for it" if column.kind == "number" else "treated as unknown"
            yield f"column {column.name!r} has no value in any row: {stands}"
        elif missing and column.kind == "number" and column.name not in schema.gaps:
            yield (
                f"column {column.name!r}: {missing:,} of {len(values):,} values are missing, though no training row "
                "lacks one: the training median stands for them"
            )
