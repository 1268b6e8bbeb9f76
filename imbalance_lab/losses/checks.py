"""What every loss checks about its arguments and its input, and how it reduces."""

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Literal, get_args

import torch
from torch import Tensor

from imbalance_lab.losses.distributed import sum_over_ranks, world_size

Reduction = Literal["none", "sum", "mean"]


def checked_number(name: str, value: object, *, at_least: float = -math.inf, at_most: float = math.inf) -> float:
    """Return ``value`` as a float, or refuse what is no finite number of the range, saying so with its name."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not (math.isfinite(number) and at_least <= number <= at_most):
        bounds = f"≥ {at_least:g}" if math.isinf(at_most) else f"between {at_least:g} and {at_most:g}"
        raise ValueError(f"{name} must be a finite number {bounds}, got {number:g}")
    return number


def checked_numbers(
    name: str, value: object, *, at_least: float = -math.inf, at_most: float = math.inf
) -> float | Tensor:
    """Return one number as a float and one number a class as a tensor (C,), or refuse what is neither.

    A column (C, 1), as older code has it, counts as (C,). The values of a tensor are looked at only where
    that costs nothing (see `values_at_hand`).
    """
    if isinstance(value, Tensor):
        return _checked_tensor(name, value, at_least, at_most)
    if isinstance(value, str) or not isinstance(value, Iterable):
        return checked_number(name, value, at_least=at_least, at_most=at_most)
    numbers = [
        checked_number(f"{name}[{i}]", number, at_least=at_least, at_most=at_most) for i, number in enumerate(value)
    ]
    if not numbers:
        raise ValueError(f"{name} must be one number or one number a class, got an empty list")
    return torch.tensor(numbers, dtype=torch.float64)


def _checked_tensor(name: str, value: Tensor, at_least: float, at_most: float) -> float | Tensor:
    if value.dim() == 2 and value.shape[1] == 1:
        value = value.flatten()
    if value.dim() > 1 or value.numel() == 0:
        raise ValueError(f"{name} must be one number or one number a class, got shape {tuple(value.shape)}")
    if values_at_hand(value):
        for number in value.flatten().tolist():
            checked_number(name, number, at_least=at_least, at_most=at_most)
        if value.dim() == 0 and not value.requires_grad:
            return float(value)
    return value


def checked_length(name: str, values: Tensor, num_classes: int) -> Tensor:
    """Return ``values`` (C,), or refuse another length by naming it and the number of classes."""
    if values.dim() == 1 and len(values) != num_classes:
        raise ValueError(f"{name} has {len(values)} numbers, but there are {num_classes} classes")
    return values


def checked_integer(name: str, value: object) -> int:
    """Return ``value`` if it is an integer, or refuse it by name."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    return value


def checked_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return ``value``, or refuse it by naming the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return value


def checked_reduction(reduction: Reduction) -> Reduction:
    """Return ``reduction``, or refuse it by naming the choices."""
    checked_choice("reduction", reduction, get_args(Reduction))
    return reduction


def values_at_hand(tensor: Tensor) -> bool:
    """Whether looking at the values costs nothing: no GPU to wait for, no graph being traced, no `torch.func`."""
    return (
        tensor.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def in_full_precision(logits: Tensor) -> Tensor:
    """The logits in float32 at least: half precision keeps too few digits to sum exponentials or losses in."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def as_given(loss: Tensor, logits: Tensor) -> Tensor:
    """The loss in the dtype of ``logits``, computed in float32 at least; under autocast in float32, like torch's."""
    if loss.dtype == logits.dtype or torch.is_autocast_enabled(logits.device.type):
        return loss
    return loss.to(logits.dtype)


def reduce(loss: Tensor, reduction: str, normaliser: Tensor) -> Tensor:
    """Reduce the losses, zero where ignored; a mean divides by ``normaliser``, and is 0 where that is 0.

    In training on several processes a mean divides by the *average* normaliser of the processes. DDP averages
    the gradients, so Σ_r loss_r / mean_r(normaliser) / R = Σ loss / Σ normaliser: the gradient of one process
    that sees the whole batch, however unevenly it was shared out. Every process must then call the loss.
    Without a gradient (evaluation) nothing is communicated, and the mean is that of this process.
    """
    if reduction == "none":
        return loss
    total = loss.sum()
    if reduction == "sum":
        return total
    if total.requires_grad and world_size() > 1:
        total, normaliser = total * world_size(), sum_over_ranks(normaliser)
    return total / (normaliser + (normaliser == 0))
