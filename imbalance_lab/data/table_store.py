"""The encoded rows of a table in mapped files: written once, a part at a time, and read in any order.

A folder holds the inputs (M, F) float32, the targets and the numbers of the rows as NumPy arrays, split by split and in
each class by class, and what the rows say about themselves. It is written beside its place and renamed, so it is whole
or not there.
"""

import json
import mmap
import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.array_file import ArrayContent
from imbalance_lab.data.large_splits import UNUSED, Codes, Targets
from imbalance_lab.files import free_space, readable_size, write_json

ARRAYS = "inputs", "targets", "index"
FACTS, PREPARE = "table.json", "prepare.npz"

MAX_MAPPED = 1 << 29
"""Bytes of mapped pages, beyond which they are given back, as they count as memory of the process; and bytes of a file
whose rows are read from mapped pages."""

LOOK_AFTER, RELEASE_AFTER = 1024, 1 << 18
"""Rows that are read between two looks at that, and without a look where the system does not say."""


@dataclass(frozen=True)
class TableStore:
    """A folder of mapped rows.

    Args:
        folder: that `StoreWriter` has written.
        facts: what was stored beside the rows, plain values.
    """

    folder: Path
    facts: Mapping[str, Any]

    @classmethod
    def find(cls, folder: Path) -> "TableStore | None":
        """The store in a folder; None if there is none, or a file of it has another size than it should."""
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            sizes = {name: (folder / name).stat().st_size for name in facts["sizes"]}
        except (OSError, ValueError, KeyError):
            return None
        return cls(folder, facts) if sizes == facts["sizes"] else None

    @cached_property
    def inputs(self) -> Tensor:
        """(M, F) float32."""
        return self._mapped["inputs"]

    @cached_property
    def targets(self) -> Tensor:
        """Class indices (M,), or 0/1 labels (M, L), of an integer type."""
        return self._mapped["targets"]

    @cached_property
    def index(self) -> Tensor:
        """The number of each row in its files, (M,)."""
        return self._mapped["index"]

    def prepare_state(self) -> dict[str, Tensor]:
        """The state of the preparation module."""
        with np.load(self.folder / PREPARE) as content:
            return {name: torch.from_numpy(content[name]) for name in content.files}

    def read(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs (n, F), targets and index, int64, of some rows (n,)."""
        found = self._read_inputs(rows), self.targets[rows].long(), self.index[rows].long()
        self._since.looked += len(rows)
        self._since.rows += len(rows)
        if self._since.looked >= LOOK_AFTER:
            self._since.looked, mapped = 0, _mapped_bytes()
            is_many = self._since.rows >= RELEASE_AFTER if mapped is None else mapped > self._since.mapped + MAX_MAPPED
            if is_many:
                self.release()
        return found

    def _read_inputs(self, rows: Tensor) -> Tensor:
        """Inputs (n, F): of a large file row by row, as a mapped row would bring up to 2 MB of others with it."""
        size = self.inputs[:1].nbytes
        if len(self.inputs) * size <= MAX_MAPPED or not len(rows) or not hasattr(os, "pread"):
            return self.inputs[rows]
        places = (rows * size + self._arrays["inputs"].offset).tolist()
        content = bytearray().join([os.pread(self._file, size, at) for at in places])
        return torch.frombuffer(content, dtype=torch.float32).view(len(rows), -1)

    def release(self) -> None:
        """Give the mapped pages back to the system, which keeps them as long as it has room."""
        for array in self._arrays.values():
            array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
        self.__dict__["_since"] = _Since(_mapped_bytes() or 0)

    @cached_property
    def _file(self) -> int:
        file = os.open(self.folder / "inputs.npy", os.O_RDONLY)
        weakref.finalize(self, os.close, file)
        return file

    @cached_property
    def _since(self) -> "_Since":
        return _Since(0)

    @cached_property
    def _arrays(self) -> dict[str, np.memmap[Any, Any]]:
        # "c", a private copy on writing: torch warns of an array that may not be written. Nothing writes.
        return {name: np.load(self.folder / f"{name}.npy", mmap_mode="c") for name in ARRAYS}

    @cached_property
    def _mapped(self) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array) for name, array in self._arrays.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "facts": self.facts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


@dataclass
class _Since:
    """Since the last release: the bytes of mapped pages then, and the rows read; the rows since the last look."""

    mapped: int
    rows: int = 0
    looked: int = 0


def _mapped_bytes() -> int | None:
    """The mapped pages of this process that are in memory; None where the system does not say (Linux does)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[2]) * mmap.PAGESIZE
    except OSError:
        return None


