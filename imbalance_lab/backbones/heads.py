"""Heads that turn features (N, F) into logits (N, C); the plain one is `torch.nn.Linear`."""

from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.validation import check_integer, check_number


class CosineHead(nn.Module):
    """Scaled cosines between the features and the weights of each class; norms and biases play no part.

    Made for LDAM (Cao et al. 2019, arXiv 1906.07413). The scale is needed because softmax over numbers in [−1, 1] is
    nearly uniform.

    Args:
        in_features: F.
        out_features: C.
        scale: s > 0, the factor of the cosines.

    Shapes: features (N, F) → logits (N, C) in [−s, s], in float32 at least, because in bfloat16 neighboring
    cosines are 0.004 apart. An example whose features are all zero gets zeros.

    Properties: scaling the features, or a class's weights, by a positive number changes nothing.

    >>> CosineHead(8, 3)(torch.ones(2, 8)).shape
    torch.Size([2, 3])
    """

    def __init__(self, in_features: int, out_features: int, scale: float = 30.0) -> None:
        super().__init__()
        self.in_features = check_integer("in_features", in_features, minimum=1)
        self.out_features = check_integer("out_features", out_features, minimum=1)
        self.scale = check_number("scale", scale, above=0, maximum=10_000)
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new weights."""
        # Normal draws are uniform in direction; only the directions matter, so the rows get unit norm.
        self.weight.copy_(F.normalize(torch.randn(self.weight.shape)))

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) → logits (N, C)."""
        dtype = torch.promote_types(features.dtype, torch.float32)
        with torch.autocast(features.device.type, enabled=False):
            return self.scale * F.linear(F.normalize(features.to(dtype)), F.normalize(self.weight.to(dtype)))

    def extra_repr(self) -> str:
        """The sizes, for ``print(head)``."""
        return f"in_features={self.in_features}, out_features={self.out_features}, scale={self.scale:g}"


def check_resettable(head: nn.Module) -> None:
    """Raise a ValueError unless the head has weights, each of a layer with a method ``reset_parameters``."""
    if next(head.parameters(), None) is None:
        raise ValueError(f"{type(head).__name__} has no weights that could be trained again: choose head=linear")
    for module in head.modules():
        if next(module.parameters(recurse=False), None) is not None and not hasattr(module, "reset_parameters"):
            raise ValueError(
                f"{type(module).__name__} has no method reset_parameters() that draws new weights: add one, or choose "
                "head=linear"
            )


def reset_head(head: nn.Module, seed: int) -> None:
    """Draw new weights, which follow from the seed alone; on the CPU, so that they are the same on every device."""
    fresh = deepcopy(head).cpu()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for module in fresh.modules():
            reset: Any = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
    head.load_state_dict(fresh.state_dict())
