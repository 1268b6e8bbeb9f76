"""Checks of arguments that several backbones have."""

from collections.abc import Sequence

from imbalance_lab.validation import check_integer, check_list


def check_widths(name: str, widths: Sequence[int]) -> list[int]:
    """A list of integers ≥ 1.

    Raises:
        TypeError: for anything but a list of integers.
        ValueError: naming an entry below 1.
    """
    return [check_integer(f"{name}[{k}]", width, minimum=1) for k, width in enumerate(check_list(name, widths))]


def check_image_shape(backbone: str, input_shape: Sequence[int]) -> tuple[int, int, int]:
    """(channels, height, width).

    Raises:
        ValueError: for examples of any other shape.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"{backbone} needs images (channels, height, width), got examples of shape {tuple(input_shape)}"
        )
    channels, height, width = input_shape
    return channels, height, width
