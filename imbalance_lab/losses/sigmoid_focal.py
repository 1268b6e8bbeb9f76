"""Focal loss on sigmoid probabilities, for classes that may hold together (Lin et al. 2017, arXiv 1708.02002)."""

from functools import partial
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses._elementwise import blend_targets, elementwise, focal_term
from imbalance_lab.losses._focal_term import power
from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import cast_like
from imbalance_lab.losses.reduction import reduce
from imbalance_lab.losses.targets import binary_targets, count_valid, zero_ignored
from imbalance_lab.validation import check_choice, check_integer, check_number

SigmoidReduction = Literal["none", "sum", "mean", "mean_positive"]


def sigmoid_focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | None = 0.25,
    ignore_index: int = -100,
    reduction: SigmoidReduction = "mean",
) -> Tensor:
    """−α_y [y (1 − p)^γ log p + (1 − y) p^γ log(1 − p)] for each class on its own, with p = σ(z).

    α_y = α y + (1 − α)(1 − y): α for positives, 1 − α for negatives. In between it weighs the label as a whole, and so
    leaves where its loss is least, at γ = 0 at p = y. (α on one side and 1 − α on the other would move it.)

    Args:
        logits: z, floating point, (N, C) or (N, C, …); of any shape for elementwise targets.
        target: y, in the shape of ``logits``: 0 or 1, or in between (mixup, smoothed); or one class index an
            example, integer (N,) or (N, …), which is turned into one-hot. Of logits (N, 1) it is the label 0
            or 1.
        gamma: focusing strength γ ≥ 0; 0 is binary cross-entropy.
        alpha: one number in [0, 1] that weighs positives, and negatives by 1 − α; None weighs both by 1. (The
            *softmax* focal loss uses one number otherwise: there it weighs the background class.)
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none"; "sum"; "mean" over the elements that are not ignored; "mean_positive", the sum ÷ Σ
            y, as detectors have it. A mean over nothing is 0. (`reduce` tells about processes.)

    Returns:
        a scalar, or for reduction "none" one loss an element, in the shape of ``logits``; in the dtype of
        ``logits`` (see `cast_like`).

    Raises:
        TypeError, ValueError: for arguments, shapes or targets that make no sense.

    Properties: targets of 0 and 1 give `torchvision.ops.sigmoid_focal_loss`; γ = 0 without α gives
    `torch.nn.functional.binary_cross_entropy_with_logits`; finite loss and gradient at logits of ±1e4.

    >>> sigmoid_focal_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[0, 1]]), reduction="none")
    tensor([[1.2376, 0.1755]])
    """
    gamma = check_number("gamma", gamma, minimum=0)
    positive, negative = (1.0, 1.0) if alpha is None else (_check_alpha(alpha), 1 - _check_alpha(alpha))
    check_choice("reduction", reduction, get_args(SigmoidReduction))
    y, ignored = binary_targets(logits, target, check_integer("ignore_index", ignore_index))
    knobs: dict[str, Any] = {"gamma": gamma, "positive": positive, "negative": negative}
    terms = _hard_terms if y.dtype == torch.bool else _soft_terms
    loss = zero_ignored(elementwise(logits, y, partial(terms, **knobs), partial(_plain, **knobs)), ignored)
    normalizer = zero_ignored(y, ignored).sum() if reduction == "mean_positive" else count_valid(y, ignored)
    return cast_like(reduce(loss, reduction, normalizer), logits)


class SigmoidFocalLoss(Loss):
    """`sigmoid_focal_loss` as a module: ``loss(logits, target)``.

    Args:
        gamma: focusing strength, a number ≥ 0.
        alpha: None, or one number in [0, 1]: a weighs positives, 1 − a negatives.
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: as in `sigmoid_focal_loss`.

    Raises:
        TypeError, ValueError: for arguments that make no sense, when the loss is built.

    >>> SigmoidFocalLoss(alpha=None)
    SigmoidFocalLoss(gamma=2.0, alpha=None, ignore_index=-100, reduction='mean')
    """

    repr_names = ("gamma", "alpha")

    activation = "sigmoid"

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | None = 0.25,
        *,
        ignore_index: int = -100,
        reduction: SigmoidReduction = "mean",
    ) -> None:
        super().__init__()
        self.gamma = check_number("gamma", gamma, minimum=0)
        self.alpha = None if alpha is None else _check_alpha(alpha)
        self.ignore_index = check_integer("ignore_index", ignore_index)
        check_choice("reduction", reduction, get_args(SigmoidReduction))
        self.reduction = reduction

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `sigmoid_focal_loss`."""
        return sigmoid_focal_loss(
            logits,
            target,
            gamma=self.gamma,
            alpha=self.alpha,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


def _plain(z: Tensor, y: Tensor, *, gamma: float, positive: float, negative: float) -> Tensor:
    """The loss in plain operations; σ(−z) is 1 − p with all its digits."""
    present, absent = (power(torch.sigmoid(-u), gamma) * -F.logsigmoid(u) for u in (z, -z))
    return (y * present + (1 - y) * absent) * _weight(y, positive, negative)


def _hard_terms(z: Tensor, y: Tensor, *, gamma: float, positive: float, negative: float) -> tuple[Tensor, Tensor]:
    """The loss of labels 0 and 1 and its derivative: they have one side each."""
    away = torch.rsub(y, 1, alpha=2)  # 1 − 2y: the way that costs
    loss, slope = focal_term(z * away, gamma)
    weight = _weight(y, positive, negative)
    return loss.mul_(weight), slope.mul_(away).mul_(weight)


def _soft_terms(z: Tensor, y: Tensor, *, gamma: float, positive: float, negative: float) -> tuple[Tensor, Tensor]:
    """The loss of labels between 0 and 1 and its derivative."""
    weight = _weight(y, positive, negative)
    return blend_targets(focal_term(-z, gamma), focal_term(z, gamma), y * weight, (1 - y).mul_(weight))


def _weight(y: Tensor, positive: float, negative: float) -> float | Tensor:
    """What a label weighs as a whole: ``positive`` at 1, ``negative`` at 0, and what lies between for those between."""
    return positive if positive == negative else torch.add(negative, y, alpha=positive - negative)


def _check_alpha(alpha: object) -> float:
    try:
        return check_number("alpha", alpha, minimum=0, maximum=1)
    except TypeError:
        raise TypeError(
            f"alpha of the sigmoid focal loss is one number: a weighs positives, 1 − a negatives; got {alpha!r}"
        ) from None
