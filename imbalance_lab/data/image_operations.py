"""What augmentation policies do to an image, for a batch in which each image has a strength of its own.

Every operation is a function of images (n, C, H, W), uint8 or floating point in [0, 1], of levels (n,) in [−1, 1] and
of `Limits`, and returns images of the same shape and type; the sign of the level counts where the operation has two
directions. Each equals torchvision's function of the same name, image by image: that takes one strength a call, and a
call for each image of a batch takes several times as long. Those without a strength are torchvision's own.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

AT_ONCE = 600_000
"""Values that a CPU changes in one go: those of 4 color images of 224 × 224 pixels, which fit into its caches."""


class Limits(NamedTuple):
    """What level 1 means.

    Args:
        shear: pixels sideways for each pixel along.
        translate_share, translate_pixels: shift, as a share of the side and in pixels; their sum counts.
        rotate: angle in degrees.
        blend: b, of the factors 1 ± b of brightness, color, contrast and sharpness.
        bits: how many of the 8 bits `posterize` takes away.
    """

    shear: float = 0.3
    translate_share: float = 150 / 331
    translate_pixels: float = 0.0
    rotate: float = 30.0
    blend: float = 0.9
    bits: int = 4


Operation = Callable[[Tensor, Tensor, Limits], Tensor]


def apply_operations(
    images: Tensor, chosen: Tensor, levels: Tensor, operations: Sequence[Operation], limits: Limits
) -> Tensor:
    """Change each image by an operation of its own; those with the same operation go together.

    Args:
        images: (N, C, H, W), uint8 or floating point in [0, 1].
        chosen: which of the ``operations`` each image gets, (N,).
        levels: (N,), in [−1, 1].
        operations: those to choose from.
        limits: what level 1 means.
    """
    order = chosen.argsort(stable=True)
    sizes: list[int] = torch.bincount(chosen, minlength=len(operations)).tolist()
    result = images.clone()
    for operation, members in zip(operations, torch.split(order, sizes), strict=True):
        if operation is identity:
            continue
        for own in _parts(members, images):
            result[own] = operation(images[own], levels[own], limits)
    return result


def _parts(members: Tensor, images: Tensor) -> Iterator[Tensor]:
    size = max(1, AT_ONCE // images[0].numel()) if images.device.type == "cpu" else len(members)
    for first in range(0, len(members), size):
        yield members[first : first + size]


def identity(images: Tensor, _levels: Tensor, _limits: Limits) -> Tensor:
    """The images as they are."""
    return images


def shear_x(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Shift each row sideways, in proportion to its distance from the top."""
    return _sheared(images, levels * limits.shear, row=0)


