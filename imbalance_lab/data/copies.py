"""Equal examples: copies in two splits, and the same image under two labels."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.arrays import Arrays, Source, Splits
from imbalance_lab.data.image_bytes import MemberFiles
from imbalance_lab.data.image_files import ImageFiles
from imbalance_lab.data.mapped_rows import MappedRows
from imbalance_lab.progress import Step, progress
from imbalance_lab.samplers.windows import is_large

MAX_NAMED = 5
"""Examples that a sentence names."""

PIECE = 4096
"""Bytes at the start, in the middle and at the end of a file that are compared before all of it is."""


class Contents(NamedTuple):
    """Of each split numbers (n,) that are equal for equal inputs, and a sentence for each that is not readable.

    A split of which nothing was read is not there.
    """

    numbers: Mapping[str, NDArray[np.uint64]]
    faults: Sequence[str] = ()


def read_contents(parts: Mapping[str, Source], *, thorough: bool) -> Contents:
    """Compare the inputs: arrays always; image files byte by byte, or if ``thorough`` by their pixels; others if so."""
    if not thorough and any(
        isinstance(each, ImageFiles) and isinstance(each.files, MemberFiles) for each in parts.values()
    ):
        return Contents({})  # of very many images all would be read
    if all(isinstance(source, ImageFiles) for source in parts.values()):
        return _of_images({split: each for split, each in parts.items() if isinstance(each, ImageFiles)}, thorough)
    if not thorough and not isinstance(parts["train"], Arrays | MappedRows):
        return Contents({})
    if isinstance(parts["train"], MappedRows) and is_large(sum(map(len, parts.values()))):
        return Contents({})  # as many hashes as rows, sorted, would not fit; the data say so
    numbers = {}
    for split, source in parts.items():
        with progress(f"comparing the {split} examples"):
            numbers[split] = source.content_hashes()
    return Contents(numbers)


def _of_images(parts: Mapping[str, ImageFiles], thorough: bool) -> Contents:
    if not thorough:
        with progress("comparing the images") as step:
            numbers = equal_files([str(path) for source in parts.values() for path in source.paths], step)
        ends = np.cumsum([len(source) for source in parts.values()])[:-1]
        return Contents(dict(zip(parts, np.split(numbers, ends), strict=True)))
    found = {}
    for split, source in parts.items():
        with progress(f"decoding the {split} images") as step:
            found[split] = source.examine(step)
    faults = [fault for each in found.values() for fault in each.faults]
    return Contents({split: each.pixels for split, each in found.items()}, faults)


def equal_files(files: Sequence[str], progress: Step | None = None) -> NDArray[np.uint64]:
    """Numbers (N,) that are equal for files of equal bytes.

    Most files are told apart by their size, or by three pieces of them; only others are read as a whole.
    """
    sizes = [os.stat(path).st_size for path in files]
    keys: list[tuple[int | bytes, ...]] = [(size,) for size in sizes]
    for read, smallest in ((_pieces, 0), (_digest, 3 * PIECE + 1)):
        counts = Counter(keys)
        alike = [at for at, key in enumerate(keys) if counts[key] > 1 and sizes[at] >= smallest]
        for done, at in enumerate(alike, 1):  # one by one: threads cost more than such short reads
            keys[at] = (*keys[at], read(files[at]))
            if progress is not None:
                progress(done, len(alike))
    numbers: dict[tuple[int | bytes, ...], int] = {}
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.uint64, len(files))


def _pieces(path: str) -> bytes:
    """A hash of three pieces of a file, all of it if it is small."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= 3 * PIECE:
            content = file.read()
        else:
            content = b"".join(os.pread(file.fileno(), PIECE, at) for at in (0, size // 2, size - PIECE))
    return hashlib.blake2b(content, digest_size=16).digest()


def _digest(path: str) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()


def label_conflicts(splits: Splits, contents: Contents) -> Iterator[str]:
    """A sentence for each image that is there more than once, with different labels.

    Only of image files: rows of a table with equal features may well be of different classes.
    """
    parts = {split: each for split, each in splits.parts.items() if isinstance(each, ImageFiles)}
    if not parts or any(split not in contents.numbers for split in parts):
        return
    targets = torch.cat([source.targets for source in parts.values()])
    names = _Names(parts)
    _, first, group = np.unique(
        np.concatenate([contents.numbers[split] for split in parts]), return_index=True, return_inverse=True
    )
    differs = (targets != targets[torch.from_numpy(first[group])]).reshape(len(targets), -1).any(1).numpy()
    told: set[int] = set()
    for at in np.flatnonzero(differs).tolist():
        one = int(first[group[at]])
        if one in told:
            continue
        told.add(one)
        labels = _label(splits.classes, targets[one]), _label(splits.classes, targets[at])
        a, b = names[one], names[at]
        what = f"{a} is listed twice, as {labels[0]} and as {labels[1]}"
        if a != b:
            what = f"{a} ({labels[0]}) and {b} ({labels[1]}) are the same image under two labels"
        yield f"{what}: keep the right one and remove the other"


class _Names:
    """The names of the examples of all splits, by their place among all."""

    def __init__(self, parts: Mapping[str, ImageFiles]) -> None:
        self._sources = list(parts.values())

    def __getitem__(self, at: int) -> str:
        for source in self._sources:
            if at < len(source):
                return source.names(torch.tensor([at]))[0]
            at -= len(source)
        raise IndexError(at)


def _label(classes: Sequence[str], target: Tensor) -> str:
    if target.ndim == 0:
        return repr(classes[int(target)])
    return ", ".join(repr(name) for name, there in zip(classes, target.tolist(), strict=True) if there) or "none"


def describe_copies(parts: Mapping[str, Source], contents: Contents, *, thorough: bool) -> Iterator[str]:
    """A sentence for each two splits with equal examples; if ``thorough``, also for copies within a split."""
    hashes = contents.numbers
    for a, b in combinations([split for split in parts if split in hashes], 2):
        at = np.flatnonzero(np.isin(hashes[b], hashes[a]))
        if len(at):
            twins = [int(np.flatnonzero(hashes[a] == hashes[b][i])[0]) for i in at[:MAX_NAMED]]
            left, right = parts[a].names(torch.tensor(twins)), parts[b].names(torch.from_numpy(at[:MAX_NAMED]))
            pairs = ", ".join(f"{one} = {other}" for one, other in zip(left, right, strict=True))
            yield f"{len(at):,} {b} examples are copies of {a} ones: {pairs}{' …' * (len(at) > MAX_NAMED)}"
    if thorough:
        for split, numbers in hashes.items():
            if repeated := len(numbers) - len(np.unique(numbers)):
                yield f"{repeated:,} {split} examples are copies of others in that split"
