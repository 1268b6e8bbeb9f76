"""The stored predictions of a run: what everything after training reads.

One Parquet file a split, one row an example: ``index`` (int64), ``target`` (int64, or C int8 of labels), ``logits``
(C float32). The task, with the class names and how logits become probabilities, is in the file's metadata. Any Parquet
reader opens it: ``pandas.read_parquet("predictions/test.parquet")``. The metadata has a digest of the content, so that
damage is an error, never another score.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.files import atomic_write
from imbalance_lab.metrics.array_inputs import as_scores, as_target
from imbalance_lab.task import Activation, Task


@dataclass(frozen=True)
class Predictions:
    """A model's logits (N, C) float32 for examples with ``index`` (N,) and ``target``, (N,) or (N, C) as ``task`` says.

    Raises:
        ValueError: if these do not fit together, an example appears twice, or a logit is not finite.
    """

    task: Task
    index: NDArray[np.int64]
    target: NDArray[np.int64]
    logits: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "logits", as_scores(self.logits, "logits", ndim=2, finite=None))
        object.__setattr__(self, "index", as_target(self.index, "index"))
        object.__setattr__(self, "target", as_target(self.target))
        n, width = self.logits.shape
        if not len(self.index) == len(self.target) == n or self.task.num_classes != width:
            raise ValueError(
                f"{len(self.index)} index, {len(self.target)} target, logits {self.logits.shape} and "
                f"{self.task.num_classes} class names do not fit together"
            )
        wanted = self.logits.shape if self.task.is_multilabel else (n,)
        if self.target.shape != wanted:
            raise ValueError(f"the targets of a {self.task.kind} task must be {wanted}, got shape {self.target.shape}")
        as_target(self.target, num_classes=width)
        if len(np.unique(self.index)) != len(self.index):
            raise ValueError("an example appears twice in these predictions")
        finite = np.isfinite(self.logits).all(1)
        if not finite.all():
            bad = self.index[~finite]
            raise ValueError(f"the logits of {len(bad)} examples are not finite, index {bad[:5].tolist()} …")

    @classmethod
    def of(
        cls,
        classes: Sequence[str],
        index: NDArray[np.int64],
        target: NDArray[np.int64],
        logits: NDArray[np.float32],
        activation: Activation = "softmax",
    ) -> "Predictions":
        """Predictions of the task that the targets have: see `Task.from_targets`."""
        return cls(Task.from_targets(classes, as_target(target), activation=activation), index, target, logits)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the C classes."""
        return self.task.classes

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        target = _rows(self.target.astype(np.int8)) if self.target.ndim == 2 else self.target
        table = pa.table({"index": self.index, "target": target, "logits": _rows(self.logits)})
        task = json.dumps(self.task.as_dict())
        digest = _digest(task.encode(), self.index, self.target, self.logits)
        table = table.replace_schema_metadata({"task": task, "sha256": digest})
        with atomic_write(path) as unfinished:
            pq.write_table(table, unfinished, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """Read what `write` wrote, in this release or an earlier one, which stored no digest.

        Raises:
            ValueError: if the content is not what was written; for a damaged file any error of Arrow too.
        """
        with pq.ParquetFile(path) as file:
            table = file.read()
        metadata = table.schema.metadata
        index = table["index"].to_numpy().copy()  # Arrow's own memory is read-only
        target, logits = _array(table["target"]).astype(np.int64), _array(table["logits"]).copy()
        if b"task" in metadata:
            digest = metadata.get(b"sha256")
            if digest is not None and digest.decode() != _digest(metadata[b"task"], index, target, logits):
                raise ValueError("its content is not what was written: the digest differs")
            return cls(Task.from_dict(json.loads(metadata[b"task"])), index, target, logits)
        return cls.of(json.loads(metadata[b"classes"]), index, target, logits, metadata[b"link"].decode())


def _digest(task: bytes, *arrays: NDArray[Any]) -> str:
    """SHA-256 of the task and of the arrays with their types and shapes."""
    found = hashlib.sha256(task)
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _rows(values: NDArray[Any]) -> pa.FixedSizeListArray:
    """(N, C) as a column of lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers as (N,), one of lists as (N, C)."""
    whole = column.combine_chunks()
    if not pa.types.is_fixed_size_list(whole.type):
        return np.asarray(whole)
    return np.asarray(whole.flatten()).reshape(len(whole), whole.type.list_size)
