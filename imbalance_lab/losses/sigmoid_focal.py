"""Focal loss on sigmoid probabilities, for multilabel targets (Lin et al. 2017, arXiv 1708.02002)."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses._elementwise import blend_targets, elementwise, focal_term
from imbalance_lab.losses._focal_term import power
from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import MAX_GAMMA, cast_like, check_numbers, check_scalar
from imbalance_lab.losses.reduction import reduce
from imbalance_lab.losses.targets import binary_targets, count_valid, zero_ignored
from imbalance_lab.losses.weights import Counts, PerClass, check_pos_weight, store, weigh_labels
from imbalance_lab.validation import check_choice, check_integer

SigmoidReduction = Literal["none", "sum", "mean", "mean_positive"]


def sigmoid_focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float | Tensor = 2.0,
    alpha: float | Tensor | None = 0.25,
    pos_weight: PerClass | None = None,
    ignore_index: int = -100,
    reduction: SigmoidReduction = "mean",
) -> Tensor:
    """−α_y [y (1 − p)^γ log p + (1 − y) p^γ log(1 − p)] for each class independently, with p = σ(z).

    α_y = α y + (1 − α)(1 − y): α for positives, 1 − α for negatives. A soft label has one weight for both
    terms, which leaves the minimum where it is; a weight per term would move it. At the minimum y / (1 − y) =
    g(1 − p) / g(p), with g(p) = (1 − p)^γ / p − γ (1 − p)^(γ − 1) log p the slope of the focal term; at γ = 0 that is
    p = y.

    Args:
        logits: z, floating point, (N, C) or (N, C, …); of any shape for elementwise targets.
        target: y, in the shape of ``logits``: 0 or 1, or in between (mixup, smoothed); or one class index per
            example, integer (N,) or (N, …), taken one against the rest. With logits (N, 1) it is the label 0
            or 1.
        gamma: focusing strength γ ≥ 0; 0 is binary cross-entropy. A tensor () that requires a gradient gets one, and
            so do such a tensor of ``alpha`` and a soft ``target``.
        alpha: one number in [0, 1] that weighs positives, and negatives by 1 − α; None weighs both by 1. (In
            the *softmax* focal loss a single number weighs the background class.)
        pos_weight: w, by which present labels weigh more, one number ≥ 0 or one per label, (C,): α_y times
            w y + 1 − y, also for the whole of a soft label (see `weigh_labels`). A tensor that requires a gradient gets
            one.
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none"; "sum"; "mean" over the elements that are not ignored; "mean_positive", the sum ÷ Σ
            y, as in detectors. A mean over nothing is 0. (See `reduce` for several processes.)

    Returns:
        a scalar, or for reduction "none" one loss per element, in the shape of ``logits``; in the dtype of
        ``logits`` (see `cast_like`).

    Raises:
        TypeError, ValueError: for invalid arguments, shapes or targets.

    Properties: targets of 0 and 1 give `torchvision.ops.sigmoid_focal_loss`; γ = 0 without α gives
    `torch.nn.functional.binary_cross_entropy_with_logits`; finite loss and gradient at logits of ±1e4.

    >>> sigmoid_focal_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[0, 1]]), reduction="none")
    tensor([[1.2376, 0.1755]])
    """
    gamma = check_scalar("gamma", gamma, minimum=0)
    positive = 1.0 if alpha is None else _check_alpha(alpha)
    negative = 1.0 if alpha is None else 1 - positive
    check_choice("reduction", reduction, get_args(SigmoidReduction))
    y, ignored = binary_targets(logits, target, check_integer("ignore_index", ignore_index))
    terms = _hard_terms if y.dtype == torch.bool else _soft_terms
    each = elementwise(logits, y, terms, _plain, gamma=gamma, positive=positive, negative=negative)
    weight = None if pos_weight is None else check_numbers("pos_weight", pos_weight, minimum=0)
    loss = zero_ignored(weigh_labels(each, y, weight), ignored)
    normalizer = zero_ignored(y, ignored).sum() if reduction == "mean_positive" else count_valid(y, ignored)
    return cast_like(reduce(loss, reduction, normalizer), logits)


class SigmoidFocalLoss(Loss):
    """`sigmoid_focal_loss` as a module: ``loss(logits, target)``.

    Args:
        gamma: focusing strength, a number ≥ 0. A `torch.nn.Parameter` becomes the module's, and is trained; keep it
            ≥ 0, for nothing else does.
        alpha: None, or one number in [0, 1]: a weighs positives, 1 − a negatives. It may be a parameter too.
        pos_weight: None, one number ≥ 0, C of them, or from the counts "inverse", (N − n_c) / n_c, or "sqrt_inverse",
            its square root; in addition to ``alpha``, of which None is then the usual choice.
        class_counts: n, the training examples that have each label, (C,); for a ``pos_weight`` given by name.
        num_examples: N, the training examples; for the same.
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: as in `sigmoid_focal_loss`.

    Raises:
        TypeError, ValueError: for invalid arguments, when the loss is built.

    >>> SigmoidFocalLoss(alpha=None)
    SigmoidFocalLoss(gamma=2.0, alpha=None, pos_weight=None, ignore_index=-100, reduction='mean')
    >>> SigmoidFocalLoss(alpha=None, pos_weight="inverse", class_counts=[50, 20], num_examples=100).pos_weight
    tensor([1., 4.])
    """

    repr_names = ("gamma", "alpha", "pos_weight")

    is_mean_over_examples = True

    accepts_soft_targets = True

    activation = "sigmoid"

    gamma: float | Tensor
    alpha: float | Tensor | None
    pos_weight: float | Tensor | None

    def __init__(
        self,
        gamma: float | Tensor = 2.0,
        alpha: float | Tensor | None = 0.25,
        *,
        pos_weight: PerClass | str | None = None,
        class_counts: Counts | None = None,
        num_examples: int | None = None,
        ignore_index: int = -100,
        reduction: SigmoidReduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index)
        store(self, "gamma", check_scalar("gamma", gamma, minimum=0, maximum=MAX_GAMMA))
        store(self, "alpha", None if alpha is None else _check_alpha(alpha))
        store(self, "pos_weight", check_pos_weight(pos_weight, class_counts, num_examples))
        check_choice("reduction", reduction, get_args(SigmoidReduction))
        self.reduction = reduction

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `sigmoid_focal_loss`."""
        return sigmoid_focal_loss(
            logits,
            target,
            gamma=self.gamma,
            alpha=self.alpha,
            pos_weight=self.pos_weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


def _plain(
    z: Tensor, y: Tensor, *, gamma: float | Tensor, positive: float | Tensor, negative: float | Tensor
) -> Tensor:
    """The loss in plain operations; σ(−z) is 1 − p without cancellation."""
    present, absent = (power(torch.sigmoid(-u), gamma) * -F.logsigmoid(u) for u in (z, -z))
    return (y * present + (1 - y) * absent) * (negative + (positive - negative) * y)


def _hard_terms(z: Tensor, y: Tensor, *, gamma: float, positive: float, negative: float) -> tuple[Tensor, Tensor]:
    """The loss of labels 0 and 1 and its derivative: only one of the two terms counts."""
    away = torch.rsub(y, 1, alpha=2)  # 1 − 2y: the sign with which a larger logit costs more
    loss, slope = focal_term(z * away, gamma)
    weight = _weight(y, positive, negative)
    return loss.mul_(weight), slope.mul_(away).mul_(weight)


def _soft_terms(z: Tensor, y: Tensor, *, gamma: float, positive: float, negative: float) -> tuple[Tensor, Tensor]:
    """The loss of labels between 0 and 1 and its derivative."""
    weight = _weight(y, positive, negative)
    return blend_targets(focal_term(-z, gamma), focal_term(z, gamma), y * weight, (1 - y).mul_(weight))


def _weight(y: Tensor, positive: float, negative: float) -> float | Tensor:
    """The weight of a label: ``positive`` at 1, ``negative`` at 0, and in proportion in between."""
    return positive if positive == negative else torch.add(negative, y, alpha=positive - negative)


def _check_alpha(alpha: object) -> float | Tensor:
    try:
        return check_scalar("alpha", alpha, minimum=0, maximum=1)
    except TypeError:
        given = f"a tensor of shape {tuple(alpha.shape)}" if isinstance(alpha, Tensor) else repr(alpha)
        raise TypeError(
            "alpha of the sigmoid focal loss must be one number a, which weighs positives by a "
            f"and negatives by 1 − a, got {given}"
        ) from None
