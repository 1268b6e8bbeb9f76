"""Asymmetric loss (ASL; Ridnik et al. 2021, arXiv 2009.14119), for multilabel targets with few positives.

    ℓ(z, y) = −[y (1 − p)^{γ+} log p + (1 − y) p_m^{γ−} log(1 − p_m)],        p = σ(z),  p_m = max(p − m, 0)

An absent label that is predicted below m costs nothing; one predicted with confidence, probably a labeling error,
gets little gradient. The gradient flows through the focusing factors too, as in the paper's analysis and the
authors' default.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses._elementwise import blend_targets, elementwise, fast_pow, focal_term
from imbalance_lab.losses._focal_term import power
from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import MAX_GAMMA, cast_like, check_numbers, check_scalar
from imbalance_lab.losses.reduction import Reduction, reduce
from imbalance_lab.losses.targets import binary_targets, count_valid, zero_ignored
from imbalance_lab.losses.weights import Counts, PerClass, check_pos_weight, store, weigh_labels


def asymmetric_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma_positive: float | Tensor = 1.0,
    gamma_negative: float | Tensor = 4.0,
    margin: float | Tensor = 0.05,
    pos_weight: PerClass | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Binary cross-entropy with separate focusing for present and absent labels, and a margin.

    Args:
        logits: z, (N, C) or (N, C, …), floating point; half precision is computed in float32.
        target: 0 or 1 for each label, or in between (mixup), in the shape of ``logits``; or class indices (N, …),
            taken one against the rest.
        gamma_positive: γ+ ≥ 0, focusing of present labels.
        gamma_negative: γ− ≥ 0, focusing of absent labels. A tensor () of γ+, γ− or m that requires a gradient gets
            one, and so does a soft ``target``.
        margin: m in [0, 1), the probability below which an absent label costs nothing.
        pos_weight: w, by which present labels weigh more, one number ≥ 0 or one per label, (C,); of a soft label
            both terms weigh w y + 1 − y (see `weigh_labels`). A tensor that requires a gradient gets one.
        ignore_index: a target value that adds neither loss nor gradient: an unknown label.
        reduction: "none", "sum" (the authors' choice) or "mean", over the labels that are not ignored.

    Returns:
        a scalar, or for "none" the shape of ``logits``; in the dtype of ``logits`` (see `cast_like`).

    Properties: γ+ = γ− = m = 0 is `torch.nn.functional.binary_cross_entropy_with_logits`; γ+ = γ− with m = 0 is the
    sigmoid focal loss without α; an absent label with p ≤ m gets neither loss nor gradient. Whatever ``pos_weight``, at
    the minimum of a soft label y / (1 − y) = h(p) / g(p), the slopes of the two terms: g(p) = (1 − p)^γ+ / p − γ+ (1 −
    p)^(γ+ − 1) log p, h(p) = p_m^γ− / (1 − p_m) − γ− p_m^(γ− − 1) log(1 − p_m). With γ+ = γ− = m = 0 that is p = y.

    >>> asymmetric_loss(torch.zeros(1, 2), torch.tensor([[1, 0]]), reduction="none")
    tensor([[0.3466, 0.0245]])
    """
    y, ignored = binary_targets(logits, target, ignore_index)
    each = elementwise(
        logits,
        y,
        _terms,
        _plain,
        gamma_positive=check_scalar("gamma_positive", gamma_positive, minimum=0),
        gamma_negative=check_scalar("gamma_negative", gamma_negative, minimum=0),
        margin=check_scalar("margin", margin, minimum=0, maximum=1),
    )
    weight = None if pos_weight is None else check_numbers("pos_weight", pos_weight, minimum=0)
    loss = zero_ignored(weigh_labels(each, y, weight), ignored)
    return cast_like(reduce(loss, reduction, count_valid(y, ignored)), logits)