class StoreWriter:
    """Writes rows to their places: split by split, in each class by class, in each in the order in which they come.

    Args:
        folder: an empty one.
        counts: (S, C) the rows of each split and class.
        n_features: F.
        labels: how many columns the targets have, 0 for class indices.
        kinds: the types of targets and index.

    Raises:
        OSError: if the disk has not the room.
    """

    def __init__(
        self, folder: Path, counts: NDArray[np.int64], n_features: int, labels: int, kinds: tuple[Any, Any]
    ) -> None:
        n_rows = int(counts.sum())
        shapes = (n_rows, n_features), (n_rows, labels) if labels else (n_rows,), (n_rows,)
        types = np.dtype(np.float32), np.dtype(kinds[0]), np.dtype(kinds[1])
        self.contents = [ArrayContent.of("", shape, kind) for shape, kind in zip(shapes, types, strict=True)]
        needed = sum(content.size for content in self.contents)
        if (free := free_space(folder)) < needed:
            raise OSError(
                f"the mapped rows take {readable_size(needed)} in {folder.parent}, where {readable_size(free)} are "
                "free: free some space, or choose another place with data.cache=DIRECTORY"
            )
        self.next_row = (counts.cumsum() - counts.flatten()).tolist()
        self.n_classes = counts.shape[1]
        self.folder = folder
        self.files = [os.open(folder / f"{name}.npy", os.O_WRONLY | os.O_CREAT, 0o644) for name in ARRAYS]
        for file, content in zip(self.files, self.contents, strict=True):
            os.pwrite(file, content.header, 0)

    def add(self, index: NDArray[np.int64], inputs: NDArray[np.float32], targets: Targets, splits: Codes) -> None:
        """Write n rows: their numbers, inputs (n, F), targets, and splits (n,); those that are unused are left out."""
        strata = targets if targets.ndim == 1 else np.zeros(len(targets), np.int64)
        place = splits.astype(np.int64) * self.n_classes + strata
        order = place.argsort(kind="stable")[: int((splits < UNUSED).sum())]
        sizes = np.bincount(place[order], minlength=len(self.next_row))
        values = inputs[order], targets[order], index[order]
        first = 0
        for each in np.flatnonzero(sizes).tolist():
            stop = first + int(sizes[each])
            for file, content, array in zip(self.files, self.contents, values, strict=True):
                rows = np.ascontiguousarray(array[first:stop], content.dtype)
                size = rows[:1].nbytes
                _write(file, rows.tobytes(), len(content.header) + self.next_row[each] * size)
            self.next_row[each] += stop - first
            first = stop

    def finish(self, facts: Mapping[str, Any], prepare: Mapping[str, Tensor]) -> None:
        """Write what the rows say about themselves, last."""
        for file in self.files:
            os.fsync(file)
            os.close(file)
        np.savez(self.folder / PREPARE, **{name: value.numpy() for name, value in prepare.items()})  # type: ignore[arg-type]
        names = [*(f"{name}.npy" for name in ARRAYS), PREPARE]
        sizes = {name: (self.folder / name).stat().st_size for name in names}
        write_json(self.folder / FACTS, {**facts, "sizes": sizes})


def _write(file: int, content: bytes, at: int) -> None:
    while content:
        n = os.pwrite(file, content, at)
        content, at = content[n:], at + n
