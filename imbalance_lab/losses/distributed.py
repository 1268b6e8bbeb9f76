"""Sums over the processes of a distributed run, for losses that count over the whole batch."""

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """The number of processes that train together: 1 outside a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def sum_over_ranks(values: Tensor) -> Tensor:
    """Σ over the processes, while gradients are recorded; else ``values`` as they are.

    Evaluation records none and may give the processes unequal numbers of batches: waiting for each other
    would hang.
    """
    if world_size() == 1 or not torch.is_grad_enabled():
        return values
    total = values.detach().clone()
    dist.all_reduce(total)
    return total
