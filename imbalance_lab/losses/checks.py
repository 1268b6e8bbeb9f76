"""What every loss checks about its arguments when it is built, and how it reduces."""

import math
from typing import Literal, get_args

from torch import Tensor

Reduction = Literal["none", "sum", "mean"]


def checked_number(name: str, value: object, *, at_least: float = -math.inf, at_most: float = math.inf) -> float:
    """Return ``value`` as a float, or refuse what is no finite number of the range, saying so with its name."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not (math.isfinite(value) and at_least <= value <= at_most):
        bounds = f"≥ {at_least:g}" if math.isinf(at_most) else f"between {at_least:g} and {at_most:g}"
        raise ValueError(f"{name} must be a finite number {bounds}, got {value}")
    return float(value)


def checked_reduction(reduction: Reduction) -> Reduction:
    """Return ``reduction``, or refuse it by naming the choices."""
    if reduction not in get_args(Reduction):
        raise ValueError(f"reduction must be one of {', '.join(get_args(Reduction))}, got {reduction!r}")
    return reduction


def reduce(loss: Tensor, reduction: Reduction, normaliser: Tensor) -> Tensor:
    """Reduce the losses, zero where ignored; the mean is over ``normaliser``, and 0 where that is 0."""
    if reduction == "none":
        return loss
    total = loss.sum()
    return total if reduction == "sum" else total / normaliser.clamp(min=1)
