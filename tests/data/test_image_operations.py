"""Each operation is torchvision's, image by image."""

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from imbalance_lab.data import augmentation_policies, image_operations
from imbalance_lab.data.image_operations import AT_ONCE, Limits, apply_operations

LIGHT, WIDE = Limits(), Limits(0.99, 0.0, 32.0, 135.0, 0.99, 6)
UNMOVED = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
OPERATIONS = (*augmentation_policies.OPERATIONS, image_operations.invert)


def theirs(name: str, image: Tensor, level: float, limits: Limits) -> Tensor:
    """The same by torchvision's functions, of one strength."""
    height, width = image.shape[1:]
    slope = math.degrees(math.atan(limits.shear * level))
    shifts = [int(level * (limits.translate_share * side + limits.translate_pixels)) for side in (width, height)]
    factor, bits = 1 + level * limits.blend, round(8 - abs(level) * limits.bits)
    white = 1 if image.is_floating_point() else 255
    return {
        "identity": lambda: image,
        "shear_x": lambda: F.affine(image, **UNMOVED | {"shear": [slope, 0.0], "center": [0, 0]}),
        "shear_y": lambda: F.affine(image, **UNMOVED | {"shear": [0.0, slope], "center": [0, 0]}),
        "translate_x": lambda: F.affine(image, **UNMOVED | {"translate": [shifts[0], 0]}),
        "translate_y": lambda: F.affine(image, **UNMOVED | {"translate": [0, shifts[1]]}),
        "rotate": lambda: F.rotate(image, level * limits.rotate),
        "brightness": lambda: F.adjust_brightness(image, factor),
        "color": lambda: F.adjust_saturation(image, factor),
        "contrast": lambda: F.adjust_contrast(image, factor),
        "sharpness": lambda: F.adjust_sharpness(image, factor),
        "posterize": lambda: F.posterize(image, bits),
        "solarize": lambda: F.solarize(image, white * (1 - abs(level))),
        "autocontrast": lambda: F.autocontrast(image),
        "equalize": lambda: F.equalize(image),
        "invert": lambda: F.invert(image),
    }[name]()


def pictures(n: int, channels: int, dtype: torch.dtype) -> Tensor:
    """Smooth images, 21 × 30, of which some do not use the whole range."""
    generator = torch.Generator().manual_seed(n)
    coarse = torch.rand(n, channels, 4, 5, generator=generator)
    images = torch.nn.functional.interpolate(coarse, (21, 30), mode="bicubic").clamp(0, 1)
    images[::3] = images[::3] * 0.5 + 0.2
    return images if dtype.is_floating_point else (images * 255).to(dtype)


@pytest.mark.parametrize("limits", [LIGHT, WIDE], ids=["light", "wide"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_an_operation_on_a_batch_is_torchvisions_on_each_image(operation, dtype, channels, limits):
    levels = torch.linspace(-0.983, 0.971, 13)  # no pixel is as near to another as to its neighbor
    images = pictures(13, channels, dtype)
    before = images.clone()
    found = operation(images, levels, limits)
    assert torch.equal(images, before)
    assert found.dtype == dtype
    pairs = zip(images, levels.tolist(), strict=True)
    expected = torch.stack([theirs(operation.__name__, *pair, limits) for pair in pairs])
    if dtype == torch.uint8:  # a last bit of float32 may decide which way a value is cut to an integer
        difference = (found.int() - expected.int()).abs()
        assert difference.max() <= 1
        assert (difference > 0).float().mean() < 5e-3
    else:
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("side", [9, 300])
def test_each_image_of_a_batch_gets_its_own_operation(side):
    images = pictures(30, 3, torch.uint8)[:, :, :9, :9].repeat(1, 1, side // 9, side // 9)
    assert (side == 300) == (images[:5].numel() > AT_ONCE)  # large ones are changed part by part
    chosen = (torch.arange(30) * 7) % len(OPERATIONS)
    levels = torch.linspace(-1, 1, 30)
    found = apply_operations(images, chosen, levels, OPERATIONS, LIGHT)
    for n, operation in enumerate(chosen.tolist()):
        assert torch.equal(found[n : n + 1], OPERATIONS[operation](images[n : n + 1], levels[n : n + 1], LIGHT))


def test_other_numbers_of_channels_are_taken_as_grays():
    images = pictures(4, 5, torch.float32)
    levels = torch.full((4,), -1.0)
    full = Limits(blend=1.0)
    assert torch.equal(image_operations.color(images, levels, full), images)
    gray = images.mean((1, 2, 3), keepdim=True).expand_as(images)
    torch.testing.assert_close(image_operations.contrast(images, levels, full), gray)
    for operation in OPERATIONS:
        assert operation(images, levels, LIGHT).shape == images.shape
