"""Heads that turn features (N, F) into one output a class (N, C); the plain one is `torch.nn.Linear`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CosineHead(nn.Module):
    """Scaled cosines between features and each class's weights: no norm, no bias, so no class is louder.

    Made for LDAM (Cao et al. 2019, arXiv 1906.07413). Cosines alone would be no logits: softmax over numbers in
    [−1, 1] is nearly flat.

    Args:
        in_features: F.
        out_features: C.
        scale: s > 0, what the cosines are multiplied by.

    Shapes: features (N, F) → logits (N, C) in [−s, s], in float32 at least, because in bfloat16 they would lie 0.004
    apart. An example whose features are all zero gets zeros.

    Laws: scaling the features, or a class's weights, by a positive number changes nothing.

    >>> CosineHead(8, 3)(torch.ones(2, 8)).shape
    torch.Size([2, 3])
    """

    def __init__(self, in_features: int, out_features: int, scale: float = 30.0) -> None:
        super().__init__()
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not scale > 0:
            raise ValueError(f"scale must be a number > 0, got {scale!r}")
        self.scale = scale
        # Normal draws point in all directions alike; unit rows, as only their directions count.
        self.weight = nn.Parameter(F.normalize(torch.randn(out_features, in_features)))

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) → logits (N, C)."""
        dtype = torch.promote_types(features.dtype, torch.float32)
        with torch.autocast(features.device.type, enabled=False):
            return self.scale * F.linear(F.normalize(features.to(dtype)), F.normalize(self.weight.to(dtype)))

    def extra_repr(self) -> str:
        """The sizes, for ``print(head)``."""
        out_features, in_features = self.weight.shape
        return f"in_features={in_features}, out_features={out_features}, scale={self.scale}"
