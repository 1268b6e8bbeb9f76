"""Layers of k nets side by side, computed at once; each net has its own weights, as if it were alone."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class ToMembers(nn.Module):
    """The same features for each of k nets: (N, F) → (N, k, F), without a copy.

    The gradient of what computes them, an embedding that the nets share, is the mean over the nets, not the sum: it is
    trained at the rate of the optimizer, whatever k is.
    """

    def __init__(self, members: int) -> None:
        super().__init__()
        self.members = members

    def forward(self, features: Tensor) -> Tensor:
        """(N, F) → (N, k, F)."""
        shared = features[:, None].expand(-1, self.members, -1)
        if not (shared.requires_grad or (self.training and torch.is_grad_enabled())):  # vmap hides the former
            return shared
        scaled: Tensor = _DivideGradient.apply(shared, self.members)
        return scaled

    def extra_repr(self) -> str:
        """The number of nets, for ``print(net)``."""
        return f"members={self.members}"


class _DivideGradient(torch.autograd.Function):
    """The identity, whose gradient is divided by a number; not a hook, which does nothing under `torch.vmap`."""

    generate_vmap_rule = True

    @staticmethod
    def forward(features: Tensor, divisor: int) -> Tensor:
        return features.view_as(features)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.divisor = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient / ctx.divisor, None


class MemberLinear(nn.Module):
    """k linear layers as one batched product: (N, k, in) → (N, k, out).

    Args:
        layers: k layers of one size, whose weights (out, in) it copies; so it starts as they do.

    Its weight is (k, in, out), its bias (k, out).
    """

    bias: nn.Parameter | None

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        self.register_parameter("bias", nn.Parameter(torch.stack(biases)) if biases else None)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new weights for each layer, as `torch.nn.Linear` draws them."""
        _, inward, outward = self.weight.shape
        for k in range(len(self.weight)):
            layer = nn.Linear(inward, outward, bias=self.bias is not None)
            self.weight[k] = layer.weight.T
            if self.bias is not None:
                self.bias[k] = layer.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, k, in) → (N, k, out)."""
        by_member = inputs.transpose(0, 1)
        if self.bias is None:
            return torch.bmm(by_member, self.weight).transpose(0, 1)
        return torch.baddbmm(self.bias[:, None], by_member, self.weight).transpose(0, 1)

    def extra_repr(self) -> str:
        """The sizes, for ``print(net)``."""
        members, inward, outward = self.weight.shape
        return f"members={members}, in_features={inward}, out_features={outward}, bias={self.bias is not None}"


class MemberBatchNorm(nn.Module):
    """Batch normalization of k nets, each with its own statistics: (N, k, F) → (N, k, F)."""

    def __init__(self, members: int, num_features: int) -> None:
        super().__init__()
        # Not a subclass, which trainer.sync_batchnorm would replace.
        self.norm = nn.BatchNorm1d(members * num_features)

    def forward(self, features: Tensor) -> Tensor:
        """(N, k, F) → (N, k, F)."""
        normalized: Tensor = self.norm(features.flatten(1))
        return normalized.view(features.shape)


def linear(in_features: int, out_features: int, members: int) -> nn.Module:
    """The linear layer of one net, or of ``members``, each drawn as `torch.nn.Linear` draws it."""
    layers = [nn.Linear(in_features, out_features) for _ in range(members)]
    return layers[0] if members == 1 else MemberLinear(layers)


def batch_norm(num_features: int, members: int) -> nn.Module:
    """The batch normalization of one net, or of ``members``."""
    return nn.BatchNorm1d(num_features) if members == 1 else MemberBatchNorm(members, num_features)


def check_linear(what: str, head: nn.Module) -> None:
    """Raise a ValueError if a head is not one linear layer, of one net or of several, which ``what`` needs."""
    if not isinstance(head, nn.Linear | MemberLinear):
        raise ValueError(f"{what} needs a linear head, but the head is {type(head).__name__}: choose head=linear")
