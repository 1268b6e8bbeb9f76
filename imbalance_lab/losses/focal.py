"""Focal loss on softmax probabilities (Lin et al. 2017, arXiv 1708.02002, eq. 5)."""

from collections.abc import Sequence
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.counts import Weighting, class_weights
from imbalance_lab.losses.checks import Reduction, checked_number, checked_reduction, reduce

Alpha = float | Sequence[float] | Tensor


def focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: Alpha | None = None,
    background_class: int = 0,
    class_dim: int = 1,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """−α_y (1 − p_y)^γ log p_y, with p = softmax(z): what is easy already counts for less.

    Args:
        logits: z, floating point, (N, C) or (N, C, …) with the classes along ``class_dim``.
        target: class numbers, the shape of ``logits`` without its class dimension, or with a 1 in its place.
        gamma: focusing strength γ ≥ 0; 0 is cross-entropy.
        alpha: None (every class weighs 1), C weights as they are, or one number a in [0, 1] for the weights
            1 − a everywhere but a at ``background_class``. (The *sigmoid* focal loss uses one number otherwise:
            there a weighs positives.)
        background_class: the class that a single-number ``alpha`` singles out.
        class_dim: the dimension of ``logits`` that holds the classes; never guessed from the shape.
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (over the targets that are not ignored; 0 when all are).

    Returns:
        a scalar, or for reduction "none" one loss a target, in the shape of the target; in the dtype of ``logits``
        (computed in float32 for half precision).

    Laws: γ = 0 without α equals `torch.nn.functional.cross_entropy`; adding a constant to all logits of an example
    changes nothing; finite loss and gradient at logits of ±1e4.

    >>> focal_loss(torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([2]), gamma=2.0)
    tensor(2.9091)
    """
    logits = logits.movedim(class_dim, 1)
    if target.dim() == logits.dim() and target.shape[1] == 1:
        target = target.squeeze(1)
    if target.shape != logits.shape[:1] + logits.shape[2:]:
        raise ValueError(
            f"target of shape {tuple(target.shape)} does not fit logits of shape {tuple(logits.shape)} "
            f"(classes moved from class_dim={class_dim} to dimension 1)"
        )
    if gamma == 0 and alpha is None:
        return F.cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction)

    valid = target != ignore_index
    index = torch.where(valid, target, 0)
    easiness, cross_entropy = _miss_and_cross_entropy(logits, index)
    loss = cross_entropy if gamma == 0 else _power(easiness, gamma) * cross_entropy
    if alpha is not None:
        weight = alpha_weights(alpha, logits.shape[1], background_class).to(loss)
        loss = loss * weight[index]
    return reduce(loss.masked_fill(~valid, 0), reduction, valid.sum()).to(logits.dtype)


