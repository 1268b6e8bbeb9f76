"""Partial AUC by soft weights of hard pairs (SOPA-s and SOTA-s; Zhu et al. 2022, arXiv 2203.00176).

    one-way   min over net:  1/n₊ Σ_i λ log u_i,                     u_i = 1/n₋ Σ_j exp(ℓ(h_i − h_j) / λ)
    two-way   min over net:  λ′ log (1/n₊ Σ_i u_i^(λ / λ′)),         i positives, j negatives

A pair weighs exp(ℓ/λ) / u_i, one-way: the smaller λ, the fewer of the hardest negatives count, as with a smaller FPR.
In the two-way form the hard positives count more too, as with a larger TPR; λ′ → ∞ is one-way, λ → ∞ the whole AUC.
Unlike the conditional value at risk of `partial_auc_loss` it is smooth.
"""

import math

import torch
from torch import Tensor

from imbalance_lab.losses.checks import cast_like, check_fixed
from imbalance_lab.losses.pairs import Pairs, Surrogate, check_surrogate, log_mean_exp, mean_of, pair_losses
from imbalance_lab.losses.ranking_loss import NOT_SEEN, RankingLoss
from imbalance_lab.losses.weighted_cross_entropy import class_logits
from imbalance_lab.losses.weights import Counts


def soft_partial_auc_loss(
    logits: Tensor,
    target: Tensor,
    *,
    temperature: float = 0.3,
    margin: float = 1.0,
    surrogate: Surrogate = "squared_hinge",
    ignore_index: int = -100,
) -> Tensor:
    """The one-way formula above for L labels, averaged over them.

    Args:
        logits: z, (N, L), floating point; half precision is computed in float32.
        target: 0 or 1, (N, L), or class indices (N,), taken one against the rest.
        temperature: λ > 0.
        margin: m > 0, by which a positive should be ahead.
        surrogate: what a pair costs, see `pair_losses`.
        ignore_index: a target value that is neither positive nor negative.

    Returns:
        a scalar, the mean over the labels; a label without positives or without negatives costs 0. In the dtype of
        ``logits`` (see `cast_like`).

    >>> soft_partial_auc_loss(torch.tensor([[9.0], [-9.0]]), torch.tensor([[0], [1]]))  # ℓ of the one pair, (1 + 1)²
    tensor(3.9990)
    """
    pairs, log_u = _log_u(logits, target, temperature, margin, surrogate, ignore_index)
    return cast_like(temperature * mean_of(log_u, pairs.is_positive, 0).mean(), logits)


def two_way_partial_auc_loss(
    logits: Tensor,
    target: Tensor,
    *,
    temperature: float = 0.3,
    positive_temperature: float = 1.0,
    margin: float = 1.0,
    surrogate: Surrogate = "squared_hinge",
    ignore_index: int = -100,
) -> Tensor:
    """The two-way formula above for L labels, averaged over them.

    Args:
        logits: z, (N, L), floating point; half precision is computed in float32.
        target: 0 or 1, (N, L), or class indices (N,), taken one against the rest.
        temperature: λ > 0, of the negatives.
        positive_temperature: λ′ > 0, of the positives.
        margin: m > 0, by which a positive should be ahead.
        surrogate: what a pair costs, see `pair_losses`.
        ignore_index: a target value that is neither positive nor negative.

    Returns:
        a scalar, the mean over the labels; a label without positives or without negatives costs 0. In the dtype of
        ``logits`` (see `cast_like`).

    >>> z, y = torch.tensor([[9.0], [-9.0], [-9.0]]), torch.tensor([[0], [1], [0]])
    >>> two_way_partial_auc_loss(z, y, temperature=1.0, positive_temperature=1.0)  # log of the mean of e⁴ and e¹
    tensor(3.3545)
    """
    check_fixed("positive_temperature", positive_temperature, above=0)
    pairs, log_u = _log_u(logits, target, temperature, margin, surrogate, ignore_index)
    power = temperature / positive_temperature
    return cast_like(positive_temperature * log_mean_exp(power * log_u, pairs.is_positive, 0).mean(), logits)


