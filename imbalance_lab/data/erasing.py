"""Rectangles of training images made unreadable: random erasing and Cutout, for a batch at once."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.data.augment import check_image_shape, check_range
from imbalance_lab.validation import check_choice, check_integer, check_number

TRIES = 10
"""How many rectangles are drawn to find one that fits into the image; as torchvision's."""


class RandomErasing:
    """Fill a random rectangle of some images (Zhong et al. 2017, arXiv 1708.04896, algorithm 1).

    Args:
        probability: share of the images that are changed.
        scale: smallest and largest share of the area that is erased.
        ratio: smallest and largest height over width of the rectangle.
        fill: "noise", a random value for each pixel and channel, uniform between the image's darkest and brightest
            value (the paper's best choice); "mean", of each channel of the image.
    """

    def __init__(
        self,
        probability: float = 0.5,
        scale: Sequence[float] = (0.02, 0.4),
        ratio: Sequence[float] = (0.3, 1 / 0.3),
        fill: str = "noise",
    ) -> None:
        self.probability = check_number("probability", probability, minimum=0, maximum=1)
        self.scale, self.ratio = check_range("scale", scale, maximum=1), check_range("ratio", ratio)
        self.fill = check_choice("fill", fill, ("noise", "mean"))

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W)."""
        check_image_shape("RandomErasing", shape)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        height, width = images.shape[2:]
        draws = seeding.counter_uniform(keys, 3 + 2 * TRIES)
        use, down, right = draws[:, :3].unbind(1)
        area, shape = draws[:, 3:].reshape(-1, TRIES, 2).unbind(2)
        area = (self.scale[0] + area * (self.scale[1] - self.scale[0])) * height * width
        low, high = (math.log(end) for end in self.ratio)
        aspect = torch.exp(low + shape * (high - low))
        tall, wide = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
        fits = (tall < height) & (wide < width)
        first = fits.int().argmax(1, keepdim=True)
        tall, wide = tall.gather(1, first)[:, 0], wide.gather(1, first)[:, 0]
        top, left = (down * (height - tall + 1)).floor(), (right * (width - wide + 1)).floor()
        tall = tall * ((use < self.probability) & fits.any(1))
        ends = torch.stack([top, top + tall, left, left + wide], 1)
        return erase(images, ends, keys if self.fill == "noise" else None)


class Cutout:
    """Fill a square of each image with its mean color (DeVries and Taylor 2017, arXiv 1708.04552).

    The center is any pixel, so that part of the square may lie outside. The authors fill with the mean of the data
    set, to which the inputs are normalized there; here augmentation comes before.

    Args:
        size: of a side, in pixels; 16 for CIFAR-10, 8 for CIFAR-100.
    """

    def __init__(self, size: int = 16) -> None:
        self.size = check_integer("size", size, minimum=1)

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W), or that one square could cover."""
        check_image_shape("Cutout", shape)
        check_integer(f"size (for images of {shape[1]} × {shape[2]} pixels)", self.size, maximum=max(shape[1:]) - 1)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        down, right = seeding.counter_uniform(keys, 2).unbind(1)
        height, width = images.shape[2:]
        top, left = (down * height).floor() - self.size // 2, (right * width).floor() - self.size // 2
        ends = torch.stack([top, top + self.size, left, left + self.size], 1)
        return erase(images, ends, None)


def erase(images: Tensor, ends: Tensor, keys: Tensor | None) -> Tensor:
    """Fill a rectangle of each image, with noise of the image's own range, or with its mean color.

    One image after the other: what is erased is small, and masks of the whole batch take ten times as long on a CPU.

    Args:
        images: (N, C, H, W).
        ends: first row and the one after the last, the same of the columns, (N, 4); what lies outside is left out, and
            of no rows nothing is erased.
        keys: of the noise, (N,); None for the mean.
    """
    result = images.clone()
    sides = torch.tensor([images.shape[2]] * 2 + [images.shape[3]] * 2, device=images.device)
    for number, (top, bottom, left, right) in enumerate(ends.clamp(min=0).minimum(sides).int().tolist()):
        if top < bottom and left < right:
            place = result[number, :, top:bottom, left:right]
            fill = _mean(images[number]) if keys is None else _noise(images[number], place.shape, keys[number])
            place.copy_(fill if images.is_floating_point() else fill.round_())
    return result


def _mean(image: Tensor) -> Tensor:
    return image.mean((1, 2), keepdim=True, dtype=torch.float32)


def _noise(image: Tensor, shape: torch.Size, key: Tensor) -> Tensor:
    """A number for each pixel and channel, uniform between the darkest and the brightest value of the image."""
    low, high = (end.float() for end in image.aminmax())
    # From the image's key and the pixel's place.
    places = key + seeding.hash_indices(TRIES, torch.arange(shape[1] * shape[2], device=image.device))
    return low + (high - low) * seeding.counter_uniform(places, shape[0]).T.reshape(shape)
