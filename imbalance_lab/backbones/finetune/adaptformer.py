"""Small nets beside the MLPs of a transformer (AdaptFormer: Chen et al. 2022, arXiv 2205.13535)."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from imbalance_lab.backbones.finetune.base import Finetune, freeze
from imbalance_lab.validation import check_bool, check_integer, check_number


class AdaptedMLP(nn.Module):
    """x → MLP(x) + s · ReLU(x W_down) W_up, where x is what the block's normalization gives (eqs. 3 and 4)."""

    def __init__(self, mlp: nn.Module, features: int, dim: int, scale: float, learn_scale: bool) -> None:
        super().__init__()
        self.mlp = mlp
        self.down = nn.Linear(features, dim)
        self.up = nn.Linear(dim, features)
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        for start_at_zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(start_at_zero)
        self.scale = nn.Parameter(torch.tensor(scale), requires_grad=learn_scale)

    def forward(self, inputs: Tensor, *others: Any) -> Tensor:
        """(…, features) → (…, features); what else a block gives its MLP is passed on."""
        outputs: Tensor = self.mlp(inputs, *others)
        added: Tensor = self.up(self.down(inputs).relu())
        return outputs + self.scale * added


class AdaptFormer(Finetune):
    """Train a bottleneck of two linear layers beside each MLP; the backbone's own parameters stay.

    MLPs are found by structure: modules called ``mlp`` whose first linear layer takes as many features as the last one
    gives, as in timm's and torchvision's ViT and Swin.

    Args:
        dim: width of the bottleneck.
        scale: s.
        learn_scale: whether s is a parameter, one for each block, that starts at ``scale``.

    Properties: at the start the backbone gives the features that it gave before; after training its own parameters are
    bit for bit what they were.
    """

    def __init__(self, dim: int = 64, scale: float = 0.1, learn_scale: bool = False) -> None:
        self.dim = check_integer("dim", dim, minimum=1)
        self.scale = check_number("scale", scale, above=0)
        self.learn_scale = check_bool("learn_scale", learn_scale)

    def apply(self, backbone: nn.Module) -> None:
        """Freeze the backbone, and put an adapter beside each MLP.

        Raises:
            ValueError: for a backbone without such MLPs.
        """
        places = list(_mlps(backbone))
        if not places:
            raise ValueError(
                f"adapters go beside the MLPs of a transformer, and {type(backbone).__name__} has none: choose a ViT, "
                "or finetune=bias"
            )
        freeze(backbone)
        for name, mlp, features in places:
            backbone.set_submodule(name, AdaptedMLP(mlp, features, self.dim, self.scale, self.learn_scale))


def _mlps(backbone: nn.Module) -> Iterator[tuple[str, nn.Module, int]]:
    """The name, the module and the features of each MLP."""
    for name, module in backbone.named_modules():
        linear = [each for each in module.modules() if isinstance(each, nn.Linear)]
        is_mlp = name.rpartition(".")[2] == "mlp" and len(linear) > 1
        if is_mlp and linear[0].in_features == linear[-1].out_features:
            yield name, module, linear[0].in_features
