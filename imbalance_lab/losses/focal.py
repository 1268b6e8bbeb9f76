"""Focal loss on softmax probabilities, for multiclass targets (Lin et al. 2017, arXiv 1708.02002)."""

from typing import Literal, get_args

import torch
from torch import Tensor

from imbalance_lab.class_counts import Weighting
from imbalance_lab.losses._focal_term import class_terms, target_term
from imbalance_lab.losses.base import Loss, reweight_prior
from imbalance_lab.losses.checks import MAX_GAMMA, cast_like, check_length, check_numbers
from imbalance_lab.losses.reduction import reduce
from imbalance_lab.losses.targets import (
    along_classes,
    count_valid,
    example_weights,
    one_hot,
    validate_shapes,
    zero_ignored,
)
from imbalance_lab.losses.weights import (
    Counts,
    PerClass,
    check_background_class,
    check_weights,
    expand_alpha,
    expand_gamma,
    owned,
    store,
)
from imbalance_lab.validation import check_choice, check_integer, check_number

FocalReduction = Literal["none", "sum", "mean", "weighted_mean", "mean_positive"]


def focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: PerClass = 2.0,
    alpha: PerClass | None = None,
    background_class: int = 0,
    class_dim: int = 1,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: FocalReduction = "mean",
) -> Tensor:
    """−α_y (1 − p_y)^γ_y log p_y, with p = softmax(z): easy examples count for less.

    Args:
        logits: z, floating point, (N, C) or (N, C, …) with the classes along ``class_dim``.
        target: class indices, the shape of ``logits`` without its class dimension or with a 1 in its place;
            or class probabilities y (mixup), floating point in the shape of ``logits``: ᾱ Σ_c y_c (1 −
            p_c)^γ_c (−log p_c), with ᾱ = Σ_c y_c α_c. At its minimum, whatever α, y_c ∝ p_c / ((1 − p_c)^γ_c − γ_c p_c
            (1 − p_c)^(γ_c − 1) log p_c): at γ = 0 p = y, at γ > 0 p is flatter than y (Charoenphakdee et al. 2021,
            arXiv 2011.09172).
        gamma: focusing strength γ ≥ 0, one number or one per class; 0 is cross-entropy. A tensor that requires a
            gradient gets one, and so do such a tensor of ``alpha`` and of class probabilities.
        alpha: None (every class weighs 1), C weights as they are, or one number a in [0, 1] for the weights
            a for ``background_class`` and 1 − a for all others. (In the *sigmoid* focal loss a single number
            weighs positives.)
        background_class: the class that a single-number ``alpha`` and "mean_positive" treat as background.
        class_dim: the dimension of ``logits`` that holds the classes; never guessed from the shape.
        ignore_index: a class index that adds neither loss nor gradient.
        label_smoothing: ε in [0, 1], the share of the target distributed over all classes: y becomes (1 − ε) y + ε / C,
            except in ᾱ.
        reduction: "none"; "sum"; "mean" over the targets that are not ignored; "weighted_mean", the sum ÷ Σ α_y, as
            in torch's weighted cross-entropy; "mean_positive", the sum ÷ the number of targets other than
            ``background_class``, as in detectors. A mean over nothing is 0. (See `reduce` for several processes.)

    Returns:
        a scalar, or for reduction "none" one loss per target; in the dtype of ``logits`` (under autocast in
        float32), computed in at least float32.

    Raises:
        TypeError, ValueError: for invalid arguments, shapes or class indices.

    Properties: γ = 0 equals `torch.nn.functional.cross_entropy`, except for α with soft or smoothed targets, where
    torch's weights move the minimum and α leaves it at p = y, and for torch's rounding, which has lost all digits of a
    loss below 1e-7; adding a constant to all logits of an example changes nothing; loss and gradient are finite at
    logits of ±1e4.

    >>> focal_loss(torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([2]), gamma=2.0)
    tensor(2.9091)
    """
    return _focal_loss(
        logits,
        target,
        gamma=check_numbers("gamma", gamma, minimum=0),
        alpha=None if alpha is None else check_weights("alpha", alpha),
        background_class=check_integer("background_class", background_class),
        class_dim=check_integer("class_dim", class_dim),
        ignore_index=check_integer("ignore_index", ignore_index),
        label_smoothing=check_number("label_smoothing", label_smoothing, minimum=0, maximum=1),
        reduction=check_choice("reduction", reduction, get_args(FocalReduction)),
    )


