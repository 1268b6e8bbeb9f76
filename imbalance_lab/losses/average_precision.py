"""Average precision (SOAP; Qi et al. 2021, arXiv 2104.08736).

    min over net:  1/n₊ Σ_i (1 − π P_i / (π P_i + (1 − π) N_i)),    i positives

with P_i the mean of ℓ(h_i − h_j) over the positives j, i itself among them, N_i that over the negatives, and π the
share of positives. Where ℓ were 1 for h_j ≥ h_i and else 0, it would be 1 − AP. P and N are estimated apart and put
together with the π of the training examples, so that a sampler that draws more positives changes nothing of what is
minimized.
"""

from typing import ClassVar

import torch
from torch import Tensor

from imbalance_lab.losses.checks import cast_like, check_fixed
from imbalance_lab.losses.label_scores import label_counts
from imbalance_lab.losses.pairs import Pairs, Surrogate, batch_prior, check_surrogate, mean_of, pair_losses
from imbalance_lab.losses.ranking_loss import NOT_SEEN, RankingLoss
from imbalance_lab.losses.weighted_cross_entropy import class_logits
from imbalance_lab.losses.weights import Counts


def average_precision_loss(
    logits: Tensor,
    target: Tensor,
    *,
    prior: Tensor | None = None,
    margin: float = 1.0,
    surrogate: Surrogate = "squared_hinge",
    ignore_index: int = -100,
) -> Tensor:
    """The formula above for L labels, averaged over them.

    Args:
        logits: z, (N, L), floating point; half precision is computed in float32.
        target: 0 or 1, (N, L), or class indices (N,), taken one against the rest.
        prior: π of each label, (L,); None takes the share of positives in the batch.
        margin: m > 0, by which a positive should be ahead.
        surrogate: what a pair costs, see `pair_losses`.
        ignore_index: a target value that is neither positive nor negative.

    Returns:
        a scalar, the mean over the labels; a label without positives or without negatives costs 0. In the dtype of
        ``logits`` (see `cast_like`).

    >>> z, y = torch.tensor([[9.0], [9.0], [-9.0]]), torch.tensor([[1], [0], [0]])
    >>> average_precision_loss(z, y)  # one negative as high as the only positive: a precision of ½
    tensor(0.5000)
    """
    check_fixed("margin", margin, above=0)
    z = class_logits(logits, logits.shape[1])
    pairs = pair_losses(z, target, check_surrogate(surrogate), margin, ignore_index)
    means = _means(pairs, None)
    share = batch_prior(pairs.positive, pairs.negative, z) if prior is None else prior.to(z)
    return cast_like(mean_of(_miss(means[..., 0], means[..., 1], share), _known(pairs), 0).mean(), logits)


class AveragePrecisionLoss(RankingLoss):
    """`average_precision_loss` over all training examples, of which each batch shows some. See `RankingLoss`.

    Of each positive moving averages of P and N are kept.

    Args:
        class_counts: also for π: the share of each class, or with ``num_examples`` that of each label; without it π
            and n₊ are those of a batch.

    The other arguments are `RankingLoss`'s.

    >>> AveragePrecisionLoss(class_counts=[95, 5]).prior
    tensor([0.0500])
    """

    columns: ClassVar[int] = 2

    prior: Tensor
    count: Tensor

    def __init__(
        self,
        *,
        surrogate: Surrogate = "squared_hinge",
        margin: float = 1.0,
        decay: float = 0.9,
        warmup: float | None = None,
        class_counts: Counts | None = None,
        num_labels: int | None = None,
        num_examples: int | None = None,
        num_indices: int | None = None,
        max_epochs: int | None = None,
        positive: int | None = None,
        ignore_index: int = -100,
    ) -> None:
        super().__init__(
            surrogate=surrogate,
            margin=margin,
            decay=decay,
            warmup=warmup,
            class_counts=class_counts,
            num_labels=num_labels,
            num_examples=num_examples,
            num_indices=num_indices,
            max_epochs=max_epochs,
            positive=positive,
            ignore_index=ignore_index,
        )
        count, prior = label_counts(class_counts, num_examples, self.num_labels, self.positive)
        self.register_buffer("prior", prior)
        self.register_buffer("count", count)

    def of_pairs(self, pairs: Pairs, index: Tensor | None) -> Tensor:
        """As the base says."""
        prior = torch.where(self.prior == 0, batch_prior(pairs.positive, pairs.negative, pairs.losses), self.prior)
        means = _means(pairs, torch.where(self.count == 0, pairs.positive.sum(0), self.count))
        known = _known(pairs)
        if index is None:
            return mean_of(_miss(means[..., 0], means[..., 1], prior), known, 0)
        has_others = known & (pairs.positive.sum(0) > 1)
        average = self.smooth(means, torch.stack([has_others, known], 2), index)
        average = torch.where(average == NOT_SEEN, means.detach(), average)
        # The value and the slopes at the averages; the gradient of the batch's means.
        at = average + means - means.detach()
        return mean_of(_miss(at[..., 0], at[..., 1], prior), known, 0)


def _means(pairs: Pairs, count: Tensor | None) -> Tensor:
    """P and N of each row and label, (P, L, 2).

    The batch's mean over the *other* positives is that of all n₊ − 1; the row itself, at ℓ(0), is one of n₊.

    Args:
        pairs: of a batch.
        count: n₊, (L,); None for the positives of the batch.
    """
    count = pairs.positive.sum(0) if count is None else count
    every = torch.arange(len(pairs.positive), device=pairs.rows.device)
    itself = (pairs.rows.unsqueeze(1) == every).unsqueeze(2)
    own = pairs.losses.masked_fill(~itself, 0).sum(1)
    share = 1 / count.to(own).clamp(min=1)
    others = pairs.positive.unsqueeze(0) & ~itself
    rest = torch.where(others.any(1), mean_of(pairs.losses, others, 1), own)
    return torch.stack([share * own + (1 - share) * rest, mean_of(pairs.losses, pairs.negative.unsqueeze(0), 1)], 2)


def _miss(present: Tensor, absent: Tensor, prior: Tensor) -> Tensor:
    """1 − π P / (π P + (1 − π) N)."""
    above = (1 - prior) * absent
    return above / (prior * present + above).clamp(min=torch.finfo(above.dtype).tiny)


def _known(pairs: Pairs) -> Tensor:
    """Which rows are positive where the batch has negatives too, (P, L)."""
    return pairs.is_positive & pairs.negative.any(0)
