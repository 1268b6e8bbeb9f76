"""Which targets fit which logits, and what losses need to know about a target."""

import torch
from torch import Tensor

from imbalance_lab.losses.checks import can_read_values, in_full_precision, is_learned


def validate_shapes(
    logits: Tensor, target: Tensor, *, class_dim: int = 1, ignore_index: int = -100
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Bring logits and target to one layout, classes second.

    Args:
        logits: floating point, the classes along ``class_dim``.
        target: class indices, the shape of ``logits`` without ``class_dim`` or with a 1 in its place, or
            floating point class probabilities in the shape of ``logits``.
        ignore_index: a class index to leave out.

    Returns:
        logits (N, C, …); class indices (N, …), int64, or probabilities (N, C, …), at least float32; and a mask of
        the ignored targets, (N, …), or None if there are none.

    Raises:
        TypeError, ValueError: naming the shapes or the class index that does not fit.
    """
    if not logits.is_floating_point() or logits.dim() < 2:
        raise ValueError(f"logits must be floating point (N, C, …), got {logits.dtype} {tuple(logits.shape)}")
    if not -logits.dim() <= class_dim < logits.dim():
        raise ValueError(f"logits of shape {tuple(logits.shape)} have no dimension class_dim={class_dim}")
    moved = logits if class_dim == 1 else logits.movedim(class_dim, 1)
    if target.is_floating_point() and target.shape == logits.shape:
        soft = target.movedim(class_dim, 1).to(torch.promote_types(logits.dtype, torch.float32))
        return moved, soft, None
    if target.dim() == logits.dim() and target.shape[class_dim] == 1:
        target = target.squeeze(class_dim)
    if target.shape != moved.shape[:1] + moved.shape[2:]:
        raise ValueError(
            f"target of shape {tuple(target.shape)} does not fit logits of shape {tuple(logits.shape)} "
            f"with the classes along class_dim={class_dim}: give class indices without that dimension, "
            "or class probabilities, floating point, in the shape of the logits"
        )
    return moved, *validate_class_indices(target, moved.shape[1], ignore_index)


def validate_class_indices(target: Tensor, num_classes: int, ignore_index: int) -> tuple[Tensor, Tensor | None]:
    """Return class indices as int64, and a mask of the ignored ones, or None if there are none.

    The values are read only where that costs nothing; on a GPU an index out of range fails later, in the indexing.

    Raises:
        TypeError: if they are not integers.
        ValueError: naming an index that is neither a class nor ignored.
    """
    if target.is_floating_point() or target.is_complex():
        raise TypeError(f"class indices must be integers, got {target.dtype} of shape {tuple(target.shape)}")
    target = target.long()
    if target.numel() > 0 and can_read_values(target):
        lowest, highest = (int(end) for end in torch.aminmax(target))
        if lowest >= 0 and highest < num_classes and not lowest <= ignore_index <= highest:
            return target, None
        stray = target[((target < 0) | (target >= num_classes)) & (target != ignore_index)]
        if stray.numel() > 0:
            raise ValueError(
                f"target {int(stray[0])} is none of the {num_classes} classes (0 to {num_classes - 1}) "
                f"nor ignore_index={ignore_index}"
            )
    return target, target == ignore_index


def binary_targets(logits: Tensor, target: Tensor, ignore_index: int = -100) -> tuple[Tensor, Tensor | None]:
    """The binary target of each logit, for multilabel losses.

    Args:
        logits: floating point, (N, C, …).
        target: 0 or 1, or in between, in the shape of ``logits``; or one class index per example, (N, …),
            taken one against the rest. With logits (N, 1) it is the label 0 or 1.
        ignore_index: a target value to leave out.

    Returns:
        the labels, like the logits: boolean if all are known to be 0 or 1, else floating point (at least float32); and
        a mask of the ignored ones, like the logits, or None if there are none.

    Raises:
        TypeError, ValueError: naming the shapes or the values that do not fit.
    """
    if not logits.is_floating_point():
        raise ValueError(f"logits must be floating point, got {logits.dtype} {tuple(logits.shape)}")
    if target.shape != logits.shape:
        if logits.dim() < 2 or target.shape != logits.shape[:1] + logits.shape[2:]:
            raise ValueError(
                f"target of shape {tuple(target.shape)} does not fit logits of shape {tuple(logits.shape)}: "
                "give 0 or 1 for each logit, or one class index per example"
            )
        if logits.shape[1] > 1:
            target, ignored = validate_class_indices(target, logits.shape[1], ignore_index)
            return is_class(target, logits), None if ignored is None else ignored.unsqueeze(1).expand_as(logits)
        target = target.unsqueeze(1)
    y = in_full_precision(target) if target.is_floating_point() else target.long()
    fixed = ignore_index not in (0, 1) and can_read_values(y) and not is_learned(y)
    if fixed and torch.equal(hard := y.bool(), y):
        return hard, None
    ignored = y == ignore_index
    y = y.masked_fill(ignored, 0)
    if y.numel() > 0 and can_read_values(y):
        lowest, highest = (end.item() for end in torch.aminmax(y.detach()))
        if not (lowest >= 0 and highest <= 1):
            raise ValueError(f"targets must lie in [0, 1], got {lowest:g} to {highest:g}")
    return (y if y.is_floating_point() else y.bool()), ignored


def zero_ignored(values: Tensor, ignored: Tensor | None) -> Tensor:
    """Return the values with 0 in place of the ignored ones; ``ignored`` is a mask like them, or None."""
    return values if ignored is None else values.masked_fill(ignored, 0)


def example_weights(target: Tensor, weight: Tensor) -> Tensor:
    """The weight of each example, (N, …): w_y for class indices, Σ_c t_c w_c for distributions t, before smoothing.

    One weight for the whole example scales its loss and leaves its minimum at p = t. Weights inside the sum
    over the classes, as torch has them, would pull it to p_c ∝ t_c w_c, and smoothing to p_c ∝ w_c.

    Args:
        target: valid class indices (N, …), or distributions (N, C, …).
        weight: w, (C,).
    """
    return torch.tensordot(target, weight.to(target), ([1], [0])) if target.is_floating_point() else weight[target]


def count_valid(each: Tensor, ignored: Tensor | None) -> Tensor:
    """Count the targets (N, …) that are not ignored; a scalar tensor."""
    return torch.full((), each.numel(), device=each.device) if ignored is None else (~ignored).sum()


def along_classes(values: Tensor, logits: Tensor) -> Tensor:
    """Values (C,) as (C, 1, …), to broadcast over logits (N, C, …)."""
    return values.view(-1, *[1] * (logits.dim() - 2))


def is_class(target: Tensor, logits: Tensor) -> Tensor:
    """Mark the logits (N, C, …) of the target's class, for class indices (N, …): a mask (N, C, …)."""
    classes = torch.arange(logits.shape[1], dtype=target.dtype, device=logits.device)
    return along_classes(classes, logits) == target.unsqueeze(1)


def one_hot(target: Tensor, logits: Tensor) -> Tensor:
    """Class indices (N, …) as 0 and 1, (N, C, …) in at least float32; all 0 for an index that is not a class."""
    return is_class(target, logits).to(torch.promote_types(logits.dtype, torch.float32))
