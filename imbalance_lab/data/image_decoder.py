"""One image file → one array, without losing bits, colors or orientation."""

import io
import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from imbalance_lab.data.image_bytes import ImageBytes, ImageMember
from imbalance_lab.data.image_formats import FAULTS, FORMATS, describe_content

DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes of 16-bit grayscale."""

ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an image of that orientation upright (EXIF 2.32, 4.6.4 A)."""

TAIL = 4096
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
"""The bytes at the end of a complete file; one without them is decoded to find out."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # `max_pixels` is the limit here
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")  # of EXIF that nobody reads


ImageFile = str | Path | ImageBytes | ImageMember


class UnreadableImageError(ValueError):
    """An image that cannot be used; the message is a sentence with its path and the remedy."""


@dataclass(frozen=True)
class Header:
    """What the header of a file says: whether it is gray, has 16 bits, (width, height), and whether there are more.

    Of several frames or pages the first is read. A second picture in a JPEG, as phones add one, is not counted.
    """

    is_gray: bool
    is_16bit: bool
    size: tuple[int, int]
    has_more: bool = False


@dataclass(frozen=True)
class ImageDecoder:
    """How files become arrays.

    Args:
        size: pixels of the sides; the image is scaled until its shorter side fits, and cropped to the center.
        channels: 1 or 3; gray becomes color by repetition, color becomes gray by luminance. Transparent pixels
            become black.
        is_16bit: arrays are uint16 over 0 … 65535 (8-bit images are stretched to it), else uint8.
        max_pixels: larger images are refused.
    """

    size: int
    channels: int
    is_16bit: bool
    max_pixels: int

    def read(self, path: ImageFile) -> NDArray[Any]:
        """(channels, size, size).

        Raises:
            UnreadableImageError: naming the file.
        """
        path = path.load() if isinstance(path, ImageMember) else path
        with opened(path, self.max_pixels) as image:
            try:
                image.draft(None, (self.size, self.size))  # decodes a JPEG at ½, ¼ or ⅛, if that is large enough
                image.load()  # first: it may read the EXIF behind the pixels, and it turns a TIFF by itself
                turn = UPRIGHT.get(orientation(image))
                return self._array(image if turn is None else image.transpose(turn))
            except FAULTS as error:
                raise UnreadableImageError(
                    f"{path} is broken or truncated ({error}): copy it again, or remove it"
                ) from error

    def _array(self, image: Image.Image) -> NDArray[Any]:
        if image.mode in DEEP:
            values = np.asarray(image).astype(np.float32)
            if values.min() < 0 or values.max() > 65535:
                raise ValueError(f"its values span {values.min():g} to {values.max():g}, beyond 16 bits")
            gray = self._fitted(values).round().clip(0, 65535).astype(np.uint16)  # no 8-bit form would be true
            return np.repeat(gray, self.channels, 0)
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
        mode = "L" if self.channels == 1 else "RGB"
        array = self._fitted(np.array(image if image.mode == mode else image.convert(mode)))
        return array.astype(np.uint16) * 257 if self.is_16bit else array

    def _fitted(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """(H, W) or (H, W, channels) → (channels, size, size)."""
        image = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)
        side = min(image.shape[1:])
        top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
        square = image[None, :, top : top + side, left : left + side]
        if side != self.size:  # by torch, which takes a fifth of Pillow's time for bytes
            square = F.interpolate(square, (self.size, self.size), mode="bilinear", antialias=True)
        return square[0].contiguous().numpy()


def opened(path: str | Path | ImageBytes, max_pixels: int) -> Image.Image:
    """Open a file; only its header is read.

    Raises:
        UnreadableImageError: if it is not an image, or has more than ``max_pixels``.
    """
    try:
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        what = describe_content(_first_bytes(path))
        raise UnreadableImageError(f"{path} is not a readable image{what}: copy it again, or remove it") from error
    except Image.DecompressionBombError as error:
        size = re.search(r"\d+ pixels", str(error))  # Pillow does not open it, and its sides are unknown
        raise UnreadableImageError(_too_large(path, max_pixels, f"{size[0]}, " if size else "")) from error
    except FAULTS as error:
        raise UnreadableImageError(f"{path} cannot be opened ({error})") from error
    width, height = image.size
    if width * height > max_pixels:
        image.close()
        raise UnreadableImageError(_too_large(path, max_pixels, f"{width} × {height} pixels, "))
    return image


def orientation(image: Image.Image) -> int:
    """The orientation that a loaded image's EXIF or XMP tells, 1 (upright) to 8; 1 if it tells none or is damaged.

    Only this tag is used, and nothing is written: `ImageOps.exif_transpose` writes all tags anew, and fails on those
    whose value does not fit their type, as cameras and phones make them.
    """
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
        return int(orientation) if orientation in UPRIGHT else 1
    except FAULTS:
        return 1


def header(path: ImageFile, decoder: ImageDecoder) -> Header:
    """Read the header; a file without a proper end, or with 32 bits, is decoded to find out whether that is possible.

    Raises:
        UnreadableImageError: naming the file.
    """
    path = path.load() if isinstance(path, ImageMember) else path
    with opened(path, decoder.max_pixels) as image:
        is_gray = image.mode in ("1", "L", "LA", "La", "F", *DEEP)
        if image.mode == "F":
            raise UnreadableImageError(f"{path} holds floating-point numbers: save it with 8 or 16 bits")
        ending = ENDS.get(image.format or "")
        found = Header(is_gray, image.mode in DEEP, image.size, _has_more(image))
        may_be_deeper = image.mode == "I"
    if may_be_deeper:
        decoder.read(path)  # 32 bits a pixel: only the pixels tell whether 16 hold them
    elif ending is not None and ending not in _tail(path):
        decoder.read(path)
    return found


def _has_more(image: Image.Image) -> bool:
    """Whether there are further frames or pages; a directory of them that is damaged counts for none."""
    try:
        return image.format in ("GIF", "TIFF", "WEBP", "PNG", "AVIF") and bool(getattr(image, "is_animated", False))
    except FAULTS:
        return False


def _tail(path: str | Path | ImageBytes) -> bytes:
    """The last `TAIL` bytes of a file."""
    with open(path, "rb") if isinstance(path, str | Path) else io.BytesIO(path.getvalue()) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        return file.read()


def _first_bytes(path: str | Path | ImageBytes) -> bytes:
    if isinstance(path, ImageBytes):
        return path.getvalue()[:TAIL]
    with open(path, "rb") as file:
        return file.read(TAIL)


def check_depth(path: ImageFile, found: Header, decoder: ImageDecoder) -> None:
    """Refuse a 16-bit file for a model of 8-bit images: its brightness has no true 8-bit form.

    Raises:
        UnreadableImageError: naming the file.
    """
    if found.is_16bit and not decoder.is_16bit:
        raise UnreadableImageError(f"{path} has 16 bits, but the model was trained on 8-bit images: convert it")


def decode(paths: Iterable[ImageFile], decoder: ImageDecoder) -> Tensor:
    """Inputs (N, channels, size, size): uint8, or float32 over 0 … 65535 if the decoder gives 16 bits."""
    return as_inputs(np.stack([decoder.read(path) for path in paths]))


def as_inputs(arrays: NDArray[Any]) -> Tensor:
    """Decoded arrays (N, channels, size, size) as a tensor; uint16, which few torch operations support, as float32."""
    return torch.from_numpy(arrays.astype(np.float32) if arrays.dtype == np.uint16 else np.ascontiguousarray(arrays))


def _too_large(path: ImageFile, max_pixels: int, size: str = "") -> str:
    return f"{path} has {size}more than data.max_pixels={max_pixels}: make it smaller, or allow more"
