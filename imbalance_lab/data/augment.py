"""Augmentation of whole batches, on whatever device they are on."""

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.data.image_operations import AT_ONCE
from imbalance_lab.validation import check_bool, check_integer, check_list, check_number

LARGE = 3000
"""Values of an image, from which on shifted images are copied one by one on a CPU."""


class NoAugmentation:
    """Leaves the training inputs as they are."""

    def __call__(self, inputs: Tensor, sample_seeds: Tensor) -> Tensor:
        """Return ``inputs``."""
        return inputs


class ShiftFlip:
    """Shift each image by up to ``shift`` pixels in each direction, filling with black, and mirror half of them.

    With shift 4 this is the pad-and-crop augmentation of the CIFAR literature (He et al. 2016, arXiv 1512.03385).

    Args:
        shift: largest shift in pixels, vertically and horizontally.
        flip: whether to mirror left and right.
    """

    def __init__(self, shift: int = 0, flip: bool = False) -> None:
        self.shift = check_integer("shift", shift, minimum=0)
        self.flip = check_bool("flip", flip)

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W), or that a shift could empty."""
        check_image_shape("ShiftFlip", shape)
        check_integer(f"shift (for images of {shape[1]} × {shape[2]} pixels)", self.shift, maximum=min(shape[1:]) - 1)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        if not (self.shift or self.flip):
            return images
        down, right, mirror = seeding.counter_uniform(keys, 3).unbind(1)
        moves = 2 * self.shift + 1
        places = (down * moves).long(), (right * moves).long()
        flipped = (mirror >= 0.5) & self.flip
        padded = F.pad(images, (self.shift,) * 4)
        is_large = images.device.type == "cpu" and images[0].numel() >= LARGE
        return (_copy_windows if is_large else _gather_windows)(padded, *places, flipped, images.shape[-2:])


def _gather_windows(padded: Tensor, top: Tensor, left: Tensor, flipped: Tensor, size: torch.Size) -> Tensor:
    """The window of each image that begins at (top, left), (N,) each, mirrored or not: (N, channels, *size)."""
    height, width = size
    rows = torch.arange(height, device=padded.device) + top.unsqueeze(1)
    columns = torch.arange(width, device=padded.device).expand(len(padded), -1)
    columns = torch.where(flipped.unsqueeze(1), width - 1 - columns, columns) + left.unsqueeze(1)
    example = torch.arange(len(padded), device=padded.device).view(-1, 1, 1)
    return padded[example, :, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)


def _copy_windows(padded: Tensor, top: Tensor, left: Tensor, flipped: Tensor, size: torch.Size) -> Tensor:
    """The same by a copy for each image, which for large ones takes less than an index for each pixel."""
    height, width = size
    windows = padded.new_empty(*padded.shape[:2], height, width)
    for window, image, i, j, is_flipped in zip(
        windows, padded, top.tolist(), left.tolist(), flipped.tolist(), strict=True
    ):
        part = image[:, i : i + height, j : j + width]
        window.copy_(part.flip(-1) if is_flipped else part)
    return windows


class RandomResizedCrop:
    """Take a random part of each image, scale it to the whole, and mirror half of them (Szegedy et al. 2015).

    As torchvision's ``RandomResizedCrop``, for a batch at once: arXiv 1409.4842, section 6.

    Args:
        scale: smallest and largest share of the area that is kept.
        ratio: smallest and largest width over height of that part, before it is scaled.
        flip: whether to mirror left and right.
    """

    def __init__(
        self, scale: Sequence[float] = (0.35, 1.0), ratio: Sequence[float] = (0.75, 4 / 3), flip: bool = True
    ) -> None:
        self.scale, self.ratio = check_range("scale", scale, maximum=1), check_range("ratio", ratio)
        self.flip = check_bool("flip", flip)

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W)."""
        check_image_shape("RandomResizedCrop", shape)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        area, shape, down, right, mirror = seeding.counter_uniform(keys, 5).unbind(1)
        area = self.scale[0] + area * (self.scale[1] - self.scale[0])
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        aspect = torch.exp(low + shape * (high - low))
        width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
        mirrored = torch.where(mirror < 0.5, width, -width) if self.flip else width
        # Where each column and row of the result lies in the image, which spans −1 to 1.
        columns = (
            _centers(images.shape[3], images.device) * mirrored[:, None] + ((2 * right - 1) * (1 - width))[:, None]
        )
        rows = _centers(images.shape[2], images.device) * height[:, None] + ((2 * down - 1) * (1 - height))[:, None]
        cropped = torch.empty_like(images)  # bytes stay bytes: a batch of float32 takes longer to allocate than to fill
        for own in _parts(images):
            grid = torch.empty(own.stop - own.start, *images.shape[2:], 2, device=images.device)
            grid[..., 0], grid[..., 1] = columns[own, None, :], rows[own, :, None]
            _fill(cropped, images, own, grid)
        return cropped


