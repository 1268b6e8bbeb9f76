"""Listed image files as splits: how they are decoded, prepared and described."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.image_cache import cached
from imbalance_lab.data.image_decoder import Header, ImageDecoder, UnreadableImageError
from imbalance_lab.data.image_files import (
    ImageFiles,
    ImagePath,
    Normalization,
    all_faults,
    check_files,
    fit_normalize,
    infer_decoder,
    read_headers,
)
from imbalance_lab.data.image_size import MAX_AUTO_SIZE, ImageSize, auto_size, check_image_size, describe_reading
from imbalance_lab.data.labels import validate_splits
from imbalance_lab.data.normalize import Normalize
from imbalance_lab.data.schema import ImageSchema, InputSchema
from imbalance_lab.data.splitting import SplitIndices
from imbalance_lab.progress import progress
from imbalance_lab.validation import check_choice, check_integer

Channels = Literal["auto"] | int


class ImageList(NamedTuple):
    """All images, before any is opened; ``targets``, ``groups`` and ``slices`` as `ImageFiles` has them.

    ``max_headers`` is how many are opened, evenly spaced, before training; None for all.
    """

    root: Path
    files: Sequence[ImagePath]
    classes: tuple[str, ...]
    targets: Tensor
    groups: pa.Array | None
    slices: pa.Table | None = None
    max_headers: int | None = None


class ImageOptions(NamedTuple):
    """How images are read; the arguments of `imbalance_lab.data.image_folder` of these names."""

    image_size: ImageSize
    channels: Channels
    normalize: Normalization
    cache: str | None
    max_pixels: int
    schema: InputSchema | None
    val_fraction: float


def build_splits(images: ImageList, splits: SplitIndices, options: ImageOptions) -> Splits:
    """Read the headers, decide on one decoder for all, and fit the preparation on the training images.

    Raises:
        ValueError: for an option out of range, splits that cannot be trained on, an image that cannot be used.
    """
    check_choice("normalize", options.normalize, get_args(Normalization))
    validate_splits(images.classes, images.targets, splits, has_validation=options.val_fraction != 0)
    first = _first_decoder(options) if options.schema is None else _decoder_of(options.schema)
    with progress("reading the headers of the images") as step:
        opened = _opened(images)
        files = [images.files[at] for at in opened]
        headers = read_headers(files, first, step)
    in_training = set(splits.train.tolist())
    sizes = [each.size for at, each in zip(opened, headers, strict=True) if at in in_training]
    notes, guesses = list[str](), list[str]()
    if options.schema is None:
        size = auto_size(sizes) if options.image_size == "auto" else options.image_size
        decoder = replace(infer_decoder(headers, first, options.channels), size=size)
        notes, guesses = describe_reading(sizes, size, is_auto=options.image_size == "auto")
    else:
        decoder = first
        notes += _changes(options, decoder, check_files(files, headers, decoder), len(files))
    guesses += _describe_frames(images, files, headers)
    stored = None
    if options.cache is not None:
        with progress("resizing the images") as step:
            stored, told = cached(images.files, decoder, Path(options.cache).expanduser(), step)
        notes += told
    index = torch.arange(len(images.files))
    known = images.groups, stored, images.slices
    everything = ImageFiles(images.root, images.files, images.targets, index, decoder, *known)
    train, val, test, calibration = (everything.subset(rows) for rows in splits)
    schema = ImageSchema(images.classes, decoder.size, decoder.channels, decoder.is_16bit, decoder.max_pixels)
    fitted = _fitted(everything, train, options.normalize)
    chosen_on, held_out = (split if len(split) else None for split in (val, calibration))
    return Splits(images.classes, train, chosen_on, test, fitted, schema, notes, held_out, guesses=guesses)


DECODED_ON_FAILURE = 10_000
"""Files that are decoded to name every broken one, once one is found."""


def _fitted(everything: ImageFiles, train: ImageFiles, normalize: Normalization) -> Normalize:
    """The preparation; if an image cannot be decoded for it, the error names all such."""
    try:
        return fit_normalize(train, normalize)
    except UnreadableImageError:
        if len(everything) > DECODED_ON_FAILURE:
            raise
        with progress("decoding all images to name those that are broken") as step:
            faults = everything.verify(step)
        raise all_faults(faults, len(everything)) from None


def _opened(images: ImageList) -> list[int]:
    """The images whose headers are read."""
    n, most = len(images.files), images.max_headers or len(images.files)
    return list(range(n)) if n <= most else [at * n // most for at in range(most)]


def _describe_frames(images: ImageList, files: Sequence[ImagePath], headers: Sequence[Header]) -> list[str]:
    """A sentence on files with several frames or pages; and one if not all files were looked at."""
    few = len(files) < len(images.files)
    sampled = f"sizes, colors and bits are those of {len(files):,} of the {len(images.files):,} images, evenly spaced"
    return [*_several_frames(images, files, headers), *([sampled] if few else [])]


def _several_frames(images: ImageList, files: Sequence[ImagePath], headers: Sequence[Header]) -> list[str]:
    several = [path for path, each in zip(files, headers, strict=True) if each.has_more]
    if not several:
        return []
    first = os.path.relpath(several[0], images.root)
    files = "1 file has" if len(several) == 1 else f"{len(several):,} files have"
    return [f"{files} several frames or pages, such as {first}: the first is taken"]


def _first_decoder(options: ImageOptions) -> ImageDecoder:
    """The decoder that the options ask for, before the files say whether they have colors and 16 bits."""
    size = check_image_size(options.image_size)
    check_integer("max_pixels", options.max_pixels, minimum=1)
    if options.channels not in ("auto", 1, 3):
        raise ValueError(f"channels must be 1, 3 or auto, got {options.channels!r}")
    return ImageDecoder(MAX_AUTO_SIZE if size == "auto" else size, 3, False, options.max_pixels)


def _decoder_of(schema: InputSchema) -> ImageDecoder:
    if not isinstance(schema, ImageSchema):
        raise ValueError("the model was not trained on image files: choose the kind of data that it was trained on")
    return schema.decoder


def _changes(options: ImageOptions, decoder: ImageDecoder, colored: Sequence[ImagePath], n: int) -> Iterator[str]:
    """A sentence on each way in which images are read as the trained model takes them, not as asked for."""
    size, channels = decoder.size, decoder.channels
    if options.image_size not in ("auto", size):
        yield f"data.image_size={options.image_size} is ignored: the model takes images of {size} × {size} pixels"
    if options.channels not in ("auto", channels):
        plural = "s" * (channels > 1)
        yield f"data.channels={options.channels} is ignored: the model takes images of {channels} channel{plural}"
    if channels == 1 and options.channels == "auto" and colored:
        yield (
            f"{len(colored):,} of {n:,} images have colors, such as {colored[0]}, but the model was trained on gray "
            "ones: turned to gray"
        )
