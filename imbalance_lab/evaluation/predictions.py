"""The stored predictions of a run: what everything after training reads.

One Parquet file a split, one row an example, which any Parquet reader opens:
``pandas.read_parquet("predictions/test.parquet")``. Its columns are

    index             int64, the number of the example in its data
    source            text, where it comes from: "fraud.csv, line 12", "cats/1.png"
    group             its value in the group column of the data, if they have one
    fold              int64, which fold of a cross-validation tested it
    target            text, its class; in a multilabel task target_<label>, int8, 0 or 1 for each label
    predicted         text, the most probable class; not in a multilabel task
    p_<class>         float32, for each class its calibrated and adjusted probability, as `imbalance-lab predict` gives
    logit_<class>     float32, for each class what the model said

``predicted`` and ``p_<class>`` follow from the logits and the post-processing: each evaluation writes them anew, and
nothing reads them back. The metadata hold the task, and a digest of all that is read back; every page has a checksum.
So damage is an error, never another score.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from imbalance_lab.data import Source
from imbalance_lab.evaluation import earlier_predictions
from imbalance_lab.files import atomic_write
from imbalance_lab.metrics.array_inputs import as_scores, as_target
from imbalance_lab.task import Activation, Task

if TYPE_CHECKING:
    from imbalance_lab.posthoc import PostProcessor

TARGET, LOGIT, PROBABILITY = "target", "logit_", "p_"
NO_COLUMNS: Mapping[str, pa.Array] = {}
TOLD = ("source", "group", "fold")  # what is known about the examples besides, each a column of its own


@dataclass(frozen=True)
class Predictions:
    """A model's logits (N, C) float32 for examples with ``index`` (N,) and ``target``, (N,) or (N, C) as ``task`` says.

    ``source`` (N,) are the names of the examples for a user, ``group`` (N,) their values in a group column, ``fold``
    (N,) the fold of a cross-validation that tested each; each may be None, if unknown.

    Raises:
        ValueError: if these do not fit together, an example appears twice, or a logit is not finite.
    """

    task: Task
    index: NDArray[np.int64]
    target: NDArray[np.int64]
    logits: NDArray[np.float32]
    source: pa.Array | None = None
    group: pa.Array | None = None
    fold: pa.Array | None = None

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
        for name, column in self._told():
            if len(column) != n:
                raise ValueError(f"{len(column)} {name} and logits {self.logits.shape} do not fit together")
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

    def write(
        self, path: Path, postprocessor: "PostProcessor | None" = None, derived: Mapping[str, pa.Array] = NO_COLUMNS
    ) -> None:
        """Write the file whole or not at all; with what ``postprocessor`` makes of the logits, once it is known.

        ``derived`` are columns that take the place of that: what several post-processors made, see `derived_columns`.

        Raises:
            ValueError: if two classes have the same name.
        """
        if twice := [name for name, times in Counter(self.classes).items() if times > 1]:
            raise ValueError(f"two classes are called {twice[0]!r}: rename one of them")
        task = json.dumps(self.task.as_dict())
        columns = {"index": pa.array(self.index), **dict(self._told()), **self._target_columns()}
        if postprocessor is not None:
            columns |= self._postprocessed(postprocessor)
        columns |= derived
        columns |= {f"{LOGIT}{name}": pa.array(z) for name, z in zip(self.classes, self._by_class(), strict=True)}
        table = pa.table(columns)
        table = table.replace_schema_metadata({"task": task, "sha256": self._digest(task.encode())})
        floats = [field.name for field in table.schema if pa.types.is_floating(field.type) and field.name != "group"]
        text = [name for name in table.column_names if name not in {*floats, "index", "source"}]
        with atomic_write(path) as unfinished:
            # The bytes of floats side by side, and what paths have in common once: smaller, and not slower.
            pq.write_table(
                table,
                unfinished,
                compression="zstd",
                write_page_checksum=True,
                use_dictionary=text,
                use_byte_stream_split=floats,
                column_encoding={"source": "DELTA_BYTE_ARRAY"} if self.source is not None else None,
            )

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """Read what `write` wrote, in this release or an earlier one.

        Raises:
            ValueError: if the content is not what was written; for a damaged file any error of Arrow too.
        """
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            if earlier_predictions.is_earlier(schema):
                return cls(*earlier_predictions.read(file))
            # Arrow takes "a.b" for a field of "a", and reads all that begin with "a." then: more than asked for.
            derived = derived_columns(schema.names)
            table = file.read([name for name in schema.names if name not in derived])
            for name in derived:  # only to verify the checksums of what others read
                file.read([name])
        task = Task.from_dict(json.loads(schema.metadata[b"task"]))
        told = {name: table[name].combine_chunks() for name in TOLD if name in schema.names}
        logits = np.ascontiguousarray(_stacked(table, LOGIT, task.classes).T)
        found = cls(task, table["index"].to_numpy().copy(), _target(table, task), logits, **told)
        if schema.metadata[b"sha256"].decode() != found._digest(schema.metadata[b"task"]):
            raise ValueError("its content is not what was written: the digest differs")
        return found

    def _told(self) -> Iterator[tuple[str, pa.Array]]:
        """What is known about the examples besides, by column."""
        for name in TOLD:
            if (column := getattr(self, name)) is not None:
                yield name, column

    def _by_class(self) -> NDArray[np.float32]:
        return np.ascontiguousarray(self.logits.T)

    def _target_columns(self) -> dict[str, pa.Array]:
        if not self.task.is_multilabel:
            return {TARGET: _class_column(self.target, self.classes)}
        labels = np.ascontiguousarray(self.target.T.astype(np.int8))
        return {f"{TARGET}_{name}": pa.array(row) for name, row in zip(self.classes, labels, strict=True)}

    def _postprocessed(self, postprocessor: "PostProcessor") -> dict[str, pa.Array]:
        found = {}
        if not self.task.is_multilabel:
            labels = self.task.predict_labels(postprocessor.adjusted(self.logits))
            found["predicted"] = _class_column(labels, self.classes)
        p = np.ascontiguousarray(postprocessor.probabilities(self.logits).T.astype(np.float32))
        return found | {f"{PROBABILITY}{name}": pa.array(row) for name, row in zip(self.classes, p, strict=True)}

    def _digest(self, task: bytes) -> str:
        """SHA-256 of all that is read back."""
        parts = [*earlier_predictions.content_parts(self.index, self.target, self.logits)]
        for name, column in self._told():
            parts += [f"{name} {column.type}".encode(), *text_parts(column)]
        return earlier_predictions.sha256(task, parts)


def derived_columns(names: Sequence[str]) -> list[str]:
    """Those of the columns of a file that the post-processing made of the logits."""
    return [name for name in names if name == "predicted" or name.startswith(PROBABILITY)]


def describe_examples(source: Source, index: NDArray[np.int64]) -> tuple[pa.Array | None, pa.Array | None]:
    """The names of the examples of ``source`` that have these ``index`` (n,), and their groups; None if unknown."""
    at = positions_of(index, source.index.numpy())
    try:
        names = pa.array(source.names(torch.from_numpy(at)), pa.string())
    except OSError:  # the file whose lines are counted is gone: the predictions must not be lost with it
        names = None
    groups: pa.Array | None = getattr(source, "groups", None)  # sources of users may have none
    return names, None if groups is None else groups.take(pa.array(at))


def positions_of(index: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the numbers ``index`` (n,) stand ``among`` N different ones, (n,); −1 for a number that is not among them.

    >>> positions_of(np.array([7, 5, 6]), np.array([5, 3, 7])).tolist()
    [2, 0, -1]
    """
    order = np.argsort(among)
    at = order[np.searchsorted(among, index, sorter=order).clip(max=len(among) - 1)]
    return np.where(among[at] == index, at, -1)