class RandomAffine:
    """Zoom, shift and turn each image a little about its center, and mirror half of them; edges are continued outwards.

    An unchanged image is in the middle of what a net is trained on: crops that are enlarged show everything larger than
    it is in evaluation (Touvron et al. 2019, arXiv 1906.06423).

    Args:
        zoom: largest relative change of the height and of the width, each on its own, in [0, 1).
        shift: largest shift, vertically and horizontally, as a share of that side, in [0, 1).
        rotate: largest angle, in degrees, in [0, 180].
        flip: whether to mirror left and right.
    """

    def __init__(self, zoom: float = 0.1, shift: float = 0.07, rotate: float = 0.0, flip: bool = False) -> None:
        self.zoom = check_number("zoom", zoom, minimum=0, below=1)
        self.shift = check_number("shift", shift, minimum=0, below=1)
        self.rotate = check_number("rotate", rotate, minimum=0, maximum=180)
        self.flip = check_bool("flip", flip)

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W)."""
        check_image_shape("RandomAffine", shape)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        draws = seeding.counter_uniform(keys, 6).to(torch.float32)
        tall, wide, down, right, turn = (2 * draws[:, :5] - 1).unbind(1)
        high, broad = 1 + self.zoom * tall, 1 + self.zoom * wide
        mirror = torch.where(draws[:, 5] < 0.5, 1.0, -1.0) if self.flip else torch.ones_like(turn)
        angle = turn * math.radians(self.rotate)
        aspect = images.shape[2] / images.shape[3]  # coordinates span −1 to 1 along either side
        columns = torch.stack([broad * angle.cos() * mirror, -broad * angle.sin() * aspect, 2 * self.shift * right], 1)
        rows = torch.stack([high * angle.sin() * mirror / aspect, high * angle.cos(), 2 * self.shift * down], 1)
        return _resampled(images, torch.stack([columns, rows], 1))


def _resampled(images: Tensor, maps: Tensor) -> Tensor:
    """Images (N, channels, H, W) of which (N, 2, 3) ``maps`` say where each pixel is taken from."""
    result = torch.empty_like(images)  # bytes stay bytes: a batch of float32 takes longer to allocate than to fill
    for own in _parts(images):
        grid = F.affine_grid(maps[own], [own.stop - own.start, *images.shape[1:]], align_corners=False)
        _fill(result, images, own, grid)
    return result


def _parts(images: Tensor) -> Iterator[slice]:
    """A batch in parts: on a CPU a few images at a time, what fits into its caches takes half of the time."""
    n = len(images)
    at_once = max(1, AT_ONCE // math.prod(images.shape[1:])) if images.device.type == "cpu" else n
    for first in range(0, n, at_once):
        yield slice(first, min(n, first + at_once))


def _fill(result: Tensor, images: Tensor, own: slice, grid: Tensor) -> None:
    """Write the images of a part, resampled at ``grid`` (n, H, W, 2)."""
    seen = F.grid_sample(images[own].float(), grid, padding_mode="border", align_corners=False)
    result[own] = seen if images.is_floating_point() else seen.round_().to(images.dtype)


def check_image_shape(augmentation: str, shape: Sequence[int]) -> None:
    """Raise a ValueError for inputs that are not images (channels, H, W)."""
    if len(shape) != 3:
        raise ValueError(
            f"{augmentation} needs images (channels, height, width), got inputs of shape {tuple(shape)}: "
            "choose augment=none"
        )


def check_range(name: str, ends: object, maximum: float | None = None) -> tuple[float, float]:
    """Two numbers above 0, the smaller first.

    Raises:
        TypeError, ValueError: for anything else.
    """
    low, high = (check_number(name, end, above=0, maximum=maximum) for end in check_list(name, ends, 2))
    if low > high:
        raise ValueError(f"{name} must be two numbers, the smaller first, got [{low:g}, {high:g}]")
    return low, high


def _centers(size: int, device: torch.device) -> Tensor:
    """The centers of the pixels of a side that spans −1 to 1."""
    return (torch.arange(size, device=device) * 2 + 1) / size - 1
