"""The stored predictions of a run: what everything after training reads.

One Parquet file a split, one row an example: ``index`` (int64), ``target`` (int64), ``logits`` (C float32). The class
names, and how logits become probabilities, stand in the file's metadata. Any Parquet reader opens it:
``pandas.read_parquet("predictions/test.parquet")``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.files import replacing
from imbalance_lab.posthoc import Link


@dataclass(frozen=True)
class Predictions:
    """A model's logits (N, C) float32 for examples with ``index`` (N,) and ``target`` (N,).

    Probabilities are softmax or sigmoid of the logits, as ``link`` says.
    """

    classes: tuple[str, ...]
    index: NDArray[np.int64]
    target: NDArray[np.int64]
    logits: NDArray[np.float32]
    link: Link = "softmax"

    def __post_init__(self) -> None:
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

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        width = self.logits.shape[1]
        logits = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(self.logits).ravel()), width)
        table = pa.table({"index": self.index, "target": self.target, "logits": logits})
        table = table.replace_schema_metadata({"classes": json.dumps(self.classes), "link": self.link})
        with replacing(path) as unfinished:
            pq.write_table(table, unfinished, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """Read what `write` wrote."""
        table = pq.read_table(path)
        logits = table["logits"].combine_chunks()
        return cls(
            classes=tuple(json.loads(table.schema.metadata[b"classes"])),
            index=table["index"].to_numpy().copy(),  # Arrow's own memory is read-only
            target=table["target"].to_numpy().copy(),
            logits=logits.flatten().to_numpy().reshape(len(table), logits.type.list_size).copy(),
            link=table.schema.metadata[b"link"].decode(),
        )
