"""Seesaw loss (Wang et al. 2021, arXiv 2008.10032): frequent classes suppress rare ones less.

    ℓ(z, y) = −log e^{z_y} / (e^{z_y} + Σ_{j≠y} S_yj e^{z_j}),        S_yj = M_yj C_yj
    mitigation    M_yj = min(1, N_j / N_y)^p         N_c: examples of class c seen so far, at least 1
    compensation  C_yj = max(1, p_j / p_y)^q         p = softmax(z), p_y at least eps

As in the authors' code (MMDetection), no gradient flows through S, and p_y is bounded below. Their extra
"objectness" logit belongs to detection and is left out. Predict from z.
"""

import math

import torch
from torch import Tensor

from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import cast_like, check_fixed, is_batched
from imbalance_lab.losses.distributed import sum_over_ranks
from imbalance_lab.losses.reduction import Reduction
from imbalance_lab.losses.targets import is_class
from imbalance_lab.losses.weighted_cross_entropy import class_logits, require_class_indices, weighted_cross_entropy
from imbalance_lab.losses.weights import Counts, require_counts


def seesaw_loss(
    logits: Tensor,
    target: Tensor,
    counts: Tensor,
    *,
    p: float = 0.8,
    q: float = 2.0,
    eps: float = 0.01,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of z_j + log S_yj.

    Args:
        logits: z, (N, C), floating point; half precision is computed in float32.
        target: class indices (N,). A soft target has no single row of S and is refused.
        counts: N_c, examples of each class seen so far, (C,); 0 counts as 1.
        p: strength ≥ 0 of the mitigation; 0 turns it off.
        q: strength ≥ 0 of the compensation; 0 turns it off.
        eps: minimum of p_y in the compensation, in (0, 1]; without it one bad example could outweigh the batch.
        ignore_index: a class index that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (over the targets that are not ignored; 0 when all are).

    Returns:
        a scalar, or for "none" (N,); in the dtype of ``logits`` (see `cast_like`).

    Properties: p = q = 0 is cross-entropy, and so is q = 0 with equal counts; adding a constant to all logits of an
    example changes nothing; at equal logits a rarer target never costs less.

    >>> seesaw_loss(torch.zeros(1, 2), torch.tensor([0]), counts=torch.tensor([100, 1]))  # log(1 + 100^−0.8)
    tensor(0.0248)
    """
    z = class_logits(logits, len(counts))
    target = require_class_indices("Seesaw", target, len(counts), ignore_index)
    own = target.where(target != ignore_index, 0)[:, None]
    log_count = counts.to(z).clamp(min=1).log()
    mitigation = p * (log_count - log_count[own]).clamp(max=0)
    log_p = z.detach().log_softmax(1)
    compensation = q * (log_p - log_p.gather(1, own).clamp(min=math.log(eps))).clamp(min=0)
    log_seesaw = (mitigation + compensation).masked_fill(is_class(target, z), 0)
    loss = weighted_cross_entropy(z + log_seesaw, target, ignore_index=ignore_index, reduction=reduction)
    return cast_like(loss, logits)


class SeesawLoss(Loss):
    """`seesaw_loss` as a module that counts the targets it trains on, over all processes.

    Training mode first adds the batch to the buffer ``seen``, so two calls give different values; evaluation mode does
    not change it.

    Args:
        p: strength of the mitigation, ≥ 0.
        q: strength of the compensation, ≥ 0.
        eps: minimum of p_y in the compensation, in (0, 1].
        class_counts: (C,), required, but only C is used: the loss counts the examples that the sampler draws.

    The other arguments are `seesaw_loss`'s. Call it as ``loss(logits, target)``.

    Raises:
        TypeError, ValueError: for invalid arguments, missing counts, or a class without an example.

    >>> loss = SeesawLoss(class_counts=[90, 10])
    >>> value = loss(torch.zeros(3, 2), torch.tensor([0, 0, 1]))
    >>> loss.seen
    tensor([2, 1])
    """

    repr_names = ("p", "q", "eps")

    seen: Tensor

    def __init__(
        self,
        p: float = 0.8,
        q: float = 2.0,
        eps: float = 0.01,
        *,
        class_counts: Counts | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.p = check_fixed("p", p, minimum=0, maximum=10)
        self.q = check_fixed("q", q, minimum=0, maximum=10)
        self.eps = check_fixed("eps", eps, above=0, maximum=1)
        num_classes = len(require_counts("SeesawLoss", class_counts))
        self.register_buffer("seen", torch.zeros(num_classes, dtype=torch.int64))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `seesaw_loss`."""
        if self.training:
            target = require_class_indices("Seesaw", target, len(self.seen), self.ignore_index)
            valid = target != self.ignore_index
            if is_batched(valid):
                raise RuntimeError("SeesawLoss counts its targets in training, vmap must not: call loss.eval() before")
            batch = torch.zeros_like(self.seen).scatter_add(0, target.where(valid, 0), valid.long())
            self.seen += sum_over_ranks(batch)
        return seesaw_loss(
            logits,
            target,
            self.seen,
            p=self.p,
            q=self.q,
            eps=self.eps,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )
