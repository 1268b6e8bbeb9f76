"""The weighted cross-entropy that several losses compute on adjusted logits, and the checks of their input."""

import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses.checks import in_full_precision, needs_plain_operations
from imbalance_lab.losses.reduction import Reduction, reduce
from imbalance_lab.losses.targets import (
    count_valid,
    example_weights,
    one_hot,
    validate_class_indices,
    validate_shapes,
    zero_ignored,
)


def weighted_cross_entropy(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """−w_y log softmax(z)_y as in torch's `cross_entropy`, but 0, not NaN, where all is ignored.

    Weights beside smoothing or distributions weigh the *example* (torch weighs each class's term): with t the target
    as a distribution, the loss is w̄ Σ_c s_c (−log p_c), w̄ = Σ_c t_c w_c, s = (1 − ε) t + ε / C. So its minimum
    is at p = s, whatever the weights.

    Args:
        logits: z, (N, C, …), float32 or float64.
        target: class indices (N, …), or one distribution per example (N, C, …).
        weight: w, (C,); None weighs every class 1.
        label_smoothing: ε, the share of the target distributed over all classes.
        ignore_index: a class index that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean": Σ loss / Σ w_y, or / Σ w̄ over distributions (torch has / N), so that
            class indices and the same as distributions cost the same.

    >>> import torch
    >>> weighted_cross_entropy(torch.zeros(2, 4), torch.tensor([3, -100]))
    tensor(1.3863)
    """
    logits, target, ignored = validate_shapes(logits, target, ignore_index=ignore_index)
    soft = target.is_floating_point()
    weight = None if weight is None else weight.to(logits)
    target = target.to(logits) if soft else target
    loss = cross_entropies(
        logits,
        target,
        ignored,
        weight,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        summed=reduction != "none",
    )
    if weight is None:
        return reduce(loss, reduction, count_valid(target[:, 0] if soft else target, ignored))
    each = example_weights(zero_ignored(target, ignored), weight)
    return reduce(loss, reduction, zero_ignored(each, ignored).sum())


def cross_entropies(
    logits: Tensor,
    target: Tensor,
    ignored: Tensor | None,
    weight: Tensor | None,
    *,
    label_smoothing: float,
    ignore_index: int,
    summed: bool,
) -> Tensor:
    """Compute the losses of validated shapes, (N, …), 0 where ignored; or their sum.

    Where torch has the same formula they equal torch's to the last bit, and with ``summed`` torch sums them.
    The arguments are those of `weighted_cross_entropy`, after `validate_shapes`.
    """
    scale = None
    # Torch's weights of class indices get no gradient.
    if weight is not None and (target.is_floating_point() or label_smoothing > 0 or needs_plain_operations(weight)):
        scale, weight = example_weights(zero_ignored(target, ignored), weight), None
    if label_smoothing > 0 and not target.is_floating_point() and needs_plain_operations():
        # Torch smooths class indices in place, which `torch.func.vmap` over them alone does not allow.
        smoothed = (1 - label_smoothing) * one_hot(target, logits) + label_smoothing / logits.shape[1]
        target = zero_ignored(smoothed, None if ignored is None else ignored.unsqueeze(1))
        label_smoothing = 0.0
    loss = F.cross_entropy(
        logits,
        target,
        weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        reduction="sum" if summed and scale is None else "none",
    )
    return loss if scale is None else loss * scale


def class_logits(logits: Tensor, num_classes: int) -> Tensor:
    """Return the logits in at least float32, or raise a ValueError if they are not (N, ``num_classes``)."""
    if logits.dim() != 2 or logits.shape[1] != num_classes:
        raise ValueError(f"logits must be (N, {num_classes}), one column per class, got {tuple(logits.shape)}")
    return in_full_precision(logits)


def require_class_indices(loss: str, target: Tensor, num_classes: int, ignore_index: int) -> Tensor:
    """Return the target as int64, or raise an error if it is not class indices (N,), which ``loss`` needs."""
    if target.dim() != 1 or target.is_floating_point():
        raise ValueError(f"{loss} needs class indices (N,) as target, got {target.dtype} {tuple(target.shape)}")
    indices, _ = validate_class_indices(target, num_classes, ignore_index)
    return indices
