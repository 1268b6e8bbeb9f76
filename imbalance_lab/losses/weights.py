"""One weight per class, as numbers or by name from the training counts: the α or ``weight`` of a loss."""

from collections.abc import Sequence
from typing import cast, get_args

import torch
from torch import Tensor

from imbalance_lab.class_counts import Weighting, class_weights, validate_counts
from imbalance_lab.losses.checks import check_length, check_numbers
from imbalance_lab.validation import check_number

Counts = Tensor | Sequence[int]
PerClass = float | Sequence[float] | Tensor
"""One number for all classes, or one number per class."""


def require_counts(loss: str, class_counts: Counts | None) -> Tensor:
    """Return the counts as float64 (C,), or raise a ValueError if there are none."""
    if class_counts is None:
        raise ValueError(f"{loss} is computed from the training counts: give class_counts")
    return validate_counts(class_counts)


def check_weights(name: str, value: object, class_counts: Counts | None = None) -> float | Tensor:
    """Return one number as a float and one weight per class as a tensor (C,).

    A name ("inverse", "sqrt_inverse", "effective") is computed from ``class_counts``, with Σ w = C; if the counts are
    given, a list must have their length.

    Raises:
        TypeError, ValueError: for anything else.
    """
    if isinstance(value, str):
        if value not in get_args(Weighting):
            names = ", ".join(get_args(Weighting))
            raise ValueError(f"{name} must be a number, one number per class, or one of {names}, got {value!r}")
        if class_counts is None:
            raise ValueError(f"{name}={value!r} is computed from the training counts: give class_counts")
        return class_weights(class_counts, cast(Weighting, value))
    weights = check_numbers(name, value, minimum=0)
    if not isinstance(weights, Tensor):
        return check_number(f"{name} as one number", weights, minimum=0, maximum=1)
    return weights if class_counts is None else check_length(name, weights, len(class_counts))


def check_weight_list(weight: object, class_counts: Counts | None = None) -> Tensor:
    """Return one weight per class, (C,), from a list or, by name, from the counts; a single number is a TypeError."""
    weights = check_weights("weight", weight, class_counts)
    if not isinstance(weights, Tensor) or weights.dim() == 0:
        raise TypeError(f"weight must be a list of one number per class, got {weight!r}")
    return weights.detach().clone().to(torch.get_default_dtype())


def class_weight_buffer(weight: object, counts: Tensor) -> Tensor:
    """Return the weight of each class, (C,): ones for None, from the ``counts`` for a name, else as given."""
    return torch.ones(len(counts)) if weight is None else check_weight_list(weight, counts)


def expand_alpha(alpha: float | Tensor, background_class: int, logits: Tensor) -> Tensor:
    """Return α as one weight per class of the logits (N, C, …), (C,), in at least float32.

    One number a means a for the background class and 1 − a for all others.
    """
    num_classes = logits.shape[1]
    dtype = torch.promote_types(logits.dtype, torch.float32)
    if isinstance(alpha, Tensor) and alpha.dim() == 1:
        return check_length("alpha", alpha, num_classes).to(logits.device, dtype)
    ones = torch.ones(num_classes, dtype=dtype, device=logits.device)
    is_background = torch.arange(num_classes, device=logits.device) == background_class
    return torch.where(is_background, ones * alpha, ones * (1 - alpha))


def check_background_class(background_class: int, num_classes: int) -> int:
    """Return the index of the background class, or raise a ValueError if there is no such class."""
    if not 0 <= background_class < num_classes:
        raise ValueError(f"background_class={background_class} is none of the {num_classes} classes")
    return background_class
