"""AUC-margin loss (Yuan et al. 2021, arXiv 2012.03173), in the form without class priors (LibAUC's "v2").

    min over net, a, b;  max over α ≥ 0:  E₊[(h − a)²] + E₋[(h − b)²] + 2α (m + E₋h − E₊h) − α²,   h = σ(z)

With optimal a, b and α it is Var₊h + Var₋h + max(0, m + E₋h − E₊h)²: the scores of each class are close together, and
the two means a margin apart.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import cast_like, check_fixed, in_full_precision
from imbalance_lab.losses.distributed import sum_over_ranks, world_size
from imbalance_lab.losses.label_scores import by_label, count_labels
from imbalance_lab.losses.reduction import reduce
from imbalance_lab.losses.targets import binary_targets, count_valid, zero_ignored
from imbalance_lab.losses.weighted_cross_entropy import class_logits
from imbalance_lab.losses.weights import Counts
from imbalance_lab.validation import check_integer


def auc_margin_loss(
    logits: Tensor,
    target: Tensor,
    a: Tensor,
    b: Tensor,
    alpha: Tensor,
    *,
    margin: float = 1.0,
    ignore_index: int = -100,
) -> Tensor:
    """The formula above for L labels, averaged over them.

    Args:
        logits: z, (N, L), floating point; half precision is computed in float32.
        target: 0 or 1, (N, L), or class indices (N,), taken one against the rest.
        a: center of the positives' scores, (L,).
        b: center of the negatives' scores, (L,).
        alpha: the dual variable, (L,); negative values count as 0.
        margin: m ≥ 0.
        ignore_index: a target value that is neither positive nor negative: an unknown label.

    Returns:
        a scalar, in the dtype of ``logits`` (see `cast_like`).

    The gradient of ``alpha`` has its sign turned: an optimizer that minimizes increases α, as the inner
    maximum requires. In a batch without positives (or negatives), a (or b), their mean at the optimum, replaces
    their mean.
    """
    h = class_logits(logits, len(a)).sigmoid()
    y, ignored = binary_targets(logits, target, ignore_index)
    y = y.to(h)
    positive, negative = zero_ignored(y, ignored), zero_ignored(1 - y, ignored)
    spread_positive, mean_positive = _means((h - a).square(), h, positive, absent=a)
    spread_negative, mean_negative = _means((h - b).square(), h, negative, absent=b)
    gap = margin + mean_negative - mean_positive
    dual = alpha.detach().clamp(min=0)
    # α itself ascends 2α gap − α² without the bound: the bounded maximum is the same or 0, and an α that a long step
    # has made negative can recover. The value of this term is 0; only its gradient matters.
    ascent = 2 * alpha * gap.detach() - alpha.square()
    loss = spread_positive + spread_negative + 2 * dual * gap - dual.square() - (ascent - ascent.detach())
    return cast_like(loss.mean(), logits)


class AUCMarginLoss(Loss):
    """`auc_margin_loss` as a module that owns a, b and α, one of each per label, as `parameters()`.

    Add them to the optimizer with the network's, without weight decay. They must follow the scores as fast as the
    network moves them; they start at the optimum for an untrained network's h = ½: a = b = ½ and α = m. Every batch
    should contain both classes (use a class-balanced sampler); a batch of one class trains only its own terms.

    Args:
        margin: m ≥ 0; the paper takes 1, and values from 0.6.
        warmup_steps: the number of initial training steps with binary cross-entropy, while a, b and α already follow
            the scores. The paper starts from a network trained with cross-entropy.
        class_counts: training examples of each class, (C,); only C is used.
        num_labels: L; None is 1 for two classes or no ``class_counts``, else C.
        ignore_index: a target value that is neither positive nor negative.

    Call it as ``loss(logits, target)``. One label: logits (N,), (N, 1), or (N, 2) whose score is
    z₁ − z₀, and target (N,) or (N, 1) of 0 and 1. L labels: logits (N, L) and target (N, L) of 0 and 1, or class
    indices (N,).

    Raises:
        TypeError, ValueError: for invalid arguments.

    >>> loss = AUCMarginLoss(class_counts=[90, 10])
    >>> value = loss(torch.tensor([[9.0, -9.0], [-9.0, 9.0]]), torch.tensor([0, 1]))
    >>> round(value.item(), 4)  # ¼ + ¼ − α², of a perfect network whose a, b and α have not followed yet
    -0.5
    """

    repr_names = ("margin", "warmup_steps", "num_labels")

    steps: Tensor

    def __init__(
        self,
        margin: float = 1.0,
        *,
        warmup_steps: int = 0,
        class_counts: Counts | None = None,
        num_labels: int | None = None,
        ignore_index: int = -100,
    ) -> None:
        super().__init__(ignore_index=ignore_index)
        self.margin = check_fixed("margin", margin, minimum=0, maximum=10)
        self.warmup_steps = check_integer("warmup_steps", warmup_steps, minimum=0)
        self.num_labels = count_labels(num_labels, class_counts)
        # Of one label given by two logits, their difference counts.
        self.activation = "softmax" if self.num_labels == 1 else "sigmoid"
        self.a = nn.Parameter(torch.full((self.num_labels,), 0.5))
        self.b = nn.Parameter(torch.full((self.num_labels,), 0.5))
        self.alpha = nn.Parameter(torch.full((self.num_labels,), self.margin))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in the class docstring."""
        z, target = by_label(in_full_precision(logits), target, self.num_labels)
        if not self.warmup_steps:
            return cast_like(self._margin_loss(z, target), logits)
        warming = self.steps < self.warmup_steps
        if self.training:
            self.steps += 1
        loss = self._margin_loss(torch.where(warming, z.detach(), z), target)
        y, ignored = binary_targets(z, target, self.ignore_index)
        each = zero_ignored(F.binary_cross_entropy_with_logits(z, y.to(z), reduction="none"), ignored)
        cross_entropy = reduce(each, "mean", count_valid(each, ignored))
        return cast_like(torch.where(warming, cross_entropy + (loss - loss.detach()), loss), logits)

    def _margin_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        variables = self.a, self.b, self.alpha
        return auc_margin_loss(logits, target, *variables, margin=self.margin, ignore_index=self.ignore_index)


def _means(spread: Tensor, h: Tensor, member: Tensor, *, absent: Tensor) -> tuple[Tensor, Tensor]:
    """The means over the members of each label, (L,); 0 and ``absent`` for a label without members.

    Under DDP the counts are those of all processes, so that the average of the processes' losses is that of the whole
    batch.
    """
    count = sum_over_ranks(member.sum(0))
    share = world_size() / (count + (count == 0))
    mean = (h * member).sum(0) * share
    return (spread * member).sum(0) * share, torch.where(count > 0, mean, absent.detach())
