"""Rows of a table larger than memory as a source: read from mapped files, a whole batch at a time."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from imbalance_lab.data.arrays import Batch
from imbalance_lab.data.content_hash import hash_inputs
from imbalance_lab.data.read_table import Files, format_locations
from imbalance_lab.data.table_store import TableStore
from imbalance_lab.samplers import SampledIndices

PART = 1 << 16


@dataclass(frozen=True)
class MappedRows(Dataset[Batch]):
    """One split: rows ``start`` … ``stop`` − 1 of a store, or those at ``places`` in it, in that order.

    A large split is in the order of the store, class by class; its targets and index are mapped too, of the types that
    they are stored as. Batches hold int64. Up to `windows.LARGE` rows are in the order of their files.
    """

    store: TableStore
    start: int
    stop: int
    places: Tensor | None = None
    files: Files = ()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(F,)."""
        return tuple(self.store.inputs.shape[1:])

    @cached_property
    def targets(self) -> Tensor:
        """Class indices (N,), or 0/1 labels (N, L)."""
        stored = self.store.targets
        return stored[self.start : self.stop] if self.places is None else stored[self.places].long()

    @cached_property
    def index(self) -> Tensor:
        """The numbers (N,) of the rows in their files."""
        stored = self.store.index
        return stored[self.start : self.stop] if self.places is None else stored[self.places].long()

    def __len__(self) -> int:
        return self.stop - self.start if self.places is None else len(self.places)

    def __getitems__(self, draws: SampledIndices) -> Batch:
        """Read a whole batch."""
        return Batch(*self.store.read(self._places(draws.positions)), draws.seeds)

    def subset(self, positions: Tensor) -> Self:
        """Only the examples at ``positions``."""
        return replace(self, places=self._places(positions))

    def names(self, positions: Tensor) -> list[str]:
        """File and row."""
        return format_locations(self.files, self.index[positions].long().numpy())

    def content_hashes(self) -> NDArray[np.uint64]:
        """A number for each example, (N,), equal for equal inputs."""
        parts = torch.arange(len(self)).split(PART)  # type: ignore[no-untyped-call]
        hashes = [hash_inputs(self.store.read(self._places(part))[0]) for part in parts]
        return np.concatenate([np.empty(0, np.uint64), *hashes])

    def _places(self, positions: Tensor) -> Tensor:
        return positions + self.start if self.places is None else self.places[positions]
