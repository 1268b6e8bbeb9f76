"""Label-distribution-aware margins (LDAM; Cao et al. 2019, arXiv 1906.07413, sec. 3.2).

    ℓ(z, y) = −w_y log softmax(z − s m)_y with m = m_y at y, else 0,        m_c ∝ n_c^{−1/4}

The logits are z = s · cosine (`imbalance_lab.backbones.CosineHead`), so s, not the network, sets how sharp the softmax
is, and margins are cosines. The paper multiplies by s inside the loss; here the head does, so that softmax(z)
are the probabilities everywhere. It switches w from 1 to class-balanced weights late in training (DRW).
"""

from collections.abc import Sequence

from torch import Tensor

from imbalance_lab.class_counts import Weighting, validate_counts
from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import cast_like, check_fixed, check_scalar
from imbalance_lab.losses.reduction import Reduction
from imbalance_lab.losses.targets import is_class
from imbalance_lab.losses.weighted_cross_entropy import class_logits, require_class_indices, weighted_cross_entropy
from imbalance_lab.losses.weights import Counts, class_weight_buffer, require_counts, store


def ldam_margins(counts: Counts, max_margin: float = 0.5) -> Tensor:
    """m_c = K n_c^{−1/4}, with K such that the rarest class has ``max_margin``; float64 (C,).

    >>> ldam_margins([1600, 100])
    tensor([0.2500, 0.5000], dtype=torch.float64)
    """
    counts = validate_counts(counts)
    return max_margin * (counts.min() / counts) ** 0.25


def ldam_loss(
    logits: Tensor,
    target: Tensor,
    margins: Tensor,
    *,
    scale: float | Tensor = 30.0,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of z − s m_y at y: a rare class must win by a larger margin.

    Args:
        logits: z, (N, C), ``scale`` times cosines; half precision is computed in float32.
        target: class indices (N,). A soft target has no single margin and is refused.
        margins: m, (C,), see `ldam_margins`.
        scale: s > 0, by which the head multiplies cosines.
        weight: w, (C,), or None for 1.
        ignore_index: a class index that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (Σ loss / Σ w_y over the targets that are not ignored; 0 when all
            are).

    Returns:
        a scalar, or for "none" (N,); in the dtype of ``logits`` (see `cast_like`).

    Properties: m = 0 is cross-entropy; adding a constant to all logits of an example changes nothing; a
    rarer target never costs less.
    """
    z = class_logits(logits, len(margins))
    target = require_class_indices("LDAM", target, len(margins), ignore_index)
    adjusted = z - scale * margins.to(z) * is_class(target, z)
    loss = weighted_cross_entropy(adjusted, target, weight, ignore_index=ignore_index, reduction=reduction)
    return cast_like(loss, logits)


class LDAMLoss(Loss):
    """`ldam_loss` as a module; margins and weights are buffers.

    Args:
        max_margin: the margin of the rarest class, ≥ 0.
        scale: s > 0, by which the head multiplies cosines.
        weight: None, C numbers, or "inverse", "sqrt_inverse", "effective": from ``class_counts``. The buffer
            ``weight`` is always (C,), ones for None, so that deferred re-weighting can fill it later.
        class_counts: training examples of each class, (C,); required.

    The other arguments are `ldam_loss`'s. Call it as ``loss(logits, target)``.

    Raises:
        TypeError, ValueError: for invalid arguments, missing counts, or a class without an example.

    >>> import torch
    >>> loss = LDAMLoss(class_counts=[1600, 100])
    >>> loss(30 * torch.tensor([[0.9, 0.1]]), torch.tensor([0]))  # 30 (0.9 − 0.25 − 0.1) = 16.5 ahead
    tensor(1.1921e-07)
    """

    repr_names = ("max_margin", "scale")

    is_mean_over_examples = True

    scale: float | Tensor
    margins: Tensor
    weight: Tensor

    def __init__(
        self,
        max_margin: float = 0.5,
        scale: float | Tensor = 30.0,
        *,
        weight: Sequence[float] | Tensor | Weighting | None = None,
        class_counts: Counts | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.max_margin = check_fixed("max_margin", max_margin, minimum=0, maximum=2)
        store(self, "scale", check_scalar("scale", scale, above=0, maximum=10_000))
        counts = require_counts("LDAMLoss", class_counts)
        self.register_buffer("margins", ldam_margins(counts, self.max_margin).float())
        store(self, "weight", class_weight_buffer(weight, counts))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `ldam_loss`."""
        return ldam_loss(
            logits,
            target,
            self.margins,
            scale=self.scale,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )
