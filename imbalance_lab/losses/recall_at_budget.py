"""Recall at an alarm budget, as Pat&Mat has it (Adam et al. 2020, arXiv 2002.10923, sec. 3).

    min over net:  1/n₊ Σ_i log(1 + e^(m − (z_i − t))),    i positives, with t such that
    π E₊ σ((z − t) / s) + (1 − π) E₋ σ((z − t) / s) = b

A positive should be above t, and t moves so that the share b of all examples stays above it: a smooth quantile, with
σ(· / s) for the step. Its gradient is that of the quantile, Σ_j κ_j ∇z_j with κ_j ∝ σ′((z_j − t) / s): what is near the
threshold is pushed down. π is that of the training examples, whatever a sampler draws.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses.checks import check_fixed
from imbalance_lab.losses.label_scores import label_counts
from imbalance_lab.losses.pairs import batch_prior, mean_of, members
from imbalance_lab.losses.ranking_loss import RankingLoss
from imbalance_lab.losses.weights import Counts

BISECTIONS = 60


class RecallAtBudgetLoss(RankingLoss):
    """The formula above for L labels, averaged over them; t is a moving average over the batches. See `RankingLoss`.

    Args:
        budget: b in (0, 1), the share of the examples, as they come, that may be flagged.
        temperature: s > 0, how soft the step at the threshold is, in logits.
        margin: m ≥ 0, by which a positive should be above the threshold.
        decay: γ in (0, 1], the weight of a batch in t.
        class_counts: also for π: the share of each class, or with ``num_examples`` that of each label; without it π
            is that of a batch.

    The other arguments are `RankingLoss`'s.

    >>> RecallAtBudgetLoss(0.01)
    RecallAtBudgetLoss(budget=0.01, temperature=1.0, margin=1.0, decay=0.1, num_labels=1, ignore_index=-100)
    """

    repr_names = ("budget", "temperature", "margin", "decay", "num_labels")

    threshold: Tensor
    has_threshold: Tensor
    prior: Tensor

    def __init__(
        self,
        budget: float = 0.05,
        temperature: float = 1.0,
        *,
        margin: float = 1.0,
        decay: float = 0.1,
        warmup: float | None = None,
        class_counts: Counts | None = None,
        num_labels: int | None = None,
        num_examples: int | None = None,
        max_epochs: int | None = None,
        positive: int | None = None,
        ignore_index: int = -100,
    ) -> None:
        super().__init__(
            surrogate="logistic",
            margin=margin,
            decay=decay,
            warmup=warmup,
            class_counts=class_counts,
            num_labels=num_labels,
            num_examples=num_examples,
            num_indices=None,
            max_epochs=max_epochs,
            positive=positive,
            ignore_index=ignore_index,
        )
        self.budget = check_fixed("budget", budget, above=0, below=1)
        self.temperature = check_fixed("temperature", temperature, above=0, maximum=100)
        self.register_buffer("threshold", torch.zeros(self.num_labels))
        self.register_buffer("has_threshold", torch.zeros(self.num_labels, dtype=torch.bool))
        self.register_buffer("prior", label_counts(class_counts, num_examples, self.num_labels, self.positive)[1])

    def of_batch(self, z: Tensor, target: Tensor, index: Tensor | None) -> Tensor:
        """As the base says; t has the value of the moving average and the gradient of the batch's."""
        positive, negative = members(z, target, self.ignore_index)
        known = positive.any(0) & negative.any(0)
        prior = torch.where(self.prior == 0, batch_prior(positive, negative, z), self.prior).to(z)
        share = positive * (prior / positive.sum(0).clamp(min=1)) + negative * (
            (1 - prior) / negative.sum(0).clamp(min=1)
        )
        batch = self._threshold(z, share)
        average = batch.detach()
        if index is not None:
            before = self.threshold.to(z)
            average = torch.where(self.has_threshold, (1 - self.decay) * before + self.decay * average, average)
            self.threshold.copy_(torch.where(known, average, before))
            self.has_threshold.logical_or_(known)
        below = F.softplus(self.margin - (z - (batch + average - batch.detach())))
        return torch.where(known, mean_of(below, positive, 0), 0)

    def _threshold(self, z: Tensor, share: Tensor) -> Tensor:
        """The t above which the share b of a batch is, (L,), with its gradient; ``share`` (N, L) sums to 1 over N."""
        # Beyond these ends less or more than b is above, if all logits were at the largest or smallest.
        reach = self.temperature * (math.log(1 - self.budget) - math.log(self.budget))
        ends = torch.cat([z.detach(), z.new_zeros(1, z.shape[1])])
        low, high = ends.amin(0) + reach, ends.amax(0) + reach
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            is_above = (share * self._above(z.detach(), middle)).sum(0) > self.budget
            low, high = torch.where(is_above, middle, low), torch.where(is_above, high, middle)
        threshold = low
        for _ in range(2):  # Newton's steps from the root stay there, and have its first and second derivatives
            above = self._above(z, threshold)
            density = (share * above * (1 - above)).sum(0) / self.temperature
            surplus = (share * above).sum(0) - self.budget
            threshold = threshold + surplus / density.clamp(min=torch.finfo(z.dtype).tiny)
        return threshold

    def _above(self, z: Tensor, threshold: Tensor) -> Tensor:
        return ((z - threshold) / self.temperature).sigmoid()