class AsymmetricLoss(Loss):
    """`asymmetric_loss` as a module. Call it as ``loss(logits, target)``.

    Args:
        gamma_positive: γ+ ≥ 0.
        gamma_negative: γ− ≥ 0.
        margin: m in [0, 1).
        pos_weight: None, one number ≥ 0, C of them, or from the counts "inverse", (N − n_c) / n_c, or "sqrt_inverse".
        class_counts: n, the training examples that have each label, (C,); for a ``pos_weight`` given by name.
        num_examples: N, the training examples; for the same.

    A `torch.nn.Parameter` of these becomes the module's, and is trained; keep it in its range, for nothing else does.
    The other arguments are `asymmetric_loss`'s.

    Raises:
        TypeError, ValueError: for invalid arguments.

    >>> AsymmetricLoss(gamma_negative=2)
    AsymmetricLoss(gamma_positive=1.0, gamma_negative=2.0, margin=0.05, pos_weight=None, ignore_index=-100, \
reduction='mean')
    """

    repr_names = ("gamma_positive", "gamma_negative", "margin", "pos_weight")

    is_mean_over_examples = True

    accepts_soft_targets = True

    activation = "sigmoid"

    gamma_positive: float | Tensor
    gamma_negative: float | Tensor
    margin: float | Tensor
    pos_weight: float | Tensor | None

    def __init__(
        self,
        gamma_positive: float | Tensor = 1.0,
        gamma_negative: float | Tensor = 4.0,
        margin: float | Tensor = 0.05,
        *,
        pos_weight: PerClass | str | None = None,
        class_counts: Counts | None = None,
        num_examples: int | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        store(self, "gamma_positive", check_scalar("gamma_positive", gamma_positive, minimum=0, maximum=MAX_GAMMA))
        store(self, "gamma_negative", check_scalar("gamma_negative", gamma_negative, minimum=0, maximum=MAX_GAMMA))
        store(self, "margin", check_scalar("margin", margin, minimum=0, below=1))
        store(self, "pos_weight", check_pos_weight(pos_weight, class_counts, num_examples))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `asymmetric_loss`."""
        return asymmetric_loss(
            logits,
            target,
            gamma_positive=self.gamma_positive,
            gamma_negative=self.gamma_negative,
            margin=self.margin,
            pos_weight=self.pos_weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


def _plain(
    z: Tensor, y: Tensor, *, gamma_positive: float | Tensor, gamma_negative: float | Tensor, margin: float | Tensor
) -> Tensor:
    """The loss in plain operations."""
    # 1 − p is σ(−z) and 1 − p_m is min(σ(−z) + m, 1), so nothing cancels.
    p, absent = z.sigmoid(), (-z).sigmoid()
    positive = power(absent, gamma_positive) * F.logsigmoid(z)
    if isinstance(margin, Tensor):
        log_absent = _log_absent(z, margin)
    else:
        log_absent = (absent + margin).clamp(max=1).log() if margin else F.logsigmoid(-z)
    negative = power(p - margin, gamma_negative) * log_absent
    return -(y * positive + (1 - y) * negative)


def _log_absent(z: Tensor, margin: Tensor) -> Tensor:
    """log(1 − p_m) for any margin, 0 among them: from p_m below ½, else from σ(−z) + m, or where that is 0 from z."""
    p, rest = z.sigmoid() - margin, (-z).sigmoid() + margin
    small, vanished = p < 0.5, rest < torch.finfo(z.dtype).tiny
    log_rest = torch.where(vanished, F.logsigmoid(-z), torch.where(small | vanished, 1, rest).log())
    return torch.where(small, torch.log1p(-p.clamp(min=0, max=0.5)), log_rest)


def _terms(
    z: Tensor, y: Tensor, *, gamma_positive: float, gamma_negative: float, margin: float
) -> tuple[Tensor, Tensor]:
    """The loss and its derivative."""
    absent = _shifted_term(z, gamma_negative, margin) if margin else focal_term(z, gamma_negative)
    return blend_targets(focal_term(-z, gamma_positive), absent, y, 1 - y)


def _shifted_term(z: Tensor, gamma: float, margin: float) -> tuple[Tensor, Tensor]:
    """p_m^γ (−log(1 − p_m)), and its derivative p (1 − p) p_m^γ (γ (−log(1 − p_m)) / p_m + 1 / (1 − p_m))."""
    p, rest = z.sigmoid(), (-z).sigmoid()
    inner = p.mul(rest)
    shifted, rest = p.sub_(margin).clamp_min_(torch.finfo(z.dtype).tiny), rest.add_(margin)
    costs = rest < 1
    cross_entropy = rest.clamp_max_(1).log().neg_()
    modulation = fast_pow(shifted, gamma)
    slope = (cross_entropy / shifted).mul_(gamma).add_(rest.reciprocal_()).mul_(modulation).mul_(inner).mul_(costs)
    return modulation.mul_(cross_entropy), slope
