"""The features of a frozen backbone, computed once for all examples, and kept on disk for later runs.

A file is named by what its rows were made from: the backbone's configuration, modules and weights, the preparation,
how inputs are read, and the content of every example in the order of its index. Splits, targets and paths are not in
the name, so that runs on other splits of the same examples share a file.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data import Source, Splits
from imbalance_lab.data.array_file import ArrayContent, describe_failure, digest_row, find_fault, write_rows
from imbalance_lab.data.feature_source import Features
from imbalance_lab.files import WriteError, remove_leftovers
from imbalance_lab.progress import Step
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.training.frozen_net import FrozenNet

FORMAT = 1
"""Goes into every name: a file of another layout is never read."""

AT_ONCE = 64
"""Examples of a batch; always the same number, because sums in another order differ in their last digits."""

MEMORY_SHARE = 0.25
"""Of this machine's memory, what features may take that no file holds."""

TOLERANCE = 0.01
"""How far stored features may be from those of now, relative to the largest: devices round differently."""


class Stored(NamedTuple):
    """The splits with features for inputs, if there is room for them, and a sentence on what a user should know."""

    splits: Splits | None
    notes: Sequence[str] = ()


def with_features(splits: Splits, net: FrozenNet, folder: Path | None, max_bytes: float, progress: Step) -> Stored:
    """The same splits, with the features of all examples.

    They are read from ``folder`` if it has them whole; two of them are computed again, so that features of other code
    under the same name are noticed. Else all are computed, and stored there.

    Args:
        splits: the examples.
        net: the backbone.
        folder: of the files; None to keep the features in memory.
        max_bytes: of all files in the folder; those that were not used for longest are removed.
        progress: told of each batch that is computed.
    """
    examples = _Examples.of(splits)
    first = net(examples.read(0, 1))
    shape = len(examples.order), *first.shape[1:]
    content = ArrayContent.of(_key(splits, net, examples), shape, first.dtype)
    notes: list[str] = []
    if folder is not None and content.size > max_bytes:
        notes.append(f"the features take {content.size / 1e9:,.1f} GB, more than features.max_gb: they are not stored")
        folder = None
    if folder is not None:
        values, told = _from_file(folder / f"{content.key}.npy", content, first, net, examples, progress)
        notes += told
        if values is not None:
            _remove_oldest(folder, max_bytes, keep=f"{content.key}.npy")
            return Stored(examples.splits_of(splits, values), notes)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if content.size > MEMORY_SHARE * memory:
        notes.append(
            f"the features take {content.size / 1e9:,.1f} GB, too much for the memory of this machine, and are "
            "computed in every epoch: choose features.cache=DIRECTORY features.max_gb=… on a disk with more room"
        )
        return Stored(None, notes)
    values = np.concatenate(list(_blocks(net, examples, progress)))
    return Stored(examples.splits_of(splits, values), notes)


class _Examples(NamedTuple):
    """The examples of all splits in the order of their index.

    Args:
        sources: the splits.
        order: (M,) places in the splits one after the other.
        starts: where each split begins there.
    """

    sources: Sequence[Source]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, splits: Splits) -> "_Examples":
        sources = list(splits.parts.values())
        order = np.argsort(np.concatenate([each.index.numpy() for each in sources]), kind="stable")
        return cls(sources, order, np.cumsum([0, *map(len, sources)]))

    def read(self, first: int, end: int) -> Tensor:
        """The inputs of some examples, whatever splits they are in."""
        places = self.order[first:end]
        inputs: list[Tensor] = [torch.empty(0)] * len(places)
        for source, start, stop in zip(self.sources, self.starts, self.starts[1:], strict=False):
            own = np.flatnonzero((places >= start) & (places < stop))
            if len(own):
                at = torch.from_numpy(places[own] - start)
                for place, row in zip(own, source.__getitems__(SampledIndices(at, at)).input, strict=True):
                    inputs[place] = row
        return torch.stack(inputs)

    def splits_of(self, splits: Splits, values: NDArray[np.float32]) -> Splits:
        """The splits with their rows of the features."""
        rows = np.empty_like(self.order)
        rows[self.order] = np.arange(len(rows))
        parts: dict[str, Any] = {
            name: Features(source, values, rows[start:stop])
            for (name, source), start, stop in zip(splits.parts.items(), self.starts, self.starts[1:], strict=False)
        }
        return replace(splits, **parts, fitted=splits.prepare, input_schema=splits.schema)


def _key(splits: Splits, net: FrozenNet, examples: _Examples) -> str:
    reading = {key: value for key, value in splits.schema.as_dict().items() if key != "classes"}
    key = hashlib.blake2b(f"{FORMAT} {json.dumps(reading, sort_keys=True)}".encode() + net.digest(), digest_size=12)
    hashes = np.concatenate([source.content_hashes() for source in examples.sources])
    key.update(np.ascontiguousarray(hashes[examples.order]).data)
    return key.hexdigest()


def _from_file(
    file: Path, content: ArrayContent, first: NDArray[np.float32], net: FrozenNet, examples: _Examples, progress: Step
) -> tuple[NDArray[np.float32] | None, list[str]]:
    """The features of a file, which is made if there is no whole one; None if it cannot be written.

    ``first`` are those of the first example as they are now, (1, …).
    """
    remove_leftovers(file.parent)
    fault = find_fault(file, content)
    if fault == "":
        values: NDArray[np.float32] = np.load(file, mmap_mode="r")
        if _agree(values, first, net, examples):
            with suppress(OSError):
                os.utime(file)  # the time of its last use
            return values, []
        fault = "has other features than the backbone gives now"
    rows = ((row.tobytes(), digest_row(row)) for block in _blocks(net, examples, progress) for row in block)
    try:
        write_rows(file, content, rows)
    except (OSError, WriteError) as error:
        return None, [
            f"features.cache={file.parent} cannot be written ({describe_failure(error, content)}), so the features are "
            "computed again in every run: make room, or name another directory"
        ]
    notes = [] if fault is None else [f"features.cache: {file} {fault}: it was made again"]
    return np.load(file, mmap_mode="r"), notes


def _agree(values: NDArray[np.float32], first: NDArray[np.float32], net: FrozenNet, examples: _Examples) -> bool:
    """Whether the first and the last row are what the backbone gives now."""
    last = len(values) - 1
    now = np.concatenate([first, net(examples.read(last, last + 1))])
    return bool(np.abs(now - values[[0, last]]).max() <= TOLERANCE * np.abs(now).max())


def _blocks(net: FrozenNet, examples: _Examples, progress: Step) -> Iterator[NDArray[np.float32]]:
    """The features of all examples, a batch at a time."""
    total = len(examples.order)
    for first in range(0, total, AT_ONCE):
        end = min(first + AT_ONCE, total)
        yield np.ascontiguousarray(net(examples.read(first, end)))
        progress(end, total)


def _remove_oldest(folder: Path, max_bytes: float, *, keep: str) -> None:
    """Remove the files that were not used for longest, until the others take at most ``max_bytes``."""
    files = []
    for path in folder.glob("*.npy"):
        with suppress(FileNotFoundError):  # another process removes too
            stat = path.stat()
            files.append((path.name == keep, stat.st_mtime_ns, stat.st_size, path))
    total = sum(size for _, _, size, _ in files)
    for is_kept, _, size, path in sorted(files):
        if total <= max_bytes or is_kept:
            return
        with suppress(OSError):  # one that is mapped stays readable until its process ends
            path.unlink()
            total -= size
