"""The backbone that fits the size of the images: a small net for small ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from imbalance_lab.backbones.arguments import check_image_shape
from imbalance_lab.validation import check_integer


def by_size(
    input_shape: Sequence[int], small: Mapping[str, Any], large: Mapping[str, Any], below: int = 64
) -> Mapping[str, Any]:
    """Choose between the configurations of two backbones; what is built, trained and stored is the chosen one.

    A ResNet of the ImageNet kind takes an image to a 32nd of its size: of 28 pixels one is left.

    Args:
        input_shape: (channels, height, width) of one example.
        small: the configuration for images with a side of less than ``below`` pixels.
        large: the one for all others.
        below: pixels.

    Raises:
        ValueError: for examples that are not images.
    """
    _, height, width = check_image_shape("backbone=auto", input_shape)
    return small if min(height, width) < check_integer("below", below, minimum=1) else large
