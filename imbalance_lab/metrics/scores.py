"""Scores that rank: the log-odds of a softmax, which never saturate, and scores laid out class by class."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor


def log_odds(logits: Tensor) -> Tensor:
    """Turn logits into log p_c / (1 − p_c), p = softmax(z), which ranks like the probability but never saturates.

    A float32 probability is 1 from a lead of 17 on and 0 from −104 on: all such examples tie. Log-odds do not.
    Those of an example depend on nothing but its logits: not on the batch, and not on a constant added to all of them.

    Args:
        logits: (N, C), C ≥ 2. No gradient flows back.

    Returns:
        (N, C), float32 or wider; in memory each class is contiguous, ready to be sorted.
    """
    return by_class([logits.to(torch.promote_types(logits.dtype, torch.float32))], log_odds_of_rows).T


@torch.no_grad()
def by_class(parts: Sequence[Tensor], transform: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Lay out batches of scores (n, C) class by class, (C, N), after turning their rows into others by ``transform``.

    Block by block: what lies between stays in a CPU's cache, and is never as large as the whole.
    """
    num_classes, like = parts[0].shape[1], parts[0]
    columns = _empty(num_classes, sum(map(len, parts)), like)
    step = max(1, (2**16 if like.device.type == "cpu" else 2**24) // num_classes)
    filled = 0
    for part in parts:
        for rows in torch.split(part, step):
            columns[:, filled : filled + len(rows)] = (rows if transform is None else transform(rows)).T
            filled += len(rows)
    return columns


def log_odds_of_rows(logits: Tensor) -> Tensor:
    """`log_odds` of one block; every sum is along a row, so that no row's depends on the others."""
    behind = logits - logits.amax(1, keepdim=True)
    exponentials = behind.exp()
    # The leaders have 1, the others less. 1 − e_c, summed apart from the rest, cancels for none of them.
    leaders, rest = exponentials.trunc().sum(1, keepdim=True), exponentials.frac().sum(1, keepdim=True)
    others = rest + (leaders - exponentials)
    odds = behind - others.log()
    alone = ((rest < torch.finfo(rest.dtype).tiny / torch.finfo(rest.dtype).eps) & (leaders == 1)).squeeze(1)
    if bool(alone.any()):  # so far ahead, 70 and more, that the others' exponentials lose digits or vanish
        far = behind[alone]
        odds[alone] = odds[alone].where(far < 0, -far.masked_fill(far == 0, -torch.inf).logsumexp(1, keepdim=True))
    return odds


def _empty(rows: int, columns: int, like: Tensor) -> Tensor:
    if like.device.type != "cpu" or like.dtype not in (torch.float32, torch.float64):
        return like.new_empty(rows, columns)
    # NumPy asks for huge pages, torch does not: half the time to fill it first.
    return torch.from_numpy(np.empty((rows, columns), np.float32 if like.dtype == torch.float32 else np.float64))
