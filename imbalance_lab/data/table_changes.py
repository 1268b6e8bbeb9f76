"""How a table differs from the one that a model was trained on: what is refused, and what is told in a sentence."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.columns import Unknown
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


def describe_extra(names: Sequence[str]) -> Iterator[str]:
    """A sentence on the columns of a file that the model does not take, if there are any."""
    if names:
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        listed = ", ".join(map(repr, names[:MAX_NAMED]))
        yield f"the model does not take column{'s' * (len(names) > 1)} {listed}{more}: ignored"


class MissingValues:
    """Counts the values that are missing in rows of a table, to compare them with the training rows."""

    def __init__(self, schema: TableSchema) -> None:
        self.schema = schema
        self.counts = torch.zeros(len(schema.columns), dtype=torch.long)
        self.n_rows = 0

    def count(self, inputs: Tensor, unknown: Unknown) -> None:
        """Add encoded rows (n, F), in which categories that are ``unknown`` have the code of a missing one."""
        numbers = len(self.schema.numbers)
        self.counts[:numbers] += inputs[:, :numbers].isnan().sum(0)
        self.counts[numbers:] += (inputs[:, numbers:] == 0).sum(0)
        for column, name in enumerate(each.name for each in self.schema.columns):
            self.counts[column] -= sum(unknown.get(name, {}).values())
        self.n_rows += len(inputs)

    def describe(self) -> Iterator[str]:
        """A sentence on each column without any value, or with gaps that the model has not seen in training."""
        for column, missing in zip(self.schema.columns, self.counts.tolist(), strict=True):
            is_number = column.kind == "number"
            if missing == self.n_rows:
                stands = "the training median stands for it" if is_number else "treated as unknown"
                yield f"column {column.name!r} has no value in any row: {stands}"
            elif missing and is_number and column.name not in self.schema.gaps:
                yield (
                    f"column {column.name!r}: {missing:,} of {self.n_rows:,} values are missing, though no training "
                    "row lacks one: the training median stands for them"
                )