class SoftPartialAUCLoss(RankingLoss):
    """`soft_partial_auc_loss` over all training examples, of which each batch shows some. See `RankingLoss`.

    Of each positive a moving average of u is kept, in the logarithm.

    Args:
        temperature: λ > 0. With the squared hinge a pair costs at most 4, and one in equal order 1.

    The other arguments are `RankingLoss`'s.

    >>> SoftPartialAUCLoss(0.5).temperature
    0.5
    """

    repr_names = ("temperature", *RankingLoss.repr_names)

    def __init__(
        self,
        temperature: float = 0.3,
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
        self.temperature = check_fixed("temperature", temperature, above=0, maximum=100)

    def of_pairs(self, pairs: Pairs, index: Tensor | None) -> Tensor:
        """As the base says: pairs weigh exp(ℓ/λ) / u with the moving average u, to which the batch already belongs."""
        log_u = log_mean_exp(pairs.losses / self.temperature, pairs.negative.unsqueeze(0), 1)
        known = pairs.is_positive & pairs.negative.any(0)
        if index is None:
            return self.temperature * mean_of(log_u, known, 0)
        average = self.smooth(log_u.unsqueeze(2), known.unsqueeze(2), index)[..., 0]
        # The gradient of exp(log u of the batch − log of the average) is Σ_j exp(ℓ/λ) / average ∇ℓ / (λ n).
        each = average + expm1_of_gradient(log_u, average)
        return self.temperature * mean_of(each, known, 0)

    def average(self, batch: Tensor, share: Tensor) -> Tensor:
        """Log Σ_q share_pq exp(batch_q)."""
        return (share.log()[..., None, None] + batch.unsqueeze(0)).logsumexp(1)

    def mix(self, before: Tensor, batch: Tensor) -> Tensor:
        """Log of (1 − γ) u + γ u of the batch."""
        if self.decay == 1:
            return batch
        return torch.logaddexp(before + math.log1p(-self.decay), batch + math.log(self.decay))


class TwoWayPartialAUCLoss(SoftPartialAUCLoss):
    """`two_way_partial_auc_loss` over all training examples, of which each batch shows some. See `RankingLoss`.

    Of each positive a moving average of u is kept, and one of the mean of u^(λ / λ′), both in the logarithm.

    Args:
        temperature: λ > 0, of the negatives.
        positive_temperature: λ′ > 0, of the positives.

    The other arguments are `RankingLoss`'s.

    >>> TwoWayPartialAUCLoss().positive_temperature
    1.0
    """

    repr_names = ("temperature", "positive_temperature", *RankingLoss.repr_names)

    log_mean: Tensor

    def __init__(
        self,
        temperature: float = 0.3,
        positive_temperature: float = 1.0,
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
            temperature,
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
        self.positive_temperature = check_fixed("positive_temperature", positive_temperature, above=0, maximum=100)
        self.register_buffer("log_mean", torch.full((self.num_labels,), NOT_SEEN))

    def of_pairs(self, pairs: Pairs, index: Tensor | None) -> Tensor:
        """As the base says: pairs weigh u^(λ / λ′ − 1) exp(ℓ/λ) / mean of u^(λ / λ′), with moving averages."""
        power = self.temperature / self.positive_temperature
        log_u = log_mean_exp(pairs.losses / self.temperature, pairs.negative.unsqueeze(0), 1)
        known = pairs.is_positive & pairs.negative.any(0)
        if index is None:
            return self.positive_temperature * log_mean_exp(power * log_u, known, 0)
        average = self.smooth(log_u.unsqueeze(2), known.unsqueeze(2), index)[..., 0]
        batch, before = log_mean_exp(power * average, known, 0), self.log_mean.to(average)
        after = torch.where(before == NOT_SEEN, batch, self.mix(before, batch))
        after = torch.where(known.any(0), after, before)
        self.log_mean.copy_(after)
        weight = (power * average - after).exp()
        each = mean_of(weight * expm1_of_gradient(log_u, average), known, 0) * self.temperature
        return torch.where(known.any(0), self.positive_temperature * after, 0) + each


def expm1_of_gradient(log_u: Tensor, average: Tensor) -> Tensor:
    """0, with the gradient of u / average by the pairs, for u = exp(log u)."""
    ratio = (log_u - average).exp()
    return ratio - ratio.detach()


def _log_u(
    logits: Tensor, target: Tensor, temperature: float, margin: float, surrogate: Surrogate, ignore_index: int
) -> tuple[Pairs, Tensor]:
    """The pairs, and log u of each row and label, (P, L), 0 without negatives."""
    check_fixed("temperature", temperature, above=0)
    check_fixed("margin", margin, above=0)
    z = class_logits(logits, logits.shape[1])
    pairs = pair_losses(z, target, check_surrogate(surrogate), margin, ignore_index)
    return pairs, log_mean_exp(pairs.losses / temperature, pairs.negative.unsqueeze(0), 1)