class FocalLoss(Loss):
    """`focal_loss` as a module; α and a γ per class are buffers, so they follow device and checkpoint.

    Args:
        gamma: focusing strength ≥ 0, one number or one per class. A `torch.nn.Parameter` becomes the module's, and is
            trained; keep it ≥ 0, for nothing else does. So does one of ``alpha``.
        alpha: as in `focal_loss`, or "inverse", "sqrt_inverse", "effective": weights from ``class_counts``.
        class_counts: training examples of each class, (C,). Required for an ``alpha`` given by name;
            it also lets the length of a list be checked at once instead of at the first batch.

    The other arguments are `focal_loss`'s. Call it as ``loss(logits, target)``.

    Raises:
        TypeError, ValueError: for invalid arguments, when the loss is built.

    >>> FocalLoss(alpha="inverse", class_counts=[90, 10]).alpha
    tensor([0.2000, 1.8000])
    """

    repr_names = ("gamma", "alpha", "background_class", "class_dim", "label_smoothing")

    is_mean_over_examples = True

    accepts_soft_targets = True

    gamma: float | Tensor
    alpha: float | Tensor | None

    def __init__(
        self,
        gamma: PerClass = 2.0,
        alpha: PerClass | Weighting | None = None,
        *,
        class_counts: Counts | None = None,
        background_class: int = 0,
        class_dim: int = 1,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        reduction: FocalReduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index)
        self.background_class = check_integer("background_class", background_class)
        self.class_dim = check_integer("class_dim", class_dim)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        self.reduction = check_choice("reduction", reduction, get_args(FocalReduction))
        exponents = check_numbers("gamma", gamma, minimum=0)
        self._store("gamma", check_numbers("gamma", exponents, maximum=MAX_GAMMA), class_counts)
        weights = None if alpha is None else check_weights("alpha", alpha, class_counts)
        self._store("alpha", weights, class_counts)
        if class_counts is not None:
            check_background_class(self.background_class, len(class_counts))

    def _store(self, name: str, value: float | Tensor | None, class_counts: Counts | None) -> None:
        """Store one number as an attribute, and one per class as a buffer or parameter of the right length."""
        if isinstance(value, Tensor) and class_counts is not None:
            check_length(name, value, len(class_counts))
        store(self, name, owned(value) if isinstance(value, Tensor) else value)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `focal_loss`."""
        return _focal_loss(
            logits,
            target,
            gamma=self.gamma,
            alpha=self.alpha,
            background_class=self.background_class,
            class_dim=self.class_dim,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction=self.reduction,
        )

    def implied_prior(self, sampler_prior: Tensor) -> Tensor | None:
        """Return the class priors ∝ q_c α_c of the logits, (C,), for ``sampler_prior`` q, (C,); None if an α_c is 0.

        An approximation unless γ = 0: the minimum of the focal loss is not exactly the posterior.
        """
        if self.alpha is None:
            return sampler_prior
        weight = expand_alpha(self.alpha, self.background_class, sampler_prior.unsqueeze(0))
        return reweight_prior(sampler_prior, weight.log())


def _focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float | Tensor,
    alpha: float | Tensor | None,
    background_class: int,
    class_dim: int,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
) -> Tensor:
    """Compute `focal_loss` with checked arguments."""
    z, target, ignored = validate_shapes(logits, target, class_dim=class_dim, ignore_index=ignore_index)
    check_background_class(background_class, z.shape[1])
    known = zero_ignored(target, ignored)  # ignored targets are replaced by class 0
    weight = None if alpha is None else expand_alpha(alpha, background_class, z)
    loss = _modulated(z, known, ignored, expand_gamma(gamma, z), weight, label_smoothing)
    normalizer = _normalizer(reduction, known, ignored, weight, background_class)
    return cast_like(reduce(loss, reduction, normalizer), logits)


def _modulated(
    z: Tensor,
    target: Tensor,
    ignored: Tensor | None,
    gamma: float | Tensor,
    weight: Tensor | None,
    label_smoothing: float,
) -> Tensor:
    """Compute ᾱ Σ_c y_c (1 − p_c)^γ_c (−log p_c) of each target, (N, …), 0 where ignored."""
    if not target.is_floating_point() and label_smoothing == 0:
        each = None if weight is None else weight[target]
        if ignored is not None:
            each = ((~ignored).to(torch.float32) if each is None else each).masked_fill(ignored, 0)
        return target_term(z, target, gamma[target] if isinstance(gamma, Tensor) else gamma, each)
    share = target if target.is_floating_point() else one_hot(target, z)
    share = (1 - label_smoothing) * share + label_smoothing / z.shape[1]
    terms = share * class_terms(z, along_classes(gamma, z) if isinstance(gamma, Tensor) else gamma)
    loss = terms.sum(1) if weight is None else terms.sum(1) * example_weights(target, weight)
    return zero_ignored(loss, ignored)


def _normalizer(
    reduction: str, target: Tensor, ignored: Tensor | None, weight: Tensor | None, background_class: int
) -> Tensor:
    """The divisor of a mean: Σ over the targets of 1, of α_y, or of 1 for all but the background."""
    soft = target.is_floating_point()
    if reduction == "weighted_mean" and weight is not None:
        each = example_weights(target, weight)
    elif reduction == "mean_positive":
        each = target.sum(1) - target[:, background_class] if soft else target != background_class
    else:
        return count_valid(target[:, 0] if soft else target, ignored)
    return zero_ignored(each, ignored).sum()
