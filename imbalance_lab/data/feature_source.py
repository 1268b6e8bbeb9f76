"""A split whose inputs are what a frozen backbone has made of its examples."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from imbalance_lab.data.arrays import Batch, Source
from imbalance_lab.samplers import SampledIndices


@dataclass(frozen=True)
class Features(Dataset[Batch]):
    """One split whose inputs are features.

    Args:
        source: the examples themselves.
        values: features (M, …) of all examples of all splits.
        rows: (N,) where those of this split are.
    """

    source: Source
    values: NDArray[np.float32]
    rows: NDArray[np.int64]

    @property
    def targets(self) -> Tensor:
        """Of the source."""
        return self.source.targets

    @property
    def index(self) -> Tensor:
        """Of the source."""
        return self.source.index

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(F,)."""
        return self.values.shape[1:]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, draws: SampledIndices) -> Batch:
        """Gather a whole batch."""
        at = draws.positions
        values = torch.from_numpy(self.values[self.rows[at.numpy()]])
        return Batch(values, self.targets[at], self.index[at], draws.seeds, is_features=True)

    def subset(self, positions: Tensor) -> Self:
        """Only the examples at ``positions``."""
        return replace(self, source=self.source.subset(positions), rows=self.rows[positions.numpy()])

    def names(self, positions: Tensor) -> list[str]:
        """Of the source."""
        return self.source.names(positions)

    def content_hashes(self) -> NDArray[np.uint64]:
        """Of the source."""
        return self.source.content_hashes()

    @property
    def all_values(self) -> NDArray[np.float32]:
        """The features (N, …) of the split."""
        return self.values[self.rows]
