"""What a model takes as its input if it is of a table: its columns, and how their numbers are prepared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor, nn

from imbalance_lab.data.columns import Column, Unknown
from imbalance_lab.data.dialect import DETECTED, DialectOptions
from imbalance_lab.data.encode_columns import encode_columns, text_columns
from imbalance_lab.data.missing_values import blank_missing
from imbalance_lab.data.preprocess import Numerical, Preprocess, Scaling, placeholders
from imbalance_lab.data.read_table import Files, as_table
from imbalance_lab.data.schema import InputSchema


@dataclass(frozen=True)
class TableSchema(InputSchema):
    """Rows of a table, whose columns are found by name.

    Args:
        columns: the features in the order of the input: numbers, then categories.
        targets: the columns that are predicted.
        scaling: of the numbers, see `Preprocess`.
        gaps: the numeric columns with missing values in the training rows; each adds an indicator to the input.
        n_quantiles: of each numeric column, that the preparation keeps.
        numerical: how numbers are encoded, see `Preprocess`; "periodic" is learned by the backbone.
        n_bins: of each numeric column's piecewise-linear encoding; empty without.
        dialect: what the user said about the text files of training.
    """

    columns: tuple[Column, ...]
    targets: tuple[str, ...]
    scaling: Scaling
    gaps: tuple[str, ...] = ()
    n_quantiles: int = 0
    numerical: Numerical = "plain"
    n_bins: tuple[int, ...] = ()
    dialect: DialectOptions = DETECTED

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (len(self.columns),)

    @property
    def prepared_shape(self) -> tuple[int, ...]:
        return (len(self.columns) + sum(self.n_bins) + len(self.gaps),)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return tuple(len(column.categories) + 1 for column in self.columns if column.kind == "category")

    @property
    def n_periodic(self) -> int:
        """How many of the first prepared inputs are numbers that the backbone embeds periodically."""
        return len(self.numbers) if self.numerical == "periodic" else 0

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numeric columns."""
        return tuple(column.name for column in self.columns if column.kind == "number")

    def encode_counting(self, raw: Any) -> tuple[Tensor, Unknown]:
        """A DataFrame, an Arrow table, columns by name, or the path of a file; other columns are ignored.

        Raises:
            ValueError: if a column is missing, or a value is not a number where the model takes one.
        """
        files: Files = [(Path(raw).expanduser(), 0)] if isinstance(raw, str | Path) else ()
        return self.encode_rows(as_table(raw, text_columns(self.columns), self.dialect), files)

    def encode_rows(self, table: pa.Table, files: Files = ()) -> tuple[Tensor, Unknown]:
        """Rows (N, F) float32, and the unknown categories; ``files`` say where the rows come from."""
        inputs, unknown = encode_columns(self.columns, blank_missing(table, self.dialect.missing or ()), files)
        return torch.from_numpy(inputs), unknown

    def prepare_from(self, state_dict: Mapping[str, Tensor]) -> nn.Module:
        state = {name.removeprefix("prepare."): value.clone() for name, value in state_dict.items()}
        median, gaps, mean, std, quantiles = (state[name] for name in ("median", "gaps", "mean", "std", "quantiles"))
        prepare = Preprocess(median, gaps, mean, std, quantiles, placeholders(self.n_bins))
        prepare.load_state_dict({name: state[name] for name in prepare.state_dict()})
        return prepare

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": "table",
            "classes": list(self.classes),
            "columns": [column.as_dict() for column in self.columns],
            "targets": list(self.targets),
            "scaling": self.scaling,
            "gaps": list(self.gaps),
            "n_quantiles": self.n_quantiles,
            "numerical": self.numerical,
            "n_bins": list(self.n_bins),
            "dialect": self.dialect.as_dict(),
        }

    @classmethod
    def _read(cls, content: Mapping[str, Any]) -> "TableSchema":
        return cls(
            *(tuple(content["classes"]), tuple(map(Column.from_dict, content["columns"])), tuple(content["targets"])),
            *(content["scaling"], tuple(content["gaps"]), content["n_quantiles"]),
            # Models of earlier releases have none of these.
            numerical=content.get("numerical", "plain"),
            n_bins=tuple(content.get("n_bins", ())),
            dialect=DialectOptions.parse(**content.get("dialect", {})),
        )
