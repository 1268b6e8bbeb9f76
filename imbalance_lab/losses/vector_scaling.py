"""Vector-scaling loss (VS; Kini et al. 2021, arXiv 2103.01550).

    ℓ(z, y) = −ω_y log softmax(Δ z + ι)_y,        Δ_c = (n_c / n_max)^γ,        ι_c = τ log π_c

The additive ι works early in training, the multiplicative Δ late, where it moves the margins. Predict from z.
"""

from collections.abc import Sequence

from torch import Tensor

from imbalance_lab.class_counts import Weighting, class_priors
from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import MAX_TAU, cast_like, check_fixed
from imbalance_lab.losses.reduction import Reduction
from imbalance_lab.losses.weighted_cross_entropy import class_logits, weighted_cross_entropy
from imbalance_lab.losses.weights import Counts, class_weight_buffer, require_counts, store
from imbalance_lab.validation import check_number


def vector_scaling_loss(
    logits: Tensor,
    target: Tensor,
    delta: Tensor,
    iota: Tensor,
    *,
    weight: Tensor | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of Δ z + ι, scaled and shifted per class.

    Args:
        logits: z, (N, C), floating point; half precision is computed in float32.
        target: class indices (N,), or one distribution per example (N, C); at its minimum softmax(Δ z + ι) is the
            target.
        delta: Δ, (C,), > 0; below 1 for rare classes.
        iota: ι, (C,).
        weight: ω, (C,), or None for 1.
        label_smoothing: ε in [0, 1], the share of the target distributed over all classes.
        ignore_index: a class index that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (Σ loss / Σ ω_y over the targets that are not ignored; 0 when all
            are).

    Returns:
        a scalar, or for "none" (N,); in the dtype of ``logits`` (see `cast_like`).

    Properties: Δ = 1 is logit-adjusted cross-entropy; equal counts are cross-entropy. Unlike the other softmax
    losses it changes when a constant is added to all logits of an example, because Δ scales that constant
    class by class.

    >>> import torch
    >>> z, y = torch.tensor([[2.0, 2.0]]), torch.tensor([1])
    >>> vector_scaling_loss(z, y, delta=torch.tensor([1.0, 0.5]), iota=torch.zeros(2))
    tensor(1.3133)
    """
    adjusted = delta * class_logits(logits, len(delta)) + iota
    loss = weighted_cross_entropy(
        adjusted,
        target,
        weight,
        label_smoothing=check_number("label_smoothing", label_smoothing, minimum=0, maximum=1),
        ignore_index=ignore_index,
        reduction=reduction,
    )
    return cast_like(loss, logits)


class VectorScalingLoss(Loss):
    """`vector_scaling_loss` as a module; Δ, ι and ω are computed from the training counts and are buffers.

    To learn them, make them parameters: ``loss.delta = torch.nn.Parameter(loss.delta)``.

    Args:
        gamma: γ ≥ 0 of Δ; 0 leaves logit-adjusted cross-entropy. The authors' default is 0.3; with counts
            that differ by a factor of 100 or more, try 0.05 to 0.15 first.
        tau: τ ≥ 0 of ι.
        weight: ω, as None (ones), C numbers, or "inverse", "sqrt_inverse", "effective".
        class_counts: training examples of each class, (C,); required.

    The other arguments are `vector_scaling_loss`'s. Call it as ``loss(logits, target)``.

    Raises:
        TypeError, ValueError: for invalid arguments, missing counts, or a class without an example.

    >>> VectorScalingLoss(gamma=0.5, class_counts=[400, 100]).delta
    tensor([1.0000, 0.5000])
    """

    repr_names = ("gamma", "tau", "label_smoothing")

    is_mean_over_examples = True

    accepts_soft_targets = True

    delta: Tensor
    iota: Tensor
    weight: Tensor

    def __init__(
        self,
        gamma: float = 0.3,
        tau: float = 1.0,
        *,
        weight: Sequence[float] | Tensor | Weighting | None = None,
        class_counts: Counts | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        self.gamma = check_fixed("gamma", gamma, minimum=0, maximum=10)
        self.tau = check_fixed("tau", tau, minimum=0, maximum=MAX_TAU)
        counts = require_counts("VectorScalingLoss", class_counts)
        self.register_buffer("delta", ((counts / counts.max()) ** self.gamma).float())
        self.register_buffer("iota", (self.tau * class_priors(counts).log()).float())
        store(self, "weight", class_weight_buffer(weight, counts))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `vector_scaling_loss`."""
        return vector_scaling_loss(
            logits,
            target,
            self.delta,
            self.iota,
            weight=self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )
