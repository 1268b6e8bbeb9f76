"""Checks of arguments that only losses take, and the precision in which a loss is computed."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from imbalance_lab.validation import check_number

MAX_GAMMA = 100
"""The largest focusing exponent: (1 − p)^γ at p = ½ is then 8e-31, and soon smaller than any float32."""

MAX_TAU = 100
"""The largest factor of log priors: their differences, about 10, then leave float32 four digits for the logits."""


def check_scalar(name: str, value: object, **bounds: float) -> float | Tensor:
    """Return one number as a float; as a tensor () if it is learned, or cannot be read (see `can_read_values`).

    Args:
        name: the argument, for the error.
        value: a number, or a tensor of one element.
        bounds: those of `check_number`.

    Raises:
        TypeError: if it is not one number.
        ValueError: if it is not finite or out of bounds.
    """
    if not isinstance(value, Tensor):
        return check_number(name, value, **bounds)
    if value.numel() != 1:
        raise TypeError(f"{name} must be one number, got a tensor of shape {tuple(value.shape)}")
    if can_read_values(value):
        number = check_number(name, value.detach().item(), **bounds)
        if not is_learned(value):
            return number
    return value if value.dim() == 0 or isinstance(value, nn.Parameter) else value.reshape(())


def check_fixed(name: str, value: object, **bounds: float) -> float:
    """Return a number that cannot be learned, as a float.

    Raises:
        TypeError, ValueError: as `check_scalar`, and for a tensor that is learned.
    """
    number = check_scalar(name, value, **bounds)
    if isinstance(number, Tensor):
        raise TypeError(f"{name} must be a number, got a tensor: no gradient flows to it, so give float({name})")
    return number


def check_numbers(
    name: str, value: object, *, minimum: float | None = None, maximum: float | None = None
) -> float | Tensor:
    """Return one number as a float and one number per class as a tensor (C,).

    A column (C, 1), as older code has it, counts as (C,). The values of a tensor are read only where that costs
    nothing (see `can_read_values`).

    Raises:
        TypeError: if it is neither a number nor numbers.
        ValueError: if there are none, or one is out of bounds or not finite.
    """
    if isinstance(value, Tensor):
        return _check_tensor(name, value, minimum, maximum)
    if isinstance(value, str) or not isinstance(value, Iterable):
        return check_number(name, value, minimum=minimum, maximum=maximum)
    numbers = [check_number(f"{name}[{i}]", each, minimum=minimum, maximum=maximum) for i, each in enumerate(value)]
    if not numbers:
        raise ValueError(f"{name} must be one number or one number per class, got an empty list")
    return torch.tensor(numbers, dtype=torch.float64)


def _check_tensor(name: str, value: Tensor, minimum: float | None, maximum: float | None) -> float | Tensor:
    if value.dim() == 2 and value.shape[1] == 1 and not isinstance(value, nn.Parameter):  # a view is no parameter
        value = value.flatten()
    if value.dim() > 1 or value.numel() == 0:
        raise ValueError(f"{name} must be one number or one number per class, got shape {tuple(value.shape)}")
    if can_read_values(value):
        for number in value.detach().flatten().tolist():
            check_number(name, number, minimum=minimum, maximum=maximum)
        if value.dim() == 0 and not is_learned(value):
            return float(value)
    return value


def check_length(name: str, values: Tensor, num_classes: int) -> Tensor:
    """Return ``values`` (C,), or raise a ValueError that names their length and the number of classes."""
    if values.dim() == 1 and len(values) != num_classes:
        raise ValueError(f"{name} has {len(values)} numbers, but there are {num_classes} classes")
    return values


def can_read_values(tensor: Tensor) -> bool:
    """Whether reading the values costs nothing: no GPU to wait for, no graph being traced, no `torch.func`."""
    return (
        tensor.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def is_learned(value: object) -> bool:
    """Whether it is a parameter, or a tensor of which a derivative is recorded, backward or forward."""
    if not isinstance(value, Tensor):
        return False
    return isinstance(value, nn.Parameter) or value.requires_grad or _has_tangent(value)


def needs_plain_operations(*others: object) -> bool:
    """Whether something must see inside a fused loss: `torch.func`, forward-mode AD, or a gradient of an argument.

    Args:
        others: the arguments besides the logits, whose gradient the fused losses write themselves.
    """
    return (
        torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or any(isinstance(value, Tensor) and value.requires_grad for value in others)
    )


def is_batched(gradient: Tensor) -> bool:
    """Whether it is several gradients in one, from `torch.func.vmap` or ``is_grads_batched`` of `torch.autograd.grad`.

    They allow no writing into tensors that are not batched themselves.
    """
    if torch.compiler.is_compiling():
        return False
    functorch = torch._C._functorch
    return functorch.is_functorch_wrapped_tensor(gradient) or functorch.is_legacy_batchedtensor(gradient)


def _has_tangent(value: Tensor) -> bool:
    if forward_ad._current_level < 0:
        return False
    return forward_ad.unpack_dual(value).tangent is not None  # type: ignore[no-untyped-call]


def in_full_precision(logits: Tensor) -> Tensor:
    """Return the logits in at least float32: half precision has too few digits to sum exponentials or losses."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def cast_like(loss: Tensor, logits: Tensor) -> Tensor:
    """Return the loss, computed in at least float32, in the dtype of ``logits``; under autocast as it is, like torch.

    Args:
        loss: a scalar or one loss per target.
        logits: whose dtype to take.
    """
    if loss.dtype == logits.dtype or torch.is_autocast_enabled(logits.device.type):
        return loss
    return loss.to(logits.dtype)
