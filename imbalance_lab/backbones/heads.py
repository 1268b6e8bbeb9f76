"""Heads that turn features (N, F) into one output a class (N, C); the plain one is `torch.nn.Linear`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CosineHead(nn.Module):
    """The cosine between features and each class's weights: no norm, no bias, so no class is louder.

    Used with LDAM (Cao et al. 2019, arXiv 1906.07413), whose loss multiplies the cosines by s = 30. Cosines
    alone are no logits: softmax over numbers in [−1, 1] is nearly flat; scale them before they are read as
    probabilities.

    Args:
        in_features: F.
        num_classes: C.

    Shapes: features (N, F) → cosines (N, C), in float32 at least, because in bfloat16 they would lie 0.004
    apart. An example whose features are all zero gets zeros.

    Laws: scaling the features, or a class's weights, by a positive number changes nothing.

    >>> CosineHead(8, 3)(torch.ones(2, 8)).shape
    torch.Size([2, 3])
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        # Normal draws point in all directions alike; unit rows, as only their directions count.
        self.weight = nn.Parameter(F.normalize(torch.randn(num_classes, in_features)))

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) → cosines (N, C)."""
        dtype = torch.promote_types(features.dtype, torch.float32)
        with torch.autocast(features.device.type, enabled=False):
            return F.linear(F.normalize(features.to(dtype)), F.normalize(self.weight.to(dtype)))

    def extra_repr(self) -> str:
        """The sizes, for ``print(head)``."""
        num_classes, in_features = self.weight.shape
        return f"in_features={in_features}, num_classes={num_classes}"
