"""Poly-1 (Leng et al. 2022, arXiv 2204.12511): cross-entropy with its leading polynomial term re-weighed.

    ℓ(z, y) = −log p_y + ε (1 − p_y),        p = softmax(z)

−log p_y is Σ_j (1 − p_y)^j / j; ε changes the coefficient of j = 1, which leads where the prediction is
already good.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.losses.checks import (
    Reduction,
    as_given,
    checked_integer,
    checked_number,
    checked_reduction,
    in_full_precision,
    reduce,
)
from imbalance_lab.losses.targets import fitted, number_kept
from imbalance_lab.losses.weights import Counts, normalized


def poly_loss(
    logits: Tensor,
    target: Tensor,
    *,
    epsilon: float = 1.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """−log p_y + ε (1 − p_y).

    Args:
        logits: z, (N, C), floating point; half types are computed in float32.
        target: class numbers (N,), or one distribution an example (N, C): then p_y is Σ_c y_c p_c.
        epsilon: ε ≥ −1, below which a better prediction could cost more; 0 is cross-entropy.
        ignore_index: a class number that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (over the targets that are not ignored; 0 when all are).

    Returns:
        a scalar, or for "none" (N,); in the dtype of ``logits`` (see `as_given`).

    Laws: ε = 0 is cross-entropy; adding a constant to all logits of an example changes nothing; a one-hot
    distribution costs what its class number costs.

    >>> poly_loss(torch.zeros(1, 4), torch.tensor([3]))  # log 4 + 3/4
    tensor(2.1363)
    """
    z, target, ignored = fitted(in_full_precision(logits), target, ignore_index=ignore_index)
    loss = F.cross_entropy(z, target, ignore_index=ignore_index, reduction="none")
    mixed = target.is_floating_point()
    # The loss of a class number tells 1 − p_y without cancellation or a second softmax, and as 0 where ignored.
    miss = (target * (1 - z.softmax(1))).sum(1) if mixed else -torch.expm1(-loss)
    return as_given(reduce(loss + epsilon * miss, reduction, number_kept(loss, ignored)), logits)


class PolyLoss(nn.Module):
    """`poly_loss` as a module. Call it as ``loss(logits, target)``.

    Args:
        epsilon: ε ≥ −1.
        class_counts: taken as every loss takes it; poly-1 has no use for it.

    The other arguments are `poly_loss`'s.

    Raises:
        TypeError, ValueError: for arguments that make no sense.

    >>> PolyLoss(epsilon=2)
    PolyLoss(epsilon=2.0, ignore_index=-100, reduction='mean')
    """

    def __init__(
        self,
        epsilon: float = 1.0,
        *,
        class_counts: Counts | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.epsilon = checked_number("epsilon", epsilon, at_least=-1)
        self.ignore_index = checked_integer("ignore_index", ignore_index)
        self.reduction = checked_reduction(reduction)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `poly_loss`."""
        return poly_loss(logits, target, epsilon=self.epsilon, ignore_index=self.ignore_index, reduction=self.reduction)

    def implied_prior(self, sampler_prior: Tensor) -> Tensor | None:
        """The sampler's, which the loss only approaches."""
        return normalized(sampler_prior)

    def extra_repr(self) -> str:
        """The knobs, for ``print(loss)``."""
        return f"epsilon={self.epsilon}, ignore_index={self.ignore_index}, reduction={self.reduction!r}"
