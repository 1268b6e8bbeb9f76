"""Arrays of a ``.npy`` or ``.npz`` file, part by part."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.schema import ArraySchema
from imbalance_lab.deployment.inputs.stream import PART_ROWS, InputOptions, InputStream, Part, told_in_a_sentence
from imbalance_lab.errors import UsageError
from imbalance_lab.metrics.array_inputs import as_target

INPUTS = ("inputs", "x", "X")
"""Names of the inputs in an ``.npz`` file with several arrays."""

PART_VALUES = 1 << 24
"""Values of a part: 64 MB as float32."""


class ArrayStream(InputStream):
    """A ``.npy`` file is mapped, so that only a part of it is in memory; an array of an ``.npz`` file is read whole."""

    def __init__(self, file: Path, schema: ArraySchema, options: InputOptions) -> None:
        super().__init__(file)
        self.schema = schema
        self.options = options
        self.done = 0
        arrays = _load(file)
        self.inputs = _inputs(arrays, file)
        if options.ids:
            raise UsageError(f"--id {options.ids[0]} is a column of a table, but {file} holds arrays: leave it out")
        self.targets = None if options.labels is None else self._targets(arrays)

    def __iter__(self) -> Iterator[Part]:
        step = max(1, min(PART_ROWS, PART_VALUES // max(1, self.inputs[:1].size)))
        for first in range(0, len(self.inputs), step):
            with told_in_a_sentence():
                inputs = self.schema.encode(np.array(self.inputs[first : first + step]))
            targets = None if self.targets is None else self.targets[first : first + step]
            yield Part(first, index_keys(first, len(inputs)), inputs, {}, targets)
            self.done = first + len(inputs)

    @property
    def position(self) -> tuple[int, int]:
        return self.done, len(self.inputs)

    def _targets(self, arrays: dict[str, NDArray[Any]]) -> Tensor:
        name = str(self.options.labels)
        if name not in arrays:
            raise UsageError(f"{self.file} has no array {name!r} with the labels: save it with numpy.savez")
        values = arrays[name]
        if len(values) != len(self.inputs):
            raise UsageError(f"{self.file} has {len(self.inputs):,} inputs, but {len(values):,} {name}: save it anew")
        with told_in_a_sentence():
            return torch.from_numpy(as_target(values, name, num_classes=len(self.schema.classes)))


def index_keys(first: int, n: int) -> pa.Table:
    """The numbers of ``n`` examples as the column that names them."""
    return pa.table({"index": np.arange(first, first + n)})


def _load(file: Path) -> dict[str, NDArray[Any]]:
    if not file.is_file():
        raise UsageError(f"{file} is not a file: the model takes arrays, name a .npy or .npz file")
    try:
        if file.suffix == ".npy":
            return {"": np.load(file, mmap_mode="r", allow_pickle=False)}
        if file.suffix == ".npz":
            with np.load(file, allow_pickle=False) as content:
                return {name: content[name] for name in content.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"{file} cannot be read: {' '.join(str(error).split())[:300]}") from error
    raise UsageError(f"{file} ends in {file.suffix or 'nothing'}: the model takes arrays, name a .npy or .npz file")


def _inputs(arrays: dict[str, NDArray[Any]], file: Path) -> NDArray[Any]:
    found = [arrays[name] for name in (*INPUTS, *(arrays if len(arrays) == 1 else ())) if name in arrays]
    if not found:
        raise UsageError(f"{file} holds {', '.join(arrays) or 'no array'}: call the inputs {INPUTS[0]!r}")
    if not found[0].ndim or not len(found[0]):
        raise UsageError(f"{file} holds no example, its inputs have the shape {found[0].shape}")
    return found[0]
