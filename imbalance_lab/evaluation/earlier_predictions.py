"""Predictions as earlier releases stored them: a column of lists, ``logits``, one of ``target``, and ``index``."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imbalance_lab.task import Task

Content = tuple[Task, NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Task, index (N,), target and logits (N, C)."""


def is_earlier(schema: pa.Schema) -> bool:
    """Whether a file has the columns of an earlier release."""
    return "logits" in schema.names


def read(file: pq.ParquetFile) -> Content:
    """Read such a file; the oldest have no digest, and another description of the task.

    Raises:
        ValueError: if the content is not what was written.
    """
    table = file.read()
    metadata = table.schema.metadata
    index = table["index"].to_numpy().copy()  # Arrow's own memory is read-only
    target, logits = _array(table["target"]).astype(np.int64), _array(table["logits"]).copy()
    if b"task" not in metadata:
        classes, activation = json.loads(metadata[b"classes"]), metadata[b"link"].decode()
        return Task.from_targets(classes, target, activation=activation), index, target, logits
    digest = metadata.get(b"sha256")
    if digest is not None and digest.decode() != sha256(metadata[b"task"], content_parts(index, target, logits)):
        raise ValueError("its content is not what was written: the digest differs")
    return Task.from_dict(json.loads(metadata[b"task"])), index, target, logits


def content_parts(*arrays: NDArray[Any]) -> Iterator[bytes | memoryview]:
    """The content of arrays with their types and shapes."""
    for array in arrays:
        yield f"{array.dtype.str}{array.shape}".encode()
        yield np.ascontiguousarray(array).data


def sha256(task: bytes, parts: Iterable[Any]) -> str:
    """The digest of a task and of what belongs to it."""
    found = hashlib.sha256(task)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers as (N,), one of lists as (N, C)."""
    whole = column.combine_chunks()
    if not pa.types.is_fixed_size_list(whole.type):
        return np.asarray(whole)
    return np.asarray(whole.flatten()).reshape(len(whole), whole.type.list_size)
