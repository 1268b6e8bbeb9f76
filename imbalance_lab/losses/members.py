"""The loss of a net of k members: the mean of their own losses, against the same targets."""

from copy import deepcopy

import torch
from torch import Tensor, nn


class MemberLosses(nn.Module):
    """A copy of a loss for each member, with a state of its own, as k trainings apart would have.

    Args:
        loss: the first copy.
        num_members: k.

    Shapes: logits (N, k, C), of which member k's go to copy k; or (N, C), the members' average, which all copies take.
    """

    def __init__(self, loss: nn.Module, num_members: int) -> None:
        super().__init__()
        self.copies = nn.ModuleList([loss, *(deepcopy(loss) for _ in range(num_members - 1))])

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The mean of the copies' losses, a scalar."""
        each = logits.unbind(1) if logits.ndim == 3 else [logits] * len(self.copies)
        return torch.stack([loss(z, target) for loss, z in zip(self.copies, each, strict=True)]).mean()


def loss_of_members(loss: nn.Module, num_members: int) -> nn.Module:
    """The loss itself where one call serves all members (see `serves_all`) and of one member, else `MemberLosses`."""
    return loss if num_members == 1 or serves_all(loss) else MemberLosses(loss, num_members)


def serves_all(loss: nn.Module) -> bool:
    """Whether the loss of (N·k, C) logits, each target k times, is the mean of the k losses, and nothing else happens.

    So where it says ``is_mean_over_examples``, its reduction is a mean, and it learns nothing.
    """
    is_mean = getattr(loss, "reduction", "mean") in ("mean", "weighted_mean")
    says_so = bool(getattr(loss, "is_mean_over_examples", False))
    return says_so and is_mean and next(loss.parameters(), None) is None


def mean_member_loss(loss: nn.Module, logits: Tensor, target: Tensor) -> Tensor:
    """The mean of the members' losses, a scalar.

    Args:
        loss: as `loss_of_members` gives it.
        logits: (N, k, C); or (N, C), of one net.
        target: class indices (N,) or labels (N, C).
    """
    if logits.ndim == 3 and not isinstance(loss, MemberLosses):
        target = target.repeat_interleave(logits.shape[1], 0)
        logits = logits.flatten(0, 1)
    value: Tensor = loss(logits, target)
    return value
