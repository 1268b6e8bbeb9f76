"""Nets of several members, trained side by side and read as one: the mean of their probabilities.

Each member starts from weights of its own (deep ensembles: Lakshminarayanan et al. 2017, arXiv 1612.01474). A backbone
of k members says ``num_members = k`` and returns features (N, k, F), their heads return logits (N, k, C); a backbone
without the attribute is one net. Members that share trained weights also say ``shares_weights = True``.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.backbones.member_layers import MemberLinear
from imbalance_lab.task import Activation

MAX_MEMBERS = 1024
"""The most members that ``ensemble`` may ask for; each takes the memory of a net."""


class Members(nn.Module):
    """Backbones of one kind side by side: inputs (N, …) → features (N, k, F).

    Args:
        nets: k backbones, each with ``num_features``, or a single one that all members share, because it is frozen.
        num_members: k.
    """

    def __init__(self, nets: list[nn.Module], num_members: int) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.num_members = num_members
        self.num_features = getattr(nets[0], "num_features", None)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, …) → (N, num_members, num_features)."""
        if len(self.nets) == 1:
            return self.share(self.nets[0](inputs))
        return torch.stack([net(inputs) for net in self.nets], 1)

    def share(self, features: Tensor) -> Tensor:
        """Features (N, F) of the one net → (N, k, F), the same for all members."""
        return features[:, None].expand(-1, self.num_members, -1)


class MemberHeads(nn.Module):
    """A head for each member: features (N, k, F) → logits (N, k, C)."""

    def __init__(self, heads: list[nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, features: Tensor) -> Tensor:
        """(N, k, F) → (N, k, C)."""
        return torch.stack([head(features[:, k]) for k, head in enumerate(self.heads)], 1)


def num_members(backbone: nn.Module) -> int:
    """K, the number of nets that a backbone is."""
    members: object = getattr(backbone, "num_members", 1)
    if isinstance(members, bool) or not isinstance(members, int) or members < 1:
        raise ValueError(f"{type(backbone).__name__}.num_members must be an integer ≥ 1, got {members!r}")
    return members


def build_backbone(build: Callable[..., nn.Module], ensemble: int) -> nn.Module:
    """A backbone of ``ensemble`` members.

    Args:
        build: makes one backbone; is also given ``members``, which it passes on to a constructor that takes it. Such a
            backbone trains its members as one batched net; any other is built ``ensemble`` times, unless all of it is
            frozen: then the members share one.
        ensemble: the number of members; with 1 nothing but ``build()`` happens.

    Raises:
        ValueError: if the backbone is of several members already.
    """
    backbone = build() if ensemble == 1 else build(members=ensemble)
    own = num_members(backbone)
    if ensemble in (1, own):
        return backbone
    if own > 1:
        raise ValueError(
            f"ensemble={ensemble}, but {type(backbone).__name__} alone is {own} nets whose probabilities are averaged: "
            "leave ensemble at 1"
        )
    others = [] if is_frozen(backbone) else [build() for _ in range(ensemble - 1)]
    return Members([backbone, *others], ensemble)


def is_frozen(backbone: nn.Module) -> bool:
    """Whether a backbone has parameters, and none of them is trained."""
    parameters = list(backbone.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)


def feature_net(backbone: nn.Module) -> nn.Module:
    """The net whose features are computed: the one that all members share, or the backbone itself."""
    return backbone.nets[0] if isinstance(backbone, Members) and len(backbone.nets) == 1 else backbone


def build_head(build: Callable[[], nn.Module], members: int) -> nn.Module:
    """A head for each of ``members``, each with its own start; of one member the head as it is."""
    heads = [build() for _ in range(members)]
    if members == 1:
        return heads[0]
    linear = [head for head in heads if type(head) is nn.Linear]
    return MemberLinear(linear) if len(linear) == members else MemberHeads(heads)


def average_members(logits: Tensor, activation: Activation) -> Tensor:
    """The logits (N, C) whose probabilities are the mean of the members' probabilities.

    Args:
        logits: (N, k, C); or (N, C), of one net, which are returned as they are.
        activation: under "softmax" the result is log mean_k softmax(z_k), under "sigmoid" the log-odds of
            mean_k σ(z_k); in at least float32.

    Properties: probabilities sum to 1 as the members' do; the order of the members does not matter; equal members give
    their own probabilities; no probability is rounded to 0 or 1 on the way, so that ranks survive at any size of
    logits.

    >>> average_members(torch.tensor([[[0.0, 0.0], [0.0, 1e4]]]), "softmax").exp()
    tensor([[0.2500, 0.7500]])
    """
    if logits.ndim == 2:
        return logits
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if activation == "softmax":
        return wide.log_softmax(2).logsumexp(1) - math.log(logits.shape[1])
    return F.logsigmoid(wide).logsumexp(1) - F.logsigmoid(-wide).logsumexp(1)
