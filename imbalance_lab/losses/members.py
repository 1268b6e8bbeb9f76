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

    def forward(self, logits: Tensor, target: Tensor, index: Tensor | None = None) -> Tensor:
        """The mean of the copies' losses, a scalar; ``index`` (N,) for those that need it."""
        each = logits.unbind(1) if logits.ndim == 3 else [logits] * len(self.copies)
        extra = () if index is None else (index,)
        return torch.stack([loss(z, target, *extra) for loss, z in zip(self.copies, each, strict=True)]).mean()

    @property
    def needs_index(self) -> bool:
        """Whether the copies are called with the index of each example."""
        return needs_index(self.copies[0])


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


def needs_index(loss: nn.Module) -> bool:
    """Whether the loss is called as ``loss(logits, target, index)``, because it keeps something of each example."""
    return bool(getattr(loss, "needs_index", False))


def mean_member_loss(loss: nn.Module, logits: Tensor, target: Tensor, index: Tensor | None = None) -> Tensor:
    """The mean of the members' losses, a scalar.

    Args:
        loss: as `loss_of_members` gives it.
        logits: (N, k, C); or (N, C), of one net.
        target: class indices (N,) or labels (N, C).
        index: of each example, (N,), for a loss that says ``needs_index``.
    """
    if logits.ndim == 3 and not isinstance(loss, MemberLosses):
        target = target.repeat_interleave(logits.shape[1], 0)
        logits = logits.flatten(0, 1)
    value: Tensor = loss(logits, target, index) if needs_index(loss) else loss(logits, target)
    return value
