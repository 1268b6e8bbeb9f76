"""One weight a class, as numbers or by name from the training counts: the α or ``weight`` of a loss."""

from collections.abc import Sequence
from typing import cast, get_args

import torch
from torch import Tensor

from imbalance_lab.class_counts import Weighting, class_weights
from imbalance_lab.losses.checks import checked_length, checked_number, checked_numbers

Counts = Tensor | Sequence[int]
PerClass = float | Sequence[float] | Tensor
"""One number for all classes, or one for each."""


def checked_weights(name: str, value: object, class_counts: Counts | None = None) -> float | Tensor:
    """Return a number as a float and one weight a class as a tensor (C,), or refuse what is neither.

    A name ("inverse", "sqrt_inverse", "effective") is computed from ``class_counts`` with Σ w = C; where the
    counts are known, so is the length that any list must have.
    """
    if isinstance(value, str):
        if value not in get_args(Weighting):
            names = ", ".join(get_args(Weighting))
            raise ValueError(f"{name} must be a number, one number a class, or one of {names}, got {value!r}")
        if class_counts is None:
            raise ValueError(f"{name}={value!r} is computed from the training counts: give class_counts")
        return class_weights(class_counts, cast(Weighting, value))
    weights = checked_numbers(name, value, at_least=0)
    if not isinstance(weights, Tensor):
        return checked_number(f"{name} as one number", weights, at_least=0, at_most=1)
    return weights if class_counts is None else checked_length(name, weights, len(class_counts))


def listed_weights(weight: object, class_counts: Counts | None = None) -> Tensor:
    """One weight a class, (C,), from a list or, by name, from the counts; one number for all is refused."""
    weights = checked_weights("weight", weight, class_counts)
    if not isinstance(weights, Tensor) or weights.dim() == 0:
        raise TypeError(f"weight must be a list of one number a class, got {weight!r}")
    return weights.detach().clone().to(torch.get_default_dtype())


def normalized(prior: Tensor) -> Tensor | None:
    """``prior`` (C,) scaled to sum to 1; None where it leaves a class out, which no logit can stand for."""
    return prior / prior.sum() if bool((prior > 0).all()) else None


def spread(alpha: float | Tensor, background_class: int, logits: Tensor) -> Tensor:
    """α as one weight for each class of logits (N, C, …): one number a means a for the background, 1 − a elsewhere."""
    num_classes = logits.shape[1]
    dtype = torch.promote_types(logits.dtype, torch.float32)
    if isinstance(alpha, Tensor) and alpha.dim() == 1:
        return checked_length("alpha", alpha, num_classes).to(logits.device, dtype)
    ones = torch.ones(num_classes, dtype=dtype, device=logits.device)
    is_background = torch.arange(num_classes, device=logits.device) == background_class
    return torch.where(is_background, ones * alpha, ones * (1 - alpha))


def checked_background(background_class: int, num_classes: int) -> int:
    """Return the number of the background class, or refuse one that is no class."""
    if not 0 <= background_class < num_classes:
        raise ValueError(f"background_class={background_class} is none of the {num_classes} classes")
    return background_class
