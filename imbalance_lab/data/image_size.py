"""The size that images are read at: the user's, or one that fits the training images."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from imbalance_lab.validation import check_integer

ImageSize = Literal["auto"] | int

MAX_AUTO_SIZE = 224
"""Pixels of a side that "auto" takes at most: what most image classifiers are made for."""

MAX_IMAGE_SIZE = 4096
"""Pixels of a side. Images are larger than what classifiers of this size are trained on, and 64 fill 3 GB as bytes."""

TINY = 8
"""Pixels of a side below which little can be recognized; the smallest images of a benchmark here have as many."""

CUT = 0.2
"""The share of the area that the center crop may leave out of half of the images without a word."""


class Remarks(NamedTuple):
    """Sentences on how images are read: what should worry a user, and what was taken for granted."""

    notes: list[str]
    guesses: list[str]


def check_image_size(value: object) -> ImageSize:
    """Either "auto" or pixels.

    Raises:
        TypeError, ValueError: for anything else.
    """
    if value == "auto":
        return "auto"
    return check_integer("image_size (auto, or pixels)", value, minimum=1, maximum=MAX_IMAGE_SIZE)


def auto_size(sizes: Sequence[tuple[int, int]]) -> int:
    """The median of the shorter sides of the training images (width, height), at most `MAX_AUTO_SIZE`.

    It is a side that one of them has: of two medians the smaller one. The median because a few thumbnails or a few
    posters among photographs should not decide.

    >>> auto_size([(28, 28), (30, 28), (640, 480)])
    28
    """
    return min(MAX_AUTO_SIZE, _median(np.min(sizes, axis=1)))


def describe_reading(sizes: Sequence[tuple[int, int]], size: int, *, is_auto: bool) -> Remarks:
    """What becomes of training images of these ``sizes`` (width, height), read at ``size`` × ``size`` pixels."""
    shorter = np.min(sizes, axis=1)
    notes = []
    if _median(shorter) < TINY and is_auto:
        notes.append(
            f"half of the training images have a side of at most {_pixels(_median(shorter))}, so all are read at "
            f"{size} × {size}: check the files, or choose data.image_size"
        )
    return Remarks(notes, [*_size_guess(sizes, size)] * is_auto + [*_crop_guess(sizes)])


def _size_guess(sizes: Sequence[tuple[int, int]], size: int) -> Iterator[str]:
    kinds, shorter = set(sizes), np.min(sizes, axis=1)
    read = f"images are read at {size} × {size} pixels"
    other = "data.image_size=PIXELS takes another size"
    if kinds == {(size, size)}:
        yield f"{read}, as all training images have: {other}"
    elif len(kinds) == 1:
        yield f"{read}, all training images have {sizes[0][0]} × {sizes[0][1]}: {other}"
    else:
        enlarged = int((shorter < size).sum())
        how = f"the shorter sides of the training images have {shorter.min():,} to {_pixels(int(shorter.max()))}"
        how += f", in the median {_median(shorter):,}"
        grown = f"; {enlarged:,} of {len(sizes):,} are smaller and are scaled up" if enlarged else ""
        yield f"{read}, {how}{grown}: {other}"


def _crop_guess(sizes: Sequence[tuple[int, int]]) -> Iterator[str]:
    longer, shorter = np.max(sizes, axis=1), np.min(sizes, axis=1)
    lost = 1 - shorter / longer
    at = int(lost.argsort(kind="stable")[len(lost) // 2])
    if lost[at] > CUT:
        width, height = sizes[at]
        sides = "left and right" if width > height else "top and bottom"
        yield (
            f"only the square center of an image is read, which leaves out {lost[at]:.0%} of one of {width} × {height} "
            f"pixels, {sides}; half of the training images lose as much or more: make them square to keep all"
        )


def _median(values: np.ndarray) -> int:
    """The lower median, one of the values."""
    return int(np.sort(values)[(len(values) - 1) // 2])


def _pixels(n: int) -> str:
    return f"{n:,} pixel{'s' * (n > 1)}"
