"""AUC-margin loss (Yuan et al. 2021, arXiv 2012.03173), in the form without class priors (LibAUC's "v2").

    min over net, a, b;  max over α ≥ 0:  E₊[(h − a)²] + E₋[(h − b)²] + 2α (m + E₋h − E₊h) − α²,   h = σ(z)

For the best a, b, α it is Var₊h + Var₋h + max(0, m + E₋h − E₊h)²: each class close together, the two a margin
apart.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.losses.checks import as_given, checked_integer, checked_number, in_full_precision, reduce
from imbalance_lab.losses.distributed import sum_over_ranks, world_size
from imbalance_lab.losses.targets import labels_of_each_class, number_kept, without
from imbalance_lab.losses.weighted_cross_entropy import class_logits
from imbalance_lab.losses.weights import Counts


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
        logits: z, (N, L), floating point; half types are computed in float32.
        target: 0 or 1, (N, L), or class numbers (N,), taken one against the rest.
        a: centre of the positives' scores, (L,).
        b: centre of the negatives' scores, (L,).
        alpha: the dual variable, (L,); where it is negative, 0 counts.
        margin: m ≥ 0.
        ignore_index: a target value that is neither positive nor negative: a label that nobody knows.

    Returns:
        a scalar, in the dtype of ``logits`` (see `as_given`).

    The gradient of ``alpha`` has its sign turned: an optimizer that minimises moves α up, as the inner
    maximum wants. Where a batch has no positives (or no negatives) a (or b), their mean at the optimum,
    stands in for them.
    """
    h = class_logits(logits, len(a)).sigmoid()
    y, ignored = labels_of_each_class(logits, target, ignore_index)
    y = y.to(h)
    positive, negative = without(y, ignored), without(1 - y, ignored)
    spread_positive, mean_positive = _means((h - a).square(), h, positive, absent=a)
    spread_negative, mean_negative = _means((h - b).square(), h, negative, absent=b)
    gap = margin + mean_negative - mean_positive
    dual = alpha.detach().clamp(min=0)
    # α itself climbs 2α gap − α² without the bound: the bounded maximum is that one's, or 0, and an α that a
    # long step has thrown below 0 finds back. This term is 0; only its gradient counts.
    ascent = 2 * alpha * gap.detach() - alpha.square()
    loss = spread_positive + spread_negative + 2 * dual * gap - dual.square() - (ascent - ascent.detach())
    return as_given(loss.mean(), logits)


class AUCMarginLoss(nn.Module):
    """`auc_margin_loss` as a module that owns a, b and α, one each a label: `parameters()` of the loss.

    Give them to the optimizer beside the net's, without weight decay. They must follow the scores as fast as the
    net moves them; all start where an untrained net's h = ½ puts them: a = b = ½ and α = m. Every batch should
    hold both classes (a class-balanced sampler sees to it); one that does not is used as far as it goes.

    Args:
        margin: m ≥ 0; the paper takes 1, and values from 0.6.
        warmup_steps: how many training steps take binary cross-entropy first, while a, b and α already follow
            the scores. The paper starts from a net that cross-entropy has trained.
        class_counts: (C,); only C counts, and only where ``num_labels`` is None.
        num_labels: L; None is 1 for two classes or no ``class_counts``, else C.
        ignore_index: a target value that is neither positive nor negative.

    Call it as ``loss(logits, target)``. One label: logits (N,), (N, 1), or (N, 2) of which z₁ − z₀ is the
    score, and target (N,) or (N, 1) of 0 and 1. L labels: logits (N, L) and target (N, L) of 0 and 1, or
    class numbers (N,).

    Raises:
        TypeError, ValueError: for arguments that make no sense.

    >>> loss = AUCMarginLoss(class_counts=[90, 10])
    >>> value = loss(torch.tensor([[9.0, -9.0], [-9.0, 9.0]]), torch.tensor([0, 1]))
    >>> round(value.item(), 4)  # ¼ + ¼ − α², of a perfect net whose a, b and α have not followed yet
    -0.5
    """

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
        super().__init__()
        self.margin = checked_number("margin", margin, at_least=0)
        self.ignore_index = checked_integer("ignore_index", ignore_index)
        self.warmup_steps = _at_least(0, "warmup_steps", warmup_steps)
        if num_labels is None:
            num_labels = 1 if class_counts is None or len(class_counts) == 2 else len(class_counts)
        num_labels = _at_least(1, "num_labels", num_labels)
        self.a = nn.Parameter(torch.full((num_labels,), 0.5))
        self.b = nn.Parameter(torch.full((num_labels,), 0.5))
        self.alpha = nn.Parameter(torch.full((num_labels,), self.margin))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def num_labels(self) -> int:
        """The number of labels that the loss is for."""
        return len(self.a)

    @property
    def activation(self) -> str:
        """How its logits become probabilities: of one label told by two logits it is their difference that counts."""
        return "softmax" if len(self.a) == 1 else "sigmoid"

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as the class says."""
        z, target = self._by_label(in_full_precision(logits), target)
        if not self.warmup_steps:
            return as_given(self._margin_loss(z, target), logits)
        warming = self.steps < self.warmup_steps
        if self.training:
            self.steps += 1
        loss = self._margin_loss(torch.where(warming, z.detach(), z), target)
        y, ignored = labels_of_each_class(z, target, self.ignore_index)
        each = without(F.binary_cross_entropy_with_logits(z, y.to(z), reduction="none"), ignored)
        cross_entropy = reduce(each, "mean", number_kept(each, ignored))
        return as_given(torch.where(warming, cross_entropy + (loss - loss.detach()), loss), logits)

    def _margin_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        variables = self.a, self.b, self.alpha
        return auc_margin_loss(logits, target, *variables, margin=self.margin, ignore_index=self.ignore_index)

    def _by_label(self, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, L) and what `auc_margin_loss` takes beside them."""
        if len(self.a) > 1:
            return logits, target
        given = tuple(logits.shape), tuple(target.shape)
        if logits.ndim == 2 and logits.shape[1] == 2:
            logits = logits[:, 1] - logits[:, 0]
        logits, target = logits.reshape(len(logits), -1), target.reshape(len(target), -1)
        if target.shape != logits.shape or logits.shape[1] != 1:
            raise ValueError(f"logits {given[0]} and target {given[1]} do not fit 1 label")
        return logits, target

    def extra_repr(self) -> str:
        """The knobs, for ``print(loss)``."""
        return (
            f"margin={self.margin}, warmup_steps={self.warmup_steps}, num_labels={len(self.a)}, "
            f"ignore_index={self.ignore_index}"
        )


def _means(spread: Tensor, h: Tensor, member: Tensor, *, absent: Tensor) -> tuple[Tensor, Tensor]:
    """The means over the members of each label, (L,); 0 and ``absent`` where there are none.

    Under DDP the counts are those of all processes, so that the average of the processes' losses is the whole
    batch's.
    """
    count = sum_over_ranks(member.sum(0))
    share = world_size() / (count + (count == 0))
    mean = (h * member).sum(0) * share
    return (spread * member).sum(0) * share, torch.where(count > 0, mean, absent.detach())


def _at_least(bound: int, name: str, value: int) -> int:
    if checked_integer(name, value) < bound:
        raise ValueError(f"{name} must be ≥ {bound}, got {value}")
    return value
