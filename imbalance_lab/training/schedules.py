"""Learning-rate schedules as functions of the fraction of the run that is done, so that they fit any number of steps."""

import math
from collections.abc import Mapping

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from imbalance_lab.validation import check_number


def cosine(optimizer: Optimizer, total_steps: int, *, warmup: float = 0.05) -> LambdaLR:
    """Rise linearly over the first ``warmup`` of the run, then fall to 0 along a half cosine (arXiv 1608.03983)."""
    _check_warmup(warmup)

    def factor(step: int) -> float:
        done = step / total_steps
        if done < warmup:
            return (step + 1) / (warmup * total_steps + 1)
        return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))

    return LambdaLR(optimizer, factor)


def constant(optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """The learning rate stays as it is."""
    return LambdaLR(optimizer, lambda step: 1.0)


def steps(
    optimizer: Optimizer, total_steps: int, *, warmup: float = 0.025, factors: Mapping[float, float] | None = None
) -> LambdaLR:
    """Rise linearly over ``warmup``, then multiply the rate by a factor from given points of the run on.

    Args:
        optimizer: whose rate is scheduled.
        total_steps: steps of the whole run.
        warmup: fraction of the run.
        factors: fraction of the run → factor from there on. If not given, those of LDAM-DRW (arXiv 1906.07413):
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
    check_number("warmup, a fraction of the run,", warmup, minimum=0, below=1)
