"""Learning-rate schedules as functions of the share of the run that is done, so that they fit any number of steps."""

import math
from collections.abc import Mapping

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def cosine(optimizer: Optimizer, total_steps: int, *, warmup: float = 0.05) -> LambdaLR:
    """Rise linearly over the first ``warmup`` of the run, then fall to 0 along a half cosine (arXiv 1608.03983)."""
    _check_warmup(warmup)

    def factor(step: int) -> float:
        done = step / total_steps
        if done < warmup:
            return (step + 1) / (warmup * total_steps + 1)
        return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))

    return LambdaLR(optimizer, factor)


def steps(
    optimizer: Optimizer, total_steps: int, *, warmup: float = 0.025, factors: Mapping[float, float] | None = None
) -> LambdaLR:
    """Rise linearly over ``warmup``, then multiply the rate by a factor from given points of the run on.

    Args:
        optimizer: whose rate is scheduled.
        total_steps: steps of the whole run.
        warmup: share of the run.
        factors: share of the run → factor from there on. If not given, those of LDAM-DRW (arXiv 1906.07413):
            0.01 from epoch 160 and 0.0001 from epoch 180 of 200.
    """
    _check_warmup(warmup)
    chosen = {0.8: 0.01, 0.9: 0.0001} if factors is None else factors
    points = sorted((float(share), factor) for share, factor in chosen.items())

    def factor(step: int) -> float:
        done = step / total_steps
        if done < warmup:
            return (step + 1) / (warmup * total_steps + 1)
        return next((factor for share, factor in reversed(points) if done >= share), 1.0)

    return LambdaLR(optimizer, factor)


def _check_warmup(warmup: float) -> None:
    if isinstance(warmup, bool) or not isinstance(warmup, int | float) or not 0 <= warmup < 1:
        raise ValueError(f"warmup, a share of the run, must lie in [0, 1), got {warmup!r}")
