"""Cross-entropy, plain, weighted by class, or smoothed: the baseline that every other loss is measured against."""

from collections.abc import Sequence
from typing import get_args

import torch
from torch import Tensor, nn

from imbalance_lab.counts import Weighting, class_weights
from imbalance_lab.losses.checks import checked_number


class CrossEntropyLoss(nn.CrossEntropyLoss):
    """`torch.nn.CrossEntropyLoss` whose class weights may be computed from the training counts.

    Args:
        weight: None, C weights, or "inverse", "sqrt_inverse", "effective": from ``class_counts``, with Σ w = C.
        class_counts: training examples of each class, (C,).
        label_smoothing: share of the target spread over all classes, in [0, 1].
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (weighted, as torch has it: Σ w_y · loss / Σ w_y).

    >>> CrossEntropyLoss("inverse", class_counts=[90, 10]).weight
    tensor([0.2000, 1.8000])
    """

    def __init__(
        self,
        weight: Sequence[float] | Tensor | Weighting | None = None,
        *,
        class_counts: Tensor | Sequence[int] | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(
            weight=_weights(weight, class_counts),
            ignore_index=ignore_index,
            label_smoothing=checked_number("label_smoothing", label_smoothing, at_least=0, at_most=1),
            reduction=reduction,
        )


def _weights(
    weight: Sequence[float] | Tensor | Weighting | None, class_counts: Tensor | Sequence[int] | None
) -> Tensor | None:
    if weight is None:
        return None
    if isinstance(weight, str):
        if weight not in get_args(Weighting):
            raise ValueError(
                f"weight must be a list of numbers or one of {', '.join(get_args(Weighting))}, got {weight!r}"
            )
        if class_counts is None:
            raise ValueError(f"weight={weight!r} is computed from the training counts: give class_counts")
        return class_weights(class_counts, weight).float()
    try:
        weights = torch.as_tensor(weight, dtype=torch.get_default_dtype()).flatten()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"weight must be a list of numbers, got {weight!r}") from None
    if not bool(torch.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(f"weight must be finite and ≥ 0, got {weights.tolist()}")
    if class_counts is not None and len(weights) != len(class_counts):
        raise ValueError(f"weight has {len(weights)} numbers, but there are {len(class_counts)} classes")
    return weights
