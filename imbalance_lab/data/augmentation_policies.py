"""RandAugment, TrivialAugment and AutoAugment's policy for CIFAR-10: operations drawn for each image of a batch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.data.augment import check_image_shape
from imbalance_lab.data.image_operations import (
    Limits,
    Operation,
    apply_operations,
    autocontrast,
    brightness,
    color,
    contrast,
    equalize,
    identity,
    invert,
    posterize,
    rotate,
    sharpness,
    shear_x,
    shear_y,
    solarize,
    translate_x,
    translate_y,
)
from imbalance_lab.validation import check_integer, check_number

OPERATIONS: tuple[Operation, ...] = (
    *(identity, autocontrast, equalize, rotate, solarize, color, posterize),
    *(contrast, brightness, sharpness, shear_x, shear_y, translate_x, translate_y),
)
"""Those that RandAugment and TrivialAugment draw from, each as often as the others."""

BINS = 30
"""Levels of RandAugment and TrivialAugment, beside 0."""

CIFAR10: tuple[tuple[tuple[Operation, float, int], tuple[Operation, float, int]], ...] = (
    ((invert, 0.1, 0), (contrast, 0.2, 6)),
    ((rotate, 0.7, 2), (translate_x, 0.3, 9)),
    ((sharpness, 0.8, 1), (sharpness, 0.9, 3)),
    ((shear_y, 0.5, 8), (translate_y, 0.7, 9)),
    ((autocontrast, 0.5, 0), (equalize, 0.9, 0)),
    ((shear_y, 0.2, 7), (posterize, 0.3, 7)),
    ((color, 0.4, 3), (brightness, 0.6, 7)),
    ((sharpness, 0.3, 9), (brightness, 0.7, 9)),
    ((equalize, 0.6, 0), (equalize, 0.5, 0)),
    ((contrast, 0.6, 7), (sharpness, 0.6, 5)),
    ((color, 0.7, 7), (translate_x, 0.5, 8)),
    ((equalize, 0.3, 0), (autocontrast, 0.4, 0)),
    ((translate_y, 0.4, 3), (sharpness, 0.2, 6)),
    ((brightness, 0.9, 6), (color, 0.2, 8)),
    ((solarize, 0.5, 2), (invert, 0.0, 0)),
    ((equalize, 0.2, 0), (autocontrast, 0.6, 0)),
    ((equalize, 0.2, 0), (equalize, 0.6, 0)),
    ((color, 0.9, 9), (equalize, 0.6, 0)),
    ((autocontrast, 0.8, 0), (solarize, 0.2, 8)),
    ((brightness, 0.1, 3), (color, 0.7, 0)),
    ((solarize, 0.4, 5), (autocontrast, 0.9, 0)),
    ((translate_y, 0.9, 9), (translate_y, 0.7, 9)),
    ((autocontrast, 0.9, 0), (solarize, 0.8, 3)),
    ((equalize, 0.8, 0), (invert, 0.1, 0)),
    ((translate_y, 0.7, 9), (autocontrast, 0.9, 0)),
)
"""Cubuk et al. 2018, table 7: of each sub-policy two operations, each with its probability and its level of 0 to 9."""


class _Policy:
    """Checks that inputs are images in the range of values that the operations take, and brings them into it."""

    def __init__(self, white: float) -> None:
        self.white = check_number("white", white, above=0)

    def check_input_shape(self, shape: Sequence[int]) -> None:
        """Raise a ValueError for inputs that are not images (channels, H, W)."""
        check_image_shape(type(self).__name__, shape)

    def check_inputs(self, images: Tensor) -> None:
        """Raise a ValueError for images, some of the training split, with values below 0 or beyond white."""
        if not images.is_floating_point():
            return
        low, high = images.min().item(), images.max().item()
        if low < 0 or high > self.white:
            raise ValueError(
                f"{type(self).__name__} needs bytes, or numbers from 0 to white={self.white:g}, but the images have "
                f"values from {low:g} to {high:g}: set white to the brightest (65535 for files of 16 bits)"
            )

    def _on_unit_range(self, images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        if not images.is_floating_point() or self.white == 1:
            return change(images)
        return change(images / self.white) * self.white


class RandAugment(_Policy):
    """Change each image by ``num_operations`` operations one after the other, all of the same magnitude.

    Cubuk et al. 2019, arXiv 1909.13719, with the operations and their limits of torchvision's ``RandAugment``. Shears,
    shifts and angles, and the factors of brightness, color, contrast and sharpness have a random sign.

    Args:
        num_operations: N, each drawn from the same 14.
        magnitude: M, in [0, 30]; 30 shears by 0.3, shifts by 45 % of a side, turns by 30°.
        white: the brightest value of floating-point images; bytes have 255.
    """

    def __init__(self, num_operations: int = 2, magnitude: float = 9.0, white: float = 1.0) -> None:
        super().__init__(white)
        self.num_operations = check_integer("num_operations", num_operations, minimum=1, maximum=14)
        self.magnitude = check_number("magnitude", magnitude, minimum=0, maximum=BINS)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        draws = seeding.counter_uniform(keys, 2 * self.num_operations).view(len(keys), -1, 2)

        def change(images: Tensor) -> Tensor:
            for draw, sign in (pair.unbind(1) for pair in draws.unbind(1)):
                levels = self.magnitude / BINS * _sign(sign)
                images = apply_operations(images, _choice(draw, len(OPERATIONS)), levels, OPERATIONS, Limits())
            return images

        return self._on_unit_range(images, change)


class TrivialAugment(_Policy):
    """Change each image by one operation of a random strength, up to a strong one.

    Müller and Hutter 2021, arXiv 2103.10158: the "wide" space, as in torchvision's ``TrivialAugmentWide``.

    Args:
        translate: largest shift in pixels; the paper's, for images of 32 and of 224 pixels alike.
        white: the brightest value of floating-point images; bytes have 255.
    """

    def __init__(self, translate: float = 32.0, white: float = 1.0) -> None:
        super().__init__(white)
        self.translate = check_number("translate", translate, minimum=0)
        self.limits = Limits(0.99, 0.0, self.translate, rotate=135.0, blend=0.99, bits=6)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        draw, strength, sign = seeding.counter_uniform(keys, 3).unbind(1)
        levels = _choice(strength, BINS + 1) / BINS * _sign(sign)
        chosen = _choice(draw, len(OPERATIONS))
        return self._on_unit_range(
            images, lambda images: apply_operations(images, chosen, levels, OPERATIONS, self.limits)
        )


class AutoAugmentCIFAR10(_Policy):
    """Change each image by one of the 25 pairs of operations that were found to serve CIFAR-10.

    Cubuk et al. 2018, arXiv 1805.09501, table 7; there between `ShiftFlip` of 4 pixels and `Cutout` of 16.

    Args:
        white: the brightest value of floating-point images; bytes have 255.
    """

    def __init__(self, white: float = 1.0) -> None:
        super().__init__(white)

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        operations = (*OPERATIONS, invert)
        table = [[(operations.index(o), p, level / 9) for o, p, level in pair] for pair in CIFAR10]
        policy, *draws = seeding.counter_uniform(keys, 5).unbind(1)
        own = torch.tensor(table, device=keys.device)[_choice(policy, len(table))]

        def change(images: Tensor) -> Tensor:
            for (number, probability, level), use, sign in zip(
                (each.unbind(1) for each in own.unbind(1)), draws[::2], draws[1::2], strict=True
            ):
                chosen = torch.where(use < probability, number, operations.index(identity)).long()
                images = apply_operations(images, chosen, level * _sign(sign), operations, Limits())
            return images

        return self._on_unit_range(images, change)


def _choice(draws: Tensor, n: int) -> Tensor:
    """One of 0 … n − 1 for each of the uniform ``draws``."""
    return (draws * n).long()


def _sign(draws: Tensor) -> Tensor:
    return torch.where(draws < 0.5, 1.0, -1.0)
