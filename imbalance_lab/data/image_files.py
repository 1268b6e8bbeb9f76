"""Image files as a source: decoded a batch at a time, in the loader's workers, or once, into a file of all."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from imbalance_lab.data.arrays import Batch
from imbalance_lab.data.image_bytes import ImageMember
from imbalance_lab.data.image_decoder import (
    Header,
    ImageDecoder,
    UnreadableImageError,
    as_inputs,
    check_depth,
    decode,
    header,
)
from imbalance_lab.data.normalize import Normalize
from imbalance_lab.data.threads import in_parallel
from imbalance_lab.progress import Step
from imbalance_lab.samplers import SampledIndices

Normalization = Literal["fitted", "imagenet", "inception"]

GIVEN = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inception": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Mean and deviation of red, green and blue over 0 … 1 that pretrained nets were trained with."""

FITTED_ON = 512
"""Images, evenly spaced, that mean and deviation are taken over."""


ImagePath = str | ImageMember
"""Where an image is: a file, or a member of one."""


@dataclass(frozen=True)
class ImageFiles(Dataset[Batch]):
    """One split of image files, or of members of archives; ``index`` is an example's place among all ``files``.

    ``groups`` (N,) are values that are equal for images that belong together; ``slices`` (N rows) are columns by whose
    values scores are compared.
    Inputs are (N, channels, size, size): uint8, or float32 over 0 … 65535 if any file has 16 bits.
    """

    root: Path
    files: Sequence[ImagePath]
    targets: Tensor
    index: Tensor
    decoder: ImageDecoder
    groups: pa.Array | None = None
    cache: Path | None = None
    slices: pa.Table | None = None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(channels, size, size)."""
        return self.decoder.channels, self.decoder.size, self.decoder.size

    def __len__(self) -> int:
        return len(self.targets)

    def __getitems__(self, draws: SampledIndices) -> Batch:
        """Decode a whole batch."""
        index = self.index[draws.positions]
        if self._cached is not None:
            inputs = as_inputs(self._cached[index.numpy()])
        else:
            inputs = decode([self.files[number] for number in index.tolist()], self.decoder)
        return Batch(inputs, self.targets[draws.positions], index, draws.seeds)

    def subset(self, positions: Tensor) -> Self:
        at = pa.array(positions.numpy())
        groups = None if self.groups is None else self.groups.take(at)
        slices = None if self.slices is None else self.slices.take(at)
        return replace(self, targets=self.targets[positions], index=self.index[positions], groups=groups, slices=slices)

    def names(self, positions: Tensor) -> list[str]:
        """Paths, relative to the root."""
        return [os.path.relpath(self.files[number], self.root) for number in self.index[positions].tolist()]

    def content_hashes(self) -> NDArray[np.uint64]:
        """Of the files, byte by byte; read once: a process shares its sources among runs."""
        return self._content_hashes

    def verify(self, progress: Step | None = None) -> list[str]:
        """Decode every file; a sentence for each that is not readable."""
        return self.examine(progress).faults

    def examine(self, progress: Step | None = None) -> "Examined":
        """Decode every file."""
        numbers = np.zeros(len(self), np.uint64)
        faults = []
        for at, (path, pixels) in enumerate(
            zip(self.paths, in_parallel(self._pixels, self.paths, progress), strict=True)
        ):
            if isinstance(pixels, str):
                faults.append(pixels)
            numbers[at] = _hash(path) if isinstance(pixels, str) else pixels
        return Examined(faults, numbers)

    @cached_property
    def _content_hashes(self) -> NDArray[np.uint64]:
        return np.fromiter(in_parallel(_hash, self.paths), np.uint64, len(self))

    @cached_property
    def _cached(self) -> NDArray[Any] | None:
        return None if self.cache is None else np.load(self.cache, mmap_mode="r")  # `image_cache.cached` checked it

    @property
    def paths(self) -> list[ImagePath]:
        """Of its own files."""
        return [self.files[number] for number in self.index.tolist()]

    def _pixels(self, path: ImagePath) -> int | str:
        """A number that is equal for equal pixels as the net sees them; or what is wrong with the file."""
        try:
            pixels = np.ascontiguousarray(self.decoder.read(path))
        except UnreadableImageError as fault:
            return str(fault)
        return int.from_bytes(hashlib.blake2b(pixels.data, digest_size=8).digest(), "big")


class Examined(NamedTuple):
    """What decoding every file finds: a sentence for each that is not readable, and hashes (N,) of the pixels."""

    faults: list[str]
    pixels: NDArray[np.uint64]


def read_headers(files: Sequence[ImagePath], decoder: ImageDecoder, progress: Step) -> list[Header]:
    """The headers of all files, in order.

    Raises:
        UnreadableImageError: for files that are not images, are too large, or are truncated; it names the first ones.
    """

    def read(path: ImagePath) -> Header | UnreadableImageError:
        try:
            return header(path, decoder)
        except UnreadableImageError as fault:
            return fault

    found = list(in_parallel(read, files, progress))
    headers = [each for each in found if isinstance(each, Header)]
    if len(headers) < len(found):
        raise all_faults([str(each) for each in found if isinstance(each, UnreadableImageError)], len(files))
    return headers


MAX_NAMED = 5
"""Files that a sentence names."""


def all_faults(faults: Sequence[str], n: int) -> UnreadableImageError:
    """One error of the faults that were found in ``n`` files."""
    if len(faults) == 1:
        return UnreadableImageError(faults[0])
    shown = "; ".join(faults[:MAX_NAMED])
    more = f"; and {len(faults) - MAX_NAMED:,} more" if len(faults) > MAX_NAMED else ""
    return UnreadableImageError(f"{len(faults):,} of {n:,} images cannot be read: {shown}{more}")


def infer_decoder(headers: Sequence[Header], decoder: ImageDecoder, channels: int | Literal["auto"]) -> ImageDecoder:
    """The decoder that loses nothing of files with these headers: 16 bits if one has them, color if one is not gray."""
    is_16bit = any(each.is_16bit for each in headers)
    if channels == "auto":
        channels = 1 if all(each.is_gray for each in headers) else 3
    return replace(decoder, channels=channels, is_16bit=is_16bit)


def check_files(files: Sequence[ImagePath], headers: Sequence[Header], decoder: ImageDecoder) -> list[ImagePath]:
    """Check the headers of new files for a decoder that is given; return the files with colors.

    Raises:
        UnreadableImageError: for the first file that has 16 bits while the decoder has 8.
    """
    for path, found in zip(files, headers, strict=True):
        check_depth(path, found, decoder)
    return [path for path, found in zip(files, headers, strict=True) if not found.is_gray]


def fit_normalize(train: ImageFiles, how: Normalization) -> Normalize:
    """For inputs as the source gives them: as a pretrained backbone was trained (`GIVEN`), or over the training split.

    Raises:
        ValueError: for another word.
    """
    if how == "fitted":
        at = torch.arange(0, len(train), max(1, len(train) // FITTED_ON))
        return Normalize.fitted_on([train.__getitems__(SampledIndices(part, part)).input for part in at.split(64)])  # type: ignore[no-untyped-call]
    if how not in GIVEN:
        raise ValueError(f"normalize must be fitted, imagenet or inception, got {how!r}")
    most = 65535.0 if train.decoder.is_16bit else 255.0
    mean, std = (torch.tensor(each) * most for each in GIVEN[how])
    if train.decoder.channels == 1:
        mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
    return Normalize(mean.view(-1, 1, 1), std.view(-1, 1, 1))


def _hash(path: ImagePath) -> int:
    if isinstance(path, ImageMember):
        return int.from_bytes(hashlib.blake2b(path.load().getvalue(), digest_size=8).digest(), "big")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8))
    return int.from_bytes(digest.digest(), "big")
