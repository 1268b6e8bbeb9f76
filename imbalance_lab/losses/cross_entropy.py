"""Cross-entropy, plain, weighted by class, or smoothed: the baseline that every other loss is measured against."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.counts import Weighting
from imbalance_lab.losses.checks import (
    Reduction,
    as_given,
    checked_integer,
    checked_number,
    checked_reduction,
    in_full_precision,
    reduce,
)
from imbalance_lab.losses.targets import fitted, number_kept, without
from imbalance_lab.losses.weights import Counts, checked_weights


class CrossEntropyLoss(nn.CrossEntropyLoss):
    """`torch.nn.CrossEntropyLoss` whose class weights may be computed from the training counts.

    It differs from torch's in three points: half precision is computed in float32, the mean over nothing is
    0, and in training on several processes the mean is that of the whole batch (see `reduce`).

    Args:
        weight: None, C weights, or "inverse", "sqrt_inverse", "effective": from ``class_counts``, with Σ w =
        C. class_counts: training examples of each class, (C,).
        label_smoothing: share of the target spread over all classes, in [0, 1].
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (weighted, as torch has it: Σ w_y · loss / Σ w_y).

    Raises:
        TypeError, ValueError: for arguments that make no sense, when the loss is built.

    >>> CrossEntropyLoss("inverse", class_counts=[90, 10]).weight
    tensor([0.2000, 1.8000])
    """

    def __init__(
        self,
        weight: Sequence[float] | Tensor | Weighting | None = None,
        *,
        class_counts: Counts | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(
            weight=_class_weights(weight, class_counts),
            ignore_index=checked_integer("ignore_index", ignore_index),
            label_smoothing=checked_number("label_smoothing", label_smoothing, at_least=0, at_most=1),
            reduction=checked_reduction(reduction),
        )

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (N, C, …) for class numbers (N, …) or probabilities (N, C, …)."""
        z, target, ignored = fitted(input, target, ignore_index=self.ignore_index)
        soft = target.is_floating_point()
        weight = None if self.weight is None else self.weight.to(torch.promote_types(z.dtype, torch.float32))
        loss = F.cross_entropy(
            in_full_precision(z),
            target,
            weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction="none" if self.reduction == "none" else "sum",
        )
        if soft or weight is None:
            normaliser = number_kept(target[:, 0] if soft else target, ignored)
        else:
            normaliser = without(weight[without(target, ignored)], ignored).sum()
        return as_given(reduce(loss, self.reduction, normaliser), input)


def _class_weights(weight: object, class_counts: Counts | None) -> Tensor | None:
    if weight is None:
        return None
    weights = checked_weights("weight", weight, class_counts)
    if not isinstance(weights, Tensor) or weights.dim() == 0:
        raise TypeError(f"weight must be a list of one number a class, got {weight!r}")
    return weights.detach().clone().to(torch.get_default_dtype())