def _class_column(labels: NDArray[Any], classes: Sequence[str]) -> pa.DictionaryArray:
    """Class indices (N,) as the names of the classes, all of which the column knows, in their order."""
    return pa.DictionaryArray.from_arrays(pa.array(labels.astype(np.int32)), pa.array(classes, pa.string()))


def _target(table: pa.Table, task: Task) -> NDArray[np.int64]:
    """Class indices (N,), or labels (N, C)."""
    if task.is_multilabel:
        return np.ascontiguousarray(_stacked(table, f"{TARGET}_", task.classes).T.astype(np.int64))
    codes = pc.index_in(table[TARGET].cast(pa.string()), pa.array(task.classes, pa.string()))
    if codes.null_count:
        raise ValueError("a target is not a class of its task")
    found: NDArray[np.int64] = codes.to_numpy().astype(np.int64)
    return found


def _stacked(table: pa.Table, prefix: str, classes: Sequence[str]) -> NDArray[Any]:
    """The columns of the classes, (C, N)."""
    return np.stack([table[f"{prefix}{name}"].to_numpy() for name in classes])


def text_parts(column: pa.Array) -> Iterator[bytes | memoryview]:
    """The values of a column as text, and their lengths (−1 for none): different for different columns."""
    text = column.cast(pa.large_string())
    yield np.asarray(pc.fill_null(pc.binary_length(text), -1)).astype(np.int64).data
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(text)], pa.int64()), pc.fill_null(text, ""))
    yield pc.binary_join(whole, pa.scalar("", pa.large_string()))[0].as_buffer()
