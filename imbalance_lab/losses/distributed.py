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


def gather_batch(*columns: Tensor) -> tuple[Tensor, ...]:
    """The batch of all processes, in the order of their ranks, while gradients are recorded; else as it is.

    Only this process's share of a column has a gradient. A loss of the whole batch is then the same number everywhere,
    and `average_of_ranks` makes the gradients that DDP averages add up to that of one process.

    Args:
        columns: (n, …) each, where n may differ between processes.
    """
    if world_size() == 1 or not torch.is_grad_enabled():
        return columns
    sizes = [torch.zeros((), dtype=torch.int64, device=columns[0].device) for _ in range(world_size())]
    dist.all_gather(sizes, torch.tensor(len(columns[0]), device=columns[0].device))
    lengths = [int(size) for size in sizes]
    return tuple(_gather(column, lengths) for column in columns)


def average_of_ranks(loss: Tensor) -> Tensor:
    """The loss with its gradient times the number of processes, which DDP divides by; for `gather_batch`."""
    return (
        loss if world_size() == 1 or not torch.is_grad_enabled() else loss + (world_size() - 1) * (loss - loss.detach())
    )


def _gather(column: Tensor, lengths: list[int]) -> Tensor:
    padded = column.detach().new_zeros(max(lengths), *column.shape[1:])
    padded[: len(column)] = column.detach()
    everyone = [torch.empty_like(padded) for _ in lengths]
    dist.all_gather(everyone, padded)
    parts = [part[:length] for part, length in zip(everyone, lengths, strict=True)]
    parts[dist.get_rank()] = column
    return torch.cat(parts)
