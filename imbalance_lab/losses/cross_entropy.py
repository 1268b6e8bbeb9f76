"""Cross-entropy, plain, weighted by class, or smoothed: the baseline that every other loss is measured against."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbalance_lab.class_counts import Weighting
from imbalance_lab.losses.checks import (
    Reduction,
    as_given,
    checked_integer,
    checked_number,
    checked_reduction,
    in_full_precision,
)
from imbalance_lab.losses.weighted_cross_entropy import weighted_cross_entropy
from imbalance_lab.losses.weights import Counts, listed_weights, normalized


class CrossEntropyLoss(nn.CrossEntropyLoss):
    """`torch.nn.CrossEntropyLoss` whose class weights may be computed from the training counts.

    It differs from torch's in four points: half precision is computed in float32, the mean over nothing is 0, in
    training on several processes the mean is that of the whole batch (see `reduce`), and weights beside smoothing
    or distributions weigh the example, w̄ Σ_c s_c (−log p_c) with w̄ = w_y (or Σ_c t_c w_c) and s the smoothed target,
    so that p = s stays the best prediction (see `weighted_cross_entropy`).

    Args:
        weight: None, C weights, or "inverse", "sqrt_inverse", "effective": from ``class_counts``, with Σ w = C.
        class_counts: training examples of each class, (C,).
        label_smoothing: share of the target spread over all classes, in [0, 1].
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (as torch has it: Σ loss / Σ w_y, over distributions / N).

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
            weight=None if weight is None else listed_weights(weight, class_counts),
            ignore_index=checked_integer("ignore_index", ignore_index),
            label_smoothing=checked_number("label_smoothing", label_smoothing, at_least=0, at_most=1),
            reduction=checked_reduction(reduction),
        )

    def implied_prior(self, sampler_prior: Tensor) -> Tensor | None:
        """∝ sampler_prior × weight; None if a class weighs nothing."""
        weight = torch.ones_like(sampler_prior) if self.weight is None else self.weight.to(sampler_prior)
        return normalized(sampler_prior * weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (N, C, …) for class numbers (N, …) or probabilities (N, C, …)."""
        loss = weighted_cross_entropy(
            in_full_precision(input),
            target,
            self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,  # type: ignore[arg-type]  # torch declares it a mere string
        )
        return as_given(loss, input)