def shear_y(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Shift each column up or down, in proportion to its distance from the left."""
    return _sheared(images, levels * limits.shear, row=1)


def translate_x(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Shift by whole pixels to the right, or for negative levels to the left."""
    return _shifted(images, levels, limits, row=0)


def translate_y(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Shift by whole pixels down, or for negative levels up."""
    return _shifted(images, levels, limits, row=1)


def rotate(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Turn about the center, for positive levels counterclockwise."""
    angle = torch.deg2rad(levels * limits.rotate)
    maps = _identity_maps(levels)
    maps[:, 0, 0] = maps[:, 1, 1] = angle.cos()
    maps[:, 1, 0] = angle.sin()
    maps[:, 0, 1] = -maps[:, 1, 0]
    return _resampled(images, maps)


def brightness(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Away from black, or towards it."""
    return _blended(images, torch.zeros((), device=images.device), levels, limits)


def color(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Away from gray, or towards it; images that do not have three channels stay as they are."""
    return _blended(images, _gray(images), levels, limits) if images.shape[1] == 3 else images


def contrast(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Away from the mean gray of the image, or towards it."""
    return _blended(images, _gray(images).float().mean((1, 2, 3), keepdim=True), levels, limits)


def sharpness(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Away from the blurred image, or towards it; its outermost pixels stay as they are."""
    channels, height, width = images.shape[1:]
    if min(height, width) < 3:
        return images
    kernel = torch.ones(channels, 1, 3, 3, device=images.device)
    kernel[:, :, 1, 1] = 5
    pixels = images.float()
    blurred = pixels.clone()
    inner = F.conv2d(pixels, kernel / 13, groups=channels)
    blurred[:, :, 1:-1, 1:-1] = inner if images.is_floating_point() else inner.round_()
    return _blended(images, blurred, levels, limits)


def posterize(images: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Keep only the leading bits of each value."""
    bits = (8 - levels.abs() * limits.bits).round().int().view(-1, 1, 1, 1)
    if images.is_floating_point():
        steps = 2.0**bits
        return ((images * steps).floor().clamp(min=0).minimum(steps - 1) / steps).to(images.dtype)
    return images & (256 - 2 ** (8 - bits)).to(images.dtype)


def solarize(images: Tensor, levels: Tensor, _limits: Limits) -> Tensor:
    """Invert the values from a threshold on, which is white at level 0 and black at 1."""
    white = _white(images)
    return torch.where(images >= white * (1 - levels.abs()).view(-1, 1, 1, 1), white - images, images)


def invert(images: Tensor, _levels: Tensor, _limits: Limits) -> Tensor:
    """Black for white."""
    return _white(images) - images


def autocontrast(images: Tensor, _levels: Tensor, _limits: Limits) -> Tensor:
    """Scale each channel so that its darkest value is black and its brightest white."""
    from torchvision.transforms.v2 import functional  # here: it takes a second, and most runs do without

    channels: Tensor = functional.autocontrast(images.flatten(0, 1).unsqueeze(1))
    return channels.view_as(images)


def equalize(images: Tensor, _levels: Tensor, _limits: Limits) -> Tensor:
    """Spread the values of each channel evenly over all grays."""
    from torchvision.transforms.v2 import functional

    equalized: Tensor = functional.equalize(images)
    return equalized


def _white(images: Tensor) -> int:
    return 1 if images.is_floating_point() else 255


def _gray(images: Tensor) -> Tensor:
    """One channel, (n, 1, H, W): of red, green and blue as the eye weighs them, of others the mean."""
    if images.shape[1] == 3:
        red, green, blue = images.float().unbind(1)
        gray = (red * 0.2989 + green * 0.587 + blue * 0.114).unsqueeze(1)
        return gray if images.is_floating_point() else gray.floor_()
    return images if images.shape[1] == 1 else images.float().mean(1, keepdim=True)


def _blended(images: Tensor, other: Tensor, levels: Tensor, limits: Limits) -> Tensor:
    """Blend f · image + (1 − f) · other with the factor f = 1 + blend · level, cut to the range of values."""
    factor = (1 + levels * limits.blend).view(-1, 1, 1, 1)
    # Linear interpolation keeps values that are alike, where a last bit might cost bytes a whole step.
    pixels = images if images.is_floating_point() else images.float()
    return torch.lerp(other.to(pixels), pixels, factor.to(pixels)).clamp_(0, _white(images)).to(images.dtype)


def _sheared(images: Tensor, slope: Tensor, row: int) -> Tensor:
    """Coordinate ``row`` (0: x, 1: y) shifted by ``slope`` times the other one, counted from the image's corner."""
    maps = _identity_maps(slope)
    maps[:, row, 1 - row] = slope
    maps[:, row, 2] = slope * images.shape[2 + row] / 2
    return _resampled(images, maps)


def _shifted(images: Tensor, levels: Tensor, limits: Limits, row: int) -> Tensor:
    maps = _identity_maps(levels)
    largest = limits.translate_share * images.shape[3 - row] + limits.translate_pixels
    maps[:, row, 2] = -(levels * largest).trunc()
    return _resampled(images, maps)


def _identity_maps(levels: Tensor) -> Tensor:
    """Maps (n, 2, 3) from a pixel of the result to where it is taken from, (x, y) in pixels from the center."""
    return torch.eye(2, 3, device=levels.device).repeat(len(levels), 1, 1)


def _resampled(images: Tensor, maps: Tensor) -> Tensor:
    """Take each pixel from the nearest one, black beyond the edges."""
    height, width = images.shape[2:]
    x, y = (torch.linspace((1 - side) / 2, (side - 1) / 2, side, device=images.device) for side in (width, height))
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    places = torch.stack([columns, rows, torch.ones_like(rows)], -1).flatten(0, 1)
    halves = torch.tensor([width / 2, height / 2], device=images.device)
    grid = (places @ (maps.transpose(1, 2) / halves)).view(-1, height, width, 2)
    taken = F.grid_sample(images.float(), grid, mode="nearest", align_corners=False)
    return taken.to(images.dtype)
