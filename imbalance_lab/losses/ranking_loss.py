"""What losses of rankings have in common: labels, the batch of all processes, estimates by example, a warm start."""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses.base import Loss
from imbalance_lab.losses.checks import cast_like, check_fixed, in_full_precision
from imbalance_lab.losses.distributed import average_of_ranks, gather_batch
from imbalance_lab.losses.label_scores import by_label, count_labels
from imbalance_lab.losses.pairs import Pairs, Surrogate, check_surrogate, pair_losses
from imbalance_lab.losses.targets import binary_targets, count_valid, zero_ignored
from imbalance_lab.losses.weights import Counts
from imbalance_lab.validation import check_integer, check_number

NOT_SEEN = -1.0
"""An estimate of an example that has not been drawn yet; all others are ≥ 0."""


class RankingLoss(Loss):
    """The base of losses that compare every positive with the other examples of a batch.

    The order of all training examples is what counts, and a batch shows a small part of it. So an estimate of what is
    needed of a positive is kept by its index from one time that it is drawn to the next (`estimates`, a buffer).

    Args:
        surrogate: what a pair costs, see `pair_losses`.
        margin: m > 0, by which a positive should be ahead.
        decay: γ in (0, 1], the weight of a batch in the estimates; 1 forgets what was before.
        warmup: the share of the run that trains with cross-entropy first, in [0, 1); None is ``default_warmup`` where
            the length of the run is known from ``num_examples`` and ``max_epochs``, else 0.
        class_counts: training examples of each class or label, (C,).
        num_labels: L; None is 1 for two classes or no ``class_counts``, else C.
        num_examples: N, the training examples.
        num_indices: one more than the largest index of a training example; without it each batch stands alone.
        max_epochs: of the run.
        positive: of two classes the one that is ranked first, 0 or 1.
        ignore_index: a target value that is neither positive nor negative.

    Call it as ``loss(logits, target, index)`` in training, with the index of each example, (N,); without ``index``, or
    in evaluation mode, it is the loss of that batch alone. Logits and target as in `AUCMarginLoss`. A batch without
    positives, or without negatives, costs nothing. Under DDP the batch is that of all processes.

    Raises:
        TypeError, ValueError: for invalid arguments.
    """

    needs_index = True
    repr_names: tuple[str, ...] = ("surrogate", "margin", "decay", "num_labels")
    columns: ClassVar[int] = 1
    """Numbers that are kept of an example and label."""
    default_warmup: ClassVar[float] = 0.5

    seen: Tensor
    estimates: Tensor

    def __init__(
        self,
        *,
        surrogate: Surrogate,
        margin: float,
        decay: float,
        warmup: float | None,
        class_counts: Counts | None,
        num_labels: int | None,
        num_examples: int | None,
        num_indices: int | None,
        max_epochs: int | None,
        positive: int | None,
        ignore_index: int,
    ) -> None:
        super().__init__(ignore_index=ignore_index)
        self.surrogate = check_surrogate(surrogate)
        self.margin = check_fixed("margin", margin, above=0, maximum=10)
        self.decay = check_fixed("decay", decay, above=0, maximum=1)
        self.num_labels = count_labels(num_labels, class_counts)
        self.positive = 1 if positive is None else check_integer("positive", positive, minimum=0, maximum=1)
        self.activation = "softmax" if self.num_labels == 1 else "sigmoid"
        length = None if num_examples is None or max_epochs is None else num_examples * max_epochs
        if warmup is not None:
            check_number("warmup", warmup, minimum=0, below=1)
            if warmup and length is None:
                raise ValueError(f"warmup={warmup} is a share of the run: give num_examples and max_epochs")
        self.warmup = self.default_warmup if warmup is None else warmup
        self.warmup_examples = 0 if length is None else round(self.warmup * length)
        size = 0 if num_indices is None else check_integer("num_indices", num_indices, minimum=1)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("estimates", torch.full((size, self.num_labels, self.columns), NOT_SEEN))

    def of_pairs(self, pairs: Pairs, index: Tensor | None) -> Tensor:
        """The loss of each label, (L,), 0 where a batch has no pair; ``index`` (P,) of the rows if estimates count."""
        raise NotImplementedError

    def forward(self, logits: Tensor, target: Tensor, index: Tensor | None = None) -> Tensor:
        """Return the loss, a scalar; shapes as in the class docstring."""
        z, target = by_label(in_full_precision(logits), target, self.num_labels, self.positive)
        is_step = self.training and index is not None
        columns = gather_batch(z, target, *([] if index is None else [index]))
        z, target = columns[:2]
        value = self.of_batch(z, target, columns[2] if is_step else None).mean() + 0 * z.sum()
        if is_step and self.warmup_examples:
            value = torch.where(self.seen < self.warmup_examples, self._cross_entropy(z, target), value)
            self.seen += len(z)
        return cast_like(average_of_ranks(value), logits)

    def of_batch(self, z: Tensor, target: Tensor, index: Tensor | None) -> Tensor:
        """The loss of each label, (L,), from logits (N, L) of all processes; ``index`` (N,) in a step of training."""
        if index is not None and len(self.estimates) == 0:
            raise ValueError("estimates are kept by index: give num_indices, one more than the largest index")
        pairs = pair_losses(z, target, self.surrogate, self.margin, self.ignore_index)
        return self.of_pairs(pairs, None if index is None else index[pairs.rows])

    def smooth(self, batch: Tensor, known: Tensor, index: Tensor) -> Tensor:
        """Move the estimates of the rows towards the batch's, and return them.

        An example that is drawn twice in a batch, as samplers with replacement do, counts with its mean.

        Args:
            batch: what the batch says, ≥ 0, (P, L, columns).
            known: where it says anything, of the same shape.
            index: of the rows, (P,).

        Returns:
            (P, L, columns); the batch's own where an example is new, and `NOT_SEEN` where nothing is known of it.
        """
        same = (index.unsqueeze(1) == index.unsqueeze(0)).to(batch)
        batch = self.average(batch.detach(), same / same.sum(1, keepdim=True))
        before = self.estimates[index].to(batch)
        after = torch.where(before == NOT_SEEN, batch, self.mix(before, batch))
        after = torch.where(known, after, before)
        self.estimates[index] = after.to(self.estimates.dtype)
        return after

    def average(self, batch: Tensor, share: Tensor) -> Tensor:
        """Σ_q share_pq batch_q, (P, L, columns), of rows that show the same example; ``share`` (P, P)."""
        return torch.einsum("pq,qlc->plc", share, batch)

    def mix(self, before: Tensor, batch: Tensor) -> Tensor:
        """(1 − γ) before + γ batch."""
        return (1 - self.decay) * before + self.decay * batch

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Take as many estimates as are stored: a model may be tested on other data than it was trained on."""
        saved = state_dict.get(f"{prefix}estimates")
        if isinstance(saved, Tensor) and saved.shape[1:] == self.estimates.shape[1:]:
            self.estimates = self.estimates.new_empty(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def _cross_entropy(self, z: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy of the labels that are known."""
        y, ignored = binary_targets(z, target, self.ignore_index)
        each = zero_ignored(F.binary_cross_entropy_with_logits(z, y.to(z), reduction="none"), ignored)
        return each.sum() / count_valid(each, ignored).clamp(min=1)
