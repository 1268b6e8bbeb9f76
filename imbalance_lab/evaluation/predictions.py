"""The stored predictions of a run: what everything after training reads.

One Parquet file a split, one row an example: ``index`` (int64), ``target`` (int64, or C int8 of labels that may hold
together), ``logits`` (C float32). The class names, and how logits become probabilities, stand in the file's metadata.
Any Parquet reader opens it:
``pandas.read_parquet("predictions/test.parquet")``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.files import atomic_write
from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.posthoc import Activation


@dataclass(frozen=True)
class Predictions:
    """A model's logits (N, C) float32 for examples with ``index`` (N,) and ``target``.

    Targets are class numbers (N,), or 0/1 for each of C labels (N, C). Probabilities are softmax or sigmoid of the
    logits, as ``activation`` says.
    """

    classes: tuple[str, ...]
    index: NDArray[np.int64]
    target: NDArray[np.int64]
    logits: NDArray[np.float32]
    activation: Activation = "softmax"

    def __post_init__(self) -> None:
        object.__setattr__(self, "logits", as_scores(self.logits, "logits"))
        object.__setattr__(self, "index", as_target(self.index, "index"))
        object.__setattr__(self, "target", as_target(self.target))
        n, width = self.logits.shape
        if not len(self.index) == len(self.target) == n or len(self.classes) != width:
            raise ValueError(
                f"{len(self.index)} index, {len(self.target)} target, logits {self.logits.shape} and "
                f"{len(self.classes)} class names do not belong together"
            )
        if len(np.unique(self.index)) != len(self.index):
            raise ValueError("an example appears twice in these predictions")
        finite = np.isfinite(self.logits).all(1)
        if not finite.all():
            bad = self.index[~finite]
            raise ValueError(f"the logits of {len(bad)} examples are not finite, index {bad[:5].tolist()} …")

        if self.is_multilabel:
            if self.target.shape != self.logits.shape:
                raise ValueError(
                    f"the targets of labels must be 0 or 1 and (N, C) as the logits, {self.logits.shape}, "
                    f"got shape {self.target.shape}"
                )
            if self.activation != "sigmoid":
                raise ValueError("labels that may hold together are read by sigmoid, not by softmax")

    @property
    def is_multilabel(self) -> bool:
        """Whether an example has any number of labels, not one class."""
        return self.target.ndim == 2

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        target = _rows(self.target.astype(np.int8)) if self.is_multilabel else self.target
        table = pa.table({"index": self.index, "target": target, "logits": _rows(self.logits)})
        table = table.replace_schema_metadata({"classes": json.dumps(self.classes), "activation": self.activation})
        with atomic_write(path) as unfinished:
            pq.write_table(table, unfinished, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """Read what `write` wrote."""
        table = pq.read_table(path)
        return cls(
            classes=tuple(json.loads(table.schema.metadata[b"classes"])),
            index=table["index"].to_numpy().copy(),  # Arrow's own memory is read-only
            target=_array(table["target"]).astype(np.int64),
            logits=_array(table["logits"]).copy(),
            activation=table.schema.metadata[b"activation"].decode(),
        )


def _rows(values: NDArray[Any]) -> pa.FixedSizeListArray:
    """(N, C) as a column of lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers as (N,), one of lists as (N, C)."""
    whole = column.combine_chunks()
    if not pa.types.is_fixed_size_list(whole.type):
        return np.asarray(whole)
    return np.asarray(whole.flatten()).reshape(len(whole), whole.type.list_size)
