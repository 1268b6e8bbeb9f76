"""The features by which labelled and new examples are compared: the columns of a table, or a net's own features."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.backbones.members import num_members
from imbalance_lab.data.columns import Column
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.model import Model
from imbalance_lab.model.model import BATCH_SIZE

Features = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureSpace:
    """What is compared.

    Args:
        compute: encoded inputs (N, …) → features (N, F), NaN where missing.
        columns: of a table, (F,); empty for the features of a net.
    """

    compute: Callable[[Tensor], Features]
    columns: tuple[Column, ...] = ()

    @property
    def categorical(self) -> tuple[int, ...]:
        """The features that are codes of categories."""
        return tuple(at for at, column in enumerate(self.columns) if column.kind == "category")


def feature_space(model: Model) -> FeatureSpace:
    """The columns that a model of tables takes; for any other model what its backbone makes of the inputs."""
    if isinstance(model.schema, TableSchema):
        return FeatureSpace(_missing_codes(model.schema), model.schema.columns)
    return FeatureSpace(_net_features(model))


def _missing_codes(schema: TableSchema) -> Callable[[Tensor], Features]:
    """Encoded rows, in which code 0, a missing or unknown category, is missing."""
    n_numbers = len(schema.numbers)

    def features(inputs: Tensor) -> Features:
        rows: Features = inputs.numpy().copy()
        codes = rows[:, n_numbers:]
        codes[codes == 0] = np.nan
        return rows

    return features


def _net_features(model: Model) -> Callable[[Tensor], Features]:
    @torch.inference_mode()
    def features(inputs: Tensor) -> Features:
        parts: list[Any] = []
        for part in torch.split(inputs, BATCH_SIZE):
            found: Tensor = model.backbone(model.prepare(part))
            # The members of an ensemble see the same inputs: one is enough, and the others' would add columns only.
            one = found[:, 0] if num_members(model.backbone) > 1 else found
            parts.append(one.float().flatten(1).numpy())
        return np.concatenate(parts)

    return features
