"""How a table differs from the one that a model was trained on: what is refused, and what is told in a sentence."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.columns import Unknown
from imbalance_lab.data.encode_columns import source_columns
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.table_schema import TableSchema

MAX_NAMED = 8
"""Columns that a sentence names."""


def check_features(schema: InputSchema, features: pa.Table, data: pa.Table) -> TableSchema:
    """Refuse a model of other inputs, and options that take away a column that it needs.

    Raises:
        ValueError: naming the column.
    """
    if not isinstance(schema, TableSchema):
        raise ValueError("the model was not trained on a table: choose the kind of data that it was trained on")
    for name in source_columns(schema.columns):
        if name in data.column_names and name not in features.column_names:
            raise ValueError(f"the model takes column {name!r} as a feature: remove it from data.drop, group and split")
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
        self.later = torch.zeros_like(self.counts)
        self.n_rows = 0

    def count(self, inputs: Tensor, unknown: Unknown) -> None:
        """Add encoded rows (n, F), in which categories that are ``unknown`` have the code of a missing one."""
        numbers = len(self.schema.numbers)
        self.counts[:numbers] += inputs[:, :numbers].isnan().sum(0)
        for at, column in enumerate(self.schema.columns):
            if column.date is not None and column.date.part == "days":
                self.later[at] += int((inputs[:, at] > column.date.n_training_days * (1 + 1e-6) + 1).sum())
        self.counts[numbers:] += (inputs[:, numbers:] == 0).sum(0)
        for at, name in enumerate(each.name for each in self.schema.columns):
            self.counts[at] -= sum(unknown.get(name, {}).values())
        self.n_rows += len(inputs)

    def describe(self) -> Iterator[str]:
        """A sentence on each column without any value, with gaps unseen in training, or with dates after training."""
        for column, missing, later in zip(self.schema.columns, self.counts.tolist(), self.later.tolist(), strict=True):
            if later and column.date is not None:
                yield (
                    f"column {column.source!r}: {later:,} of {self.n_rows:,} dates are more than a day after the last "
                    f"one of training, {column.date.last[:10]}"
                )
            if column.date is not None and column.date.part != "days":
                continue  # what is missing there is missing in all parts
            is_number = column.kind == "number"
            if missing == self.n_rows:
                stands = "the training median stands for it" if is_number else "treated as unknown"
                yield f"column {column.source!r} has no value in any row: {stands}"
            elif missing and is_number and column.name not in self.schema.gaps:
                yield (
                    f"column {column.source!r}: {missing:,} of {self.n_rows:,} values are missing, though no training "
                    "row lacks one: the training median stands for them"
                )
