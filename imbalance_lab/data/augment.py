"""Augmentation of whole batches, on whatever device they are on."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.validation import check_bool, check_integer, check_list, check_number

AT_ONCE = 600_000
"""Values that a CPU crops in one go: those of 4 color images of 224 × 224 pixels."""


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
        _check_image_shape("ShiftFlip", shape)
        check_integer(f"shift (for images of {shape[1]} × {shape[2]} pixels)", self.shift, maximum=min(shape[1:]) - 1)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        if not (self.shift or self.flip):
            return images
        height, width = images.shape[-2:]
        down, right, mirror = seeding.counter_uniform(keys, 3).unbind(1)
        moves = 2 * self.shift + 1
        rows = torch.arange(height, device=images.device) + (down * moves).long().unsqueeze(1)
        columns = torch.arange(width, device=images.device).expand(len(images), -1)
        if self.flip:
            columns = torch.where(mirror.unsqueeze(1) < 0.5, columns, width - 1 - columns)
        columns = columns + (right * moves).long().unsqueeze(1)
        padded = F.pad(images, (self.shift,) * 4)
        example = torch.arange(len(images), device=images.device).view(-1, 1, 1)
        return padded[example, :, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)


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
        _check_range("scale", scale, maximum=1)
        _check_range("ratio", ratio)
        self.scale, self.ratio, self.flip = tuple(scale), tuple(ratio), check_bool("flip", flip)

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W)."""
        _check_image_shape("RandomResizedCrop", shape)

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
        # On a CPU a few at a time: what fits into its caches takes half of the time.
        at_once = max(1, AT_ONCE // math.prod(images.shape[1:])) if images.device.type == "cpu" else len(images)
        for part in torch.arange(len(images)).split(at_once):  # type: ignore[no-untyped-call]
            own = slice(int(part[0]), int(part[-1]) + 1)
            grid = torch.empty(len(part), *images.shape[2:], 2, device=images.device)
            grid[..., 0], grid[..., 1] = columns[own, None, :], rows[own, :, None]
            seen = F.grid_sample(images[own].float(), grid, padding_mode="border", align_corners=False)
            cropped[own] = seen if images.is_floating_point() else seen.round_().to(images.dtype)
        return cropped


def _check_image_shape(augmentation: str, shape: Sequence[int]) -> None:
    if len(shape) != 3:
        raise ValueError(
            f"{augmentation} needs images (channels, height, width), got inputs of shape {tuple(shape)}: "
            "choose augment=none"
        )


def _check_range(name: str, ends: object, maximum: float | None = None) -> None:
    low, high = (check_number(name, end, above=0, maximum=maximum) for end in check_list(name, ends, 2))
    if low > high:
        raise ValueError(f"{name} must be two numbers, the smaller first, got [{low:g}, {high:g}]")


def _centers(size: int, device: torch.device) -> Tensor:
    """The centers of the pixels of a side that spans −1 to 1."""
    return (torch.arange(size, device=device) * 2 + 1) / size - 1
