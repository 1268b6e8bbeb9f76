"""One weight per class, as numbers or by name from the training counts: the α or ``weight`` of a loss."""

from collections.abc import Sequence
from typing import cast, get_args

import torch
from torch import Tensor, nn

from imbalance_lab.class_counts import Weighting, class_weights, validate_counts
from imbalance_lab.losses.checks import check_length, check_numbers, check_scalar, is_learned

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
    if not isinstance(weights, Tensor) or weights.dim() == 0:
        return check_scalar(f"{name} as one number", weights, minimum=0, maximum=1)
    return weights if class_counts is None else check_length(name, weights, len(class_counts))


def check_weight_list(weight: object, class_counts: Counts | None = None) -> Tensor:
    """Return one weight per class, (C,), from a list or, by name, from the counts; a single number is a TypeError."""
    weights = check_weights("weight", weight, class_counts)
    if not isinstance(weights, Tensor) or weights.dim() == 0:
        raise TypeError(f"weight must be a list of one number per class, got {weight!r}")
    return owned(weights)


def class_weight_buffer(weight: object, counts: Tensor) -> Tensor:
    """Return the weight of each class, (C,): ones for None, from the ``counts`` for a name, else as given."""
    return torch.ones(len(counts)) if weight is None else check_weight_list(weight, counts)


def check_pos_weight(
    value: object, class_counts: Counts | None = None, num_examples: int | None = None
) -> float | Tensor | None:
    """Return the weight of present labels: None, one number, or one per label, (C,).

    A name is computed from the training counts: "inverse" is (N − n_c) / n_c, with which the present and the absent
    labels of a class weigh the same in sum, and "sqrt_inverse" its square root.

    Args:
        value: None, one number ≥ 0, C of them, or a name.
        class_counts: n, the training examples that have each label, (C,).
        num_examples: N; labels do not add up to it.

    Raises:
        TypeError, ValueError: for anything else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if value not in ("inverse", "sqrt_inverse"):
            raise ValueError(
                f"pos_weight must be a number, one number per label, inverse or sqrt_inverse, got {value!r}"
            )
        if class_counts is None or num_examples is None:
            raise ValueError(
                f"pos_weight={value!r} is computed from the training counts: give class_counts and num_examples"
            )
        counts = validate_counts(class_counts)
        odds = ((num_examples - counts) / counts).clamp(min=0)
        return owned(odds.sqrt() if value == "sqrt_inverse" else odds)
    weights = check_numbers("pos_weight", value, minimum=0)
    if not isinstance(weights, Tensor):
        return weights
    if class_counts is not None:
        check_length("pos_weight", weights, len(class_counts))
    return owned(weights)


def weigh_labels(loss: Tensor, y: Tensor, pos_weight: float | Tensor | None) -> Tensor:
    """Weigh each label by w y + 1 − y: a present one by w, an absent one by 1, a soft one as a whole.

    As with `example_weights`, one weight for both terms of a label leaves its minimum where it is. Torch's
    ``pos_weight`` weighs the term of y alone, which is the same for labels of 0 and 1, but pulls the minimum of a soft
    label to w y / (w y + 1 − y).

    Args:
        loss: of each label, (N, C, …).
        y: labels in [0, 1], boolean or floating point, like ``loss``.
        pos_weight: w, one number, or one per label, (C,); None leaves the loss as it is.
    """
    if pos_weight is None:
        return loss
    if isinstance(pos_weight, Tensor) and pos_weight.dim() == 1:
        if loss.dim() < 2:
            raise ValueError(f"pos_weight of {len(pos_weight)} labels needs logits (N, C), got {tuple(loss.shape)}")
        check_length("pos_weight", pos_weight, loss.shape[1])
        pos_weight = pos_weight.to(loss).view(-1, *[1] * (loss.dim() - 2))
    return loss * (1 + (pos_weight - 1) * y.to(loss.dtype))


def owned(values: Tensor) -> Tensor:
    """Return a copy in the default dtype, which later changes of ``values`` do not reach; what is learned as it is."""
    return values if is_learned(values) else values.detach().clone().to(torch.get_default_dtype())


def store(module: nn.Module, name: str, value: float | Tensor | None) -> None:
    """Set an attribute: a parameter as a parameter of the module, another tensor as a buffer, a number as it is."""
    if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
        module.register_buffer(name, value)
    else:
        setattr(module, name, value)


def expand_gamma(gamma: float | Tensor, logits: Tensor) -> float | Tensor:
    """Return γ as one number, or as one per class of the logits (N, C, …), (C,), in at least float32."""
    if not isinstance(gamma, Tensor):
        return gamma
    num_classes, dtype = logits.shape[1], torch.promote_types(logits.dtype, torch.float32)
    return check_length("gamma", gamma, num_classes).to(logits.device, dtype).expand(num_classes)


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
