"""Poly-1 (Leng et al. 2022, arXiv 2204.12511): cross-entropy with its leading polynomial term re-weighted.

    ℓ(z, y) = −log p_y + ε (1 − p_y),        p = softmax(z)

−log p_y is Σ_j (1 − p_y)^j / j; ε changes the coefficient of j = 1, which dominates where the prediction is
already good.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import cast_like, check_scalar, in_full_precision
from imbalance_lab.losses.reduction import Reduction, reduce
from imbalance_lab.losses.targets import count_valid, validate_shapes
from imbalance_lab.losses.weights import store


def poly_loss(
    logits: Tensor,
    target: Tensor,
    *,
    epsilon: float | Tensor = 1.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """−log p_y + ε (1 − p_y).

    Args:
        logits: z, (N, C), floating point; half precision is computed in float32.
        target: class indices (N,), or one distribution y per example (N, C): then p_y is Σ_c y_c p_c, which makes it
            the mean of the losses of the classes. At its minimum y_c ∝ p_c / (1 + ε p_c): p is sharper than y.
        epsilon: ε ≥ −1 (below that, a better prediction could cost more); 0 is cross-entropy. A tensor ()
            that requires a gradient gets one, and so does a distribution.
        ignore_index: a class index that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (over the targets that are not ignored; 0 when all are).

    Returns:
        a scalar, or for "none" (N,); in the dtype of ``logits`` (see `cast_like`).

    Properties: ε = 0 is cross-entropy; adding a constant to all logits of an example changes nothing; a one-hot
    distribution costs what its class index costs.

    >>> poly_loss(torch.zeros(1, 4), torch.tensor([3]))  # log 4 + 3/4
    tensor(2.1363)
    """
    z, target, ignored = validate_shapes(in_full_precision(logits), target, ignore_index=ignore_index)
    loss = F.cross_entropy(z, target, ignore_index=ignore_index, reduction="none")
    soft = target.is_floating_point()
    # From the loss of a class index follows 1 − p_y without cancellation or a second softmax, and 0 where ignored.
    miss = (target * (1 - z.softmax(1))).sum(1) if soft else -torch.expm1(-loss)
    return cast_like(reduce(loss + epsilon * miss, reduction, count_valid(loss, ignored)), logits)


class PolyLoss(Loss):
    """`poly_loss` as a module. Call it as ``loss(logits, target)``.

    Args:
        epsilon: ε ≥ −1. A `torch.nn.Parameter` becomes the module's, and is trained; keep it ≥ −1, for nothing else
            does.

    The other arguments are `poly_loss`'s.

    Raises:
        TypeError, ValueError: for invalid arguments.

    >>> PolyLoss(epsilon=2)
    PolyLoss(epsilon=2.0, ignore_index=-100, reduction='mean')
    """

    repr_names = ("epsilon",)

    is_mean_over_examples = True

    accepts_soft_targets = True

    epsilon: float | Tensor

    def __init__(
        self,
        epsilon: float | Tensor = 1.0,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        store(self, "epsilon", check_scalar("epsilon", epsilon, minimum=-1, maximum=1000))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `poly_loss`."""
        return poly_loss(logits, target, epsilon=self.epsilon, ignore_index=self.ignore_index, reduction=self.reduction)

    def implied_prior(self, sampler_prior: Tensor) -> Tensor:
        """Return ``sampler_prior``, (C,): poly-1 weighs every class alike. An approximation unless ε = 0."""
        return sampler_prior
