"""Low-rank updates of linear layers (LoRA: Hu et al. 2022, arXiv 2106.09685)."""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.nn.utils import parametrize

from imbalance_lab.backbones.finetune.base import Finetune, freeze
from imbalance_lab.validation import check_integer, check_list, check_number, check_text


class LowRankUpdate(nn.Module):
    """W (out, in) → W + (α / r) B A, with A (r, in) and B (out, r), which starts at 0."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        out_features, in_features = weight.shape
        self.scale = alpha / rank
        self.a = nn.Parameter(weight.new_empty(rank, in_features))
        self.b = nn.Parameter(weight.new_zeros(out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """The updated weight (out, in)."""
        return weight + self.scale * (self.b @ self.a)


class LoRA(Finetune):
    """Train an update of rank r for each weight of the attention; the weights themselves stay (eq. 3).

    Attention is found by structure: the linear layers directly within a module called ``attn``, as in timm's ViT, Swin,
    BEiT and EVA (``attn.qkv`` is one weight, and so gets one update), and every `torch.nn.MultiheadAttention`, as in
    torchvision's ViT. An export folds the updates into the weights, so that they cost nothing there.

    Args:
        rank: r, the rank of each update.
        alpha: α; the update is scaled by α / r. The paper leaves it at the first r that is tried.
        layers: ends of the names of linear layers to update instead, as in ``[attn.qkv, mlp.fc1]``; None for attention.

    Properties: at the start the backbone gives the features that it gave before; after training its own parameters are
    bit for bit what they were.
    """

    def __init__(self, rank: int = 8, alpha: float = 8.0, layers: Sequence[str] | None = None) -> None:
        self.rank = check_integer("rank", rank, minimum=1)
        self.alpha = check_number("alpha", alpha, above=0)
        names = None if layers is None else check_list("layers (null for attention)", layers)
        self.layers = None if names is None else [check_text("layers", name) for name in names]

    def apply(self, backbone: nn.Module) -> None:
        """Freeze the backbone, and add an update to each weight.

        Raises:
            ValueError: for a backbone without such layers, or a rank that is no lower than theirs.
        """
        places = list(_attention(backbone) if self.layers is None else self._named(backbone))
        if not places:
            raise ValueError(
                f"LoRA finds no attention in {type(backbone).__name__}: choose a ViT, or name its linear layers, as in "
                "finetune.layers=[fc1], or choose finetune=bias"
            )
        freeze(backbone)
        for module, name in places:
            weight: Tensor = getattr(module, name)
            if self.rank >= min(weight.shape):
                raise ValueError(
                    f"rank={self.rank} is no lower than that of a weight of {tuple(weight.shape)}: choose rank < "
                    f"{min(weight.shape)}"
                )
            # As a parametrization it also holds where a layer's weight is used without calling the layer (BEiT, EVA).
            parametrize.register_parametrization(module, name, LowRankUpdate(weight, self.rank, self.alpha))

    def _named(self, backbone: nn.Module) -> Iterator[tuple[nn.Module, str]]:
        linear = {name: each for name, each in backbone.named_modules() if isinstance(each, nn.Linear)}
        for end in self.layers or []:
            if not any(_ends_with(name, end) for name in linear):
                raise ValueError(f"no linear layer of {type(backbone).__name__} is called {end!r}: correct layers")
        for name, module in linear.items():
            if any(_ends_with(name, end) for end in self.layers or []):
                yield module, "weight"


def _attention(backbone: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """The modules and the names of their weights that make up the attention."""
    for name, module in backbone.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            yield module, "in_proj_weight"
            yield module.out_proj, "weight"
        elif name.rpartition(".")[2] == "attn":
            yield from ((each, "weight") for each in module.children() if isinstance(each, nn.Linear))


def _ends_with(name: str, end: str) -> bool:
    return f".{name}".endswith(f".{end}")
