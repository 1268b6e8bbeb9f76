"""Learning-rate schedules as functions of the fraction of the run that is done, so that they fit any number of steps.

Each is built from its parameters, and called with the optimizer and the number of steps once these are known.
"""

import math
from collections.abc import Mapping

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from imbalance_lab.validation import check_number


class Constant:
    """The learning rate stays as it is."""

    def __call__(self, optimizer: Optimizer, total_steps: int) -> LambdaLR:
        """The scheduler of an optimizer."""
        return LambdaLR(optimizer, lambda step: 1.0)


class Cosine:
    """Rise linearly over the first ``warmup`` of the run, then fall to 0 along a half cosine (arXiv 1608.03983).

    Args:
        warmup: fraction of the run, in [0, 1).
    """

    def __init__(self, warmup: float = 0.05) -> None:
        self.warmup = check_number("warmup", warmup, minimum=0, below=1)

    def __call__(self, optimizer: Optimizer, total_steps: int) -> LambdaLR:
        """The scheduler of an optimizer, stepped after each of ``total_steps`` steps."""

        def factor(step: int) -> float:
            done = step / total_steps
            if done < self.warmup:
                return (step + 1) / (self.warmup * total_steps + 1)
            return 0.5 * (1 + math.cos(math.pi * (done - self.warmup) / (1 - self.warmup)))

        return LambdaLR(optimizer, factor)


class Steps:
    """Rise linearly over the first ``warmup`` of the run, then multiply the rate by a factor from given points on.

    Args:
        warmup: fraction of the run, in [0, 1).
        factors: fraction of the run → factor of the rate from there on. If not given, those of LDAM-DRW (arXiv
            1906.07413): 0.01 from epoch 160 and 0.0001 from epoch 180 of 200.
    """

    def __init__(self, warmup: float = 0.025, factors: Mapping[float, float] | None = None) -> None:
        self.warmup = check_number("warmup", warmup, minimum=0, below=1)
        chosen = {0.8: 0.01, 0.9: 0.0001} if factors is None else factors
        if not isinstance(chosen, Mapping):
            raise TypeError(f"factors must be a mapping of fractions of the run to factors, got {factors!r}")
        self.points = sorted(
            (
                check_number("a fraction of the run in factors", start, minimum=0, maximum=1),
                check_number(f"factors[{start}]", factor, above=0, maximum=1000),
            )
            for start, factor in chosen.items()
        )

    def __call__(self, optimizer: Optimizer, total_steps: int) -> LambdaLR:
        """The scheduler of an optimizer, stepped after each of ``total_steps`` steps."""

        def factor(step: int) -> float:
            done = step / total_steps
            if done < self.warmup:
                return (step + 1) / (self.warmup * total_steps + 1)
            return next((factor for start, factor in reversed(self.points) if done >= start), 1.0)

        return LambdaLR(optimizer, factor)


class WarmupStableDecay:
    """Rise linearly, stay, and in the last part of the run fall to 0 as 1 − √x (Hägele et al. 2024, arXiv 2405.18392).

    Unlike a cosine, the part before the fall does not depend on the length of the run.

    Args:
        warmup: fraction of the run in which the rate rises, in [0, 1).
        decay: fraction of the run in which it falls, in (0, 1]; both together at most 1.
    """

    def __init__(self, warmup: float = 0.05, decay: float = 0.2) -> None:
        self.warmup = check_number("warmup", warmup, minimum=0, below=1)
        self.decay = check_number("decay", decay, above=0, maximum=1)
        if self.warmup + self.decay > 1:
            raise ValueError(f"warmup and decay are {warmup:g} + {decay:g} of the run: choose at most 1 together")

    def __call__(self, optimizer: Optimizer, total_steps: int) -> LambdaLR:
        """The scheduler of an optimizer, stepped after each of ``total_steps`` steps."""

        def factor(step: int) -> float:
            done = step / total_steps
            if done < self.warmup:
                return (step + 1) / (self.warmup * total_steps + 1)
            return 1 - math.sqrt(min(1.0, max(0.0, 1 - (1 - done) / self.decay)))

        return LambdaLR(optimizer, factor)
