"""What the losses share that are a cross-entropy on adjusted logits: their logits, class weights and mean."""

from collections.abc import Sequence
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.counts import Weighting, checked_counts, class_weights
from imbalance_lab.losses.checks import Reduction, reduce


def weighted_cross_entropy(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """−w_y log softmax(z)_y as torch's `cross_entropy` has it, but 0, not NaN, where all is ignored.

    Args:
        logits: z, (N, C), float32 or float64.
        target: class numbers (N,), or one distribution an example (N, C).
        weight: w, (C,); None weighs every class 1.
        ignore_index: a class number that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean": Σ loss / Σ w_y over the class numbers, / N over distributions.

    >>> weighted_cross_entropy(torch.zeros(2, 4), torch.tensor([3, -100]))
    tensor(1.3863)
    """
    weight = None if weight is None else weight.to(logits)
    loss = F.cross_entropy(logits, target, weight, ignore_index=ignore_index, reduction="none")
    if target.is_floating_point():
        return reduce(loss, reduction, loss.new_tensor(len(loss)))
    valid = target != ignore_index
    worth = valid if weight is None else weight[target.where(valid, 0)].masked_fill(~valid, 0)
    return reduce(loss, reduction, worth.sum())


def float_logits(logits: Tensor, num_classes: int) -> Tensor:
    """Return the logits in float32 at least, or refuse what is not (N, ``num_classes``)."""
    if logits.ndim != 2 or logits.shape[1] != num_classes:
        raise ValueError(f"logits must be (N, {num_classes}), one column a class, got {tuple(logits.shape)}")
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def checked_class_numbers(loss: str, target: Tensor) -> Tensor:
    """Return the target if it is class numbers (N,), or say that ``loss`` takes no mixed ones."""
    if target.ndim != 1 or target.is_floating_point():
        raise ValueError(f"{loss} needs class numbers (N,) as target, got {target.dtype} {tuple(target.shape)}")
    return target


def required_counts(loss: str, class_counts: Tensor | Sequence[int] | None) -> Tensor:
    """Return the counts as float64 (C,), or say that ``loss`` cannot do without them."""
    if class_counts is None:
        raise ValueError(f"{loss} is computed from the training counts: give class_counts")
    return checked_counts(class_counts)


def checked_weight(weight: Sequence[float] | Tensor | Weighting | None, counts: Tensor) -> Tensor:
    """The weight of each class, (C,): ones for None, from the ``counts`` for a name, else as given."""
    if weight is None:
        return torch.ones(len(counts))
    if isinstance(weight, str):
        if weight not in get_args(Weighting):
            names = ", ".join(get_args(Weighting))
            raise ValueError(f"weight must be a list of numbers or one of {names}, got {weight!r}")
        return class_weights(counts, weight).float()
    try:
        weights = torch.as_tensor(weight, dtype=torch.get_default_dtype())
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"weight must be a list of numbers, got {weight!r}") from None
    if weights.shape != counts.shape:
        raise ValueError(f"weight must have one number a class, ({len(counts)},), got shape {tuple(weights.shape)}")
    if not bool(torch.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(f"weight must be finite and ≥ 0, got {weights.tolist()}")
    return weights.clone()
