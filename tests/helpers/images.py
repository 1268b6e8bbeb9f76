"""Real pictures as files."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from imbalance_lab.data.image_decoder import ImageDecoder

PHOTO = load_sample_images().images[0][:420, :420]  # a Chinese pagoda
DIGITS = load_digits()


def digit(number: int) -> Image.Image:
    return Image.fromarray((DIGITS.images[number] * 15.9).astype(np.uint8))


def tree(root: Path, classes: str = "abc", each: int = 8, kind: str = "png") -> Path:
    """A folder a class, with digits of that number in it."""
    for c, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for n, number in enumerate(np.flatnonzero(DIGITS.target == c)[:each]):
            digit(number).save(root / name / f"p{n // 2}_{n}.{kind}")
    return root


def read(path: Path, **options: Any) -> np.ndarray:
    options = {"size": 8, "channels": 1, "is_16bit": False, "max_pixels": 10**6} | options
    return ImageDecoder(**options).read(path)


def broken_in_the_middle(path: Path) -> None:
    """Good header, good end, nonsense between."""
    content = bytearray(path.read_bytes())
    at = content.index(b"IDAT") + 6
    content[at : at + 12] = bytes(12)
    path.write_bytes(content)