class FocalLoss(nn.Module):
    """`focal_loss` as a module; its α is a buffer, so it follows the device and stands in the checkpoint.

    Args:
        gamma: focusing strength, a number ≥ 0.
        alpha: as in `focal_loss`, or "inverse", "sqrt_inverse", "effective": weights from ``class_counts``.
        class_counts: training examples of each class, (C,). Needed for an ``alpha`` given by name, and lets the
            length of any other ``alpha`` be checked at once instead of at the first batch.

    The other arguments are `focal_loss`'s. Call it as ``loss(logits, target)``.

    Raises:
        TypeError, ValueError: for arguments that make no sense, when the loss is built.

    >>> FocalLoss(gamma=2, alpha=[0.25, 0.75])
    FocalLoss(gamma=2.0, alpha=[0.25, 0.75], class_dim=1, ignore_index=-100, reduction='mean')
    """

    alpha: Tensor | None

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha | Weighting | None = None,
        *,
        class_counts: Tensor | Sequence[int] | None = None,
        background_class: int = 0,
        class_dim: int = 1,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.gamma = checked_number("gamma", gamma, at_least=0)
        self.background_class = background_class
        self.class_dim = class_dim
        self.ignore_index = ignore_index
        self.reduction = checked_reduction(reduction)
        self.register_buffer("alpha", self._resolve(alpha, class_counts))

    def _resolve(self, alpha: Alpha | Weighting | None, class_counts: Tensor | Sequence[int] | None) -> Tensor | None:
        if alpha is None:
            return None
        if isinstance(alpha, str):
            if alpha not in get_args(Weighting):
                raise ValueError(
                    f"alpha must be a number, a list, or one of {', '.join(get_args(Weighting))}, got {alpha!r}"
                )
            if class_counts is None:
                raise ValueError(f"alpha={alpha!r} is computed from the training counts: give class_counts")
            return class_weights(class_counts, alpha).float()
        if class_counts is not None:
            return alpha_weights(alpha, len(class_counts), self.background_class)
        return _alpha_tensor(alpha)  # one number stays one number until the first batch tells C

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `focal_loss`."""
        return focal_loss(
            logits,
            target,
            gamma=self.gamma,
            alpha=self.alpha,
            background_class=self.background_class,
            class_dim=self.class_dim,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        """The knobs, for ``print(loss)``."""
        alpha = None if self.alpha is None else self.alpha.tolist()
        return (
            f"gamma={self.gamma}, alpha={alpha}, class_dim={self.class_dim}, "
            f"ignore_index={self.ignore_index}, reduction={self.reduction!r}"
        )


def alpha_weights(alpha: Alpha, num_classes: int, background_class: int = 0) -> Tensor:
    """The weight of each class, (C,), that ``alpha`` means; see `focal_loss`. Refuses a wrong length."""
    alpha = _alpha_tensor(alpha)
    if alpha.dim() == 0:
        background = torch.arange(num_classes, device=alpha.device) == background_class
        return torch.where(background, alpha, 1 - alpha)
    if len(alpha) != num_classes:
        raise ValueError(f"alpha has {len(alpha)} weights, but there are {num_classes} classes")
    return alpha


def _alpha_tensor(alpha: Alpha) -> Tensor:
    """One number as a 0-dimensional tensor, weights as (C,); a (C, 1) column, as older code has it, is flattened."""
    if isinstance(alpha, str):
        raise TypeError(f"alpha must be a number or a list of numbers, got {alpha!r}")
    try:
        alpha = torch.as_tensor(alpha, dtype=torch.get_default_dtype())
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"alpha must be a number or a list of numbers, got {alpha!r}") from None
    if alpha.dim() > 2 or (alpha.dim() == 2 and alpha.shape[1] != 1):
        raise ValueError(f"alpha must be one number or one weight a class, got shape {tuple(alpha.shape)}")
    alpha = alpha.flatten() if alpha.dim() else alpha
    if not bool(torch.isfinite(alpha).all() and (alpha >= 0).all()):
        raise ValueError(f"alpha must be finite and ≥ 0, got {alpha.tolist()}")
    if alpha.dim() == 0 and alpha > 1:
        raise ValueError(f"alpha as one number must lie in [0, 1], got {alpha.item():g}")
    return alpha


def _miss_and_cross_entropy(logits: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """1 − p_y and −log p_y without cancellation, each in the shape of ``index``.

    ``1 − softmax(z)_y`` has no correct digit left once z_y leads by 20; the sum over the *other* classes keeps them
    all, and −log p_y = log1p(others / e_y) for p_y > ½ likewise.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    column = index.unsqueeze(1)
    peak = logits.detach().amax(1, keepdim=True)
    exponentials = (logits - peak).exp()
    is_target = torch.zeros_like(exponentials, dtype=torch.bool).scatter_(1, column, True)
    others = exponentials.masked_fill(is_target, 0).sum(1)
    lead = (logits.gather(1, column) - peak).squeeze(1)
    own = lead.exp()
    total = others + own
    sure = others < own
    cross_entropy = torch.where(sure, torch.log1p(others / torch.where(sure, own, 1)), total.log() - lead)
    return others / total, cross_entropy


def _power(base: Tensor, exponent: float) -> Tensor:
    """base^exponent for base ≥ 0, with gradient 0 instead of ∞ where the base has vanished and exponent < 1."""
    vanished = base < torch.finfo(base.dtype).tiny
    return torch.where(vanished, 0, torch.where(vanished, 1, base).pow(exponent))
