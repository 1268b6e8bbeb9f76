"""Augmentation of whole batches, on whatever device they are on."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab import keyed


class ShiftFlip:
    """Move each image by up to ``shift`` pixels either way, filling with black, and mirror half of them.

    With shift 4 this is the pad-and-crop augmentation of the CIFAR literature (He et al. 2016, arXiv 1512.03385).

    Args:
        shift: largest move in pixels, vertically and horizontally.
        flip: whether to mirror left and right.
    """

    def __init__(self, shift: int = 0, flip: bool = False) -> None:
        if isinstance(shift, bool) or not isinstance(shift, int) or shift < 0:
            raise ValueError(f"shift must be a whole number of pixels ≥ 0, got {shift!r}")
        if not isinstance(flip, bool):
            raise TypeError(f"flip must be true or false, got {flip!r}")
        self.shift = shift
        self.flip = flip

    def __call__(self, images: Tensor, keys: Tensor) -> Tensor:
        """Augment ``images`` (N, channels, H, W) by the keys of their draws (N,); same shape and dtype."""
        if not (self.shift or self.flip):
            return images
        height, width = images.shape[-2:]
        down, right, mirror = keyed.uniform(keys, 3).unbind(1)
        moves = 2 * self.shift + 1
        rows = torch.arange(height, device=images.device) + (down * moves).long().unsqueeze(1)
        columns = torch.arange(width, device=images.device).expand(len(images), -1)
        if self.flip:
            columns = torch.where(mirror.unsqueeze(1) < 0.5, columns, width - 1 - columns)
        columns = columns + (right * moves).long().unsqueeze(1)
        padded = F.pad(images, (self.shift,) * 4)
        example = torch.arange(len(images), device=images.device).view(-1, 1, 1)
        return padded[example, :, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)
