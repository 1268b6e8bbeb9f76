"""One-way partial AUC, FPR ≤ β (SOPA; Zhu et al. 2022, arXiv 2203.00176).

    min over net and s:  1/n₊ Σ_i [ s_i + 1/(β n₋) Σ_j max(0, ℓ(h_i − h_j) − s_i) ],    i positives, j negatives

With the best s_i, the (1 − β)-quantile of the losses of positive i, it is the mean of ℓ over the share β of the
negatives that are hardest for it: a conditional value at risk. A subgradient step on s follows each batch.
"""

import torch
from torch import Tensor

from imbalance_lab.losses.checks import cast_like, check_fixed
from imbalance_lab.losses.pairs import Pairs, Surrogate, check_surrogate, mean_of, pair_losses
from imbalance_lab.losses.ranking_loss import NOT_SEEN, RankingLoss
from imbalance_lab.losses.weighted_cross_entropy import class_logits
from imbalance_lab.losses.weights import Counts


def partial_auc_loss(
    logits: Tensor,
    target: Tensor,
    *,
    max_fpr: float = 0.1,
    margin: float = 1.0,
    surrogate: Surrogate = "squared_hinge",
    ignore_index: int = -100,
) -> Tensor:
    """The formula above at the best s, for L labels, averaged over them.

    Args:
        logits: z, (N, L), floating point; half precision is computed in float32.
        target: 0 or 1, (N, L), or class indices (N,), taken one against the rest.
        max_fpr: β in (0, 1], the share of the negatives that count for a positive, the hardest; 1 is the whole AUC.
        margin: m > 0, by which a positive should be ahead.
        surrogate: what a pair costs, see `pair_losses`.
        ignore_index: a target value that is neither positive nor negative.

    Returns:
        a scalar, the mean over the labels; a label without positives or without negatives costs 0. In the dtype of
        ``logits`` (see `cast_like`).

    >>> z, y = torch.tensor([[9.0], [9.0], [-9.0]]), torch.tensor([[1], [0], [0]])
    >>> partial_auc_loss(z, y, max_fpr=0.5), partial_auc_loss(z, y, max_fpr=1.0)  # of two negatives one is as high
    (tensor(1.), tensor(0.5000))
    """
    check_fixed("max_fpr", max_fpr, above=0, maximum=1)
    check_fixed("margin", margin, above=0)
    z = class_logits(logits, logits.shape[1])
    pairs = pair_losses(z, target, check_surrogate(surrogate), margin, ignore_index)
    return cast_like(mean_of(_mean_of_hardest(pairs, max_fpr), pairs.is_positive, 0).mean(), logits)


class PartialAUCLoss(RankingLoss):
    """`partial_auc_loss` over all training examples, of which each batch shows some. See `RankingLoss`.

    An estimate of s is kept of each positive. It starts at the quantile of the first batch in which the positive is
    drawn.

    Args:
        max_fpr: β in (0, 1], the largest false positive rate that counts.
        step_size: η > 0 of the subgradient step s ← s − η (1 − share of ℓ > s, divided by β).

    The other arguments are `RankingLoss`'s.

    >>> PartialAUCLoss(0.05)
    PartialAUCLoss(max_fpr=0.05, step_size=0.02, surrogate='squared_hinge', margin=1.0, num_labels=1, ignore_index=-100)
    """

    repr_names = ("max_fpr", "step_size", "surrogate", "margin", "num_labels")

    def __init__(
        self,
        max_fpr: float = 0.1,
        step_size: float = 0.02,
        *,
        surrogate: Surrogate = "squared_hinge",
        margin: float = 1.0,
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
            decay=1.0,
            warmup=warmup,
            class_counts=class_counts,
            num_labels=num_labels,
            num_examples=num_examples,
            num_indices=num_indices,
            max_epochs=max_epochs,
            positive=positive,
            ignore_index=ignore_index,
        )
        self.max_fpr = check_fixed("max_fpr", max_fpr, above=0, maximum=1)
        self.step_size = check_fixed("step_size", step_size, above=0, maximum=10)

    def of_pairs(self, pairs: Pairs, index: Tensor | None) -> Tensor:
        """As the base says; s is that of before the batch, as in the paper."""
        if index is None:
            return mean_of(_mean_of_hardest(pairs, self.max_fpr), pairs.is_positive, 0)
        negative = pairs.negative.unsqueeze(0)
        known = (pairs.is_positive & negative.any(1)).unsqueeze(2)
        s = self.estimates[index].to(pairs.losses)[..., 0]
        s = torch.where(s == NOT_SEEN, _quantile(pairs, self.max_fpr), s)
        excess = (pairs.losses - s.unsqueeze(1)).clamp(min=0)
        share = mean_of((excess > 0).to(s), negative, 1)
        self.smooth((s - self.step_size * (1 - share / self.max_fpr)).clamp(min=0).unsqueeze(2), known, index)
        return mean_of(s + mean_of(excess, negative, 1) / self.max_fpr, pairs.is_positive & known[..., 0], 0)


def _hardest_first(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """The losses of each row in falling order, negatives first, (P, N, L), and the number of negatives, (L,)."""
    ordered = pairs.losses.masked_fill(~pairs.negative, -1).sort(1, descending=True).values
    return ordered, pairs.negative.sum(0)


def _mean_of_hardest(pairs: Pairs, max_fpr: float) -> Tensor:
    """The mean loss of the share β of the negatives that is hardest for each row, (P, L); one may count in part."""
    ordered, count = _hardest_first(pairs)
    limit = count.to(ordered) * max_fpr
    rank = torch.arange(ordered.shape[1], device=ordered.device).to(ordered)
    part = (limit - rank.unsqueeze(1)).clamp(0, 1) / limit.clamp(min=torch.finfo(ordered.dtype).tiny)
    return (ordered * part).sum(1)


def _quantile(pairs: Pairs, max_fpr: float) -> Tensor:
    """The (1 − β)-quantile of the losses of each row, (P, L)."""
    ordered, count = _hardest_first(pairs)
    place = (count * max_fpr).long().clamp(max=ordered.shape[1] - 1)
    at = place.expand(len(ordered), 1, -1) if ordered.dim() == 3 else place
    return ordered.gather(1, at).squeeze(1).detach().clamp(min=0)
