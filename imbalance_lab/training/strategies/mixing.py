"""What mixup, CutMix and Remix have in common: each example of a batch is mixed with another one of it."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab import seeding
from imbalance_lab.losses.soft_targets import accepts_soft_targets
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.strategy import Strategy
from imbalance_lab.validation import check_number


class Mixing(Strategy):
    """Mixes each example with a partner, by a share λ ~ Beta(α, α) of its own that is the same for the whole batch.

    The partners are a permutation of the batch, or of each process's share of it. With λ = 1, and in a batch of one
    example, nothing changes.

    Args:
        alpha: α > 0; 1 draws every λ alike, less favors λ near 0 or 1.
        task: classes or labels.
        loss: must take soft targets.
        cardinalities: of the columns of categories, which the inputs end with.

    Raises:
        ValueError: for a loss that takes class indices only, and for inputs that cannot be mixed.
    """

    stream: ClassVar[int]
    """Sets the random numbers apart from those of augmentations, which have the same keys."""

    def __init__(self, alpha: float, *, task: Task, loss: nn.Module, cardinalities: Sequence[int] = ()) -> None:
        self.alpha = check_number("alpha", alpha, above=0)
        self.task = task
        if not accepts_soft_targets(loss):
            raise ValueError(
                f"{type(self).__name__} makes targets between classes, which {type(loss).__name__} does not take: "
                "choose loss=cross_entropy, focal, logit_adjusted, vector_scaling or poly, or for labels sigmoid_focal "
                "or asymmetric, or set accepts_soft_targets = True in your own loss that takes distributions (N, C)"
            )
        if cardinalities:
            raise ValueError(
                f"{type(self).__name__} mixes numbers, and the table has columns of categories ({len(cardinalities)}), "
                "which cannot be mixed: leave them out with data.drop, or choose strategy=none"
            )

    def mix(self, inputs: Tensor, target: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Mixed inputs like ``inputs`` (n, …), and distributions over the classes or shares of labels, (n, C)."""
        if len(inputs) < 2:
            return inputs, target
        key = seeding.hash_seeds(self.stream, int(keys[0]))
        share = float(np.random.default_rng(key).beta(self.alpha, self.alpha))
        partners = seeding.hash_indices(key, keys).argsort()
        mixed, share = self.mix_inputs(inputs, partners, share, key)
        if share == 1:
            return inputs, target
        own = self.share_of_labels(target, partners, share)
        labels = self._as_shares(target)
        return mixed, own * labels + (1 - own) * labels[partners]

    @abstractmethod
    def mix_inputs(self, inputs: Tensor, partners: Tensor, share: float, key: int) -> tuple[Tensor, float]:
        """Mix inputs (n, …) with ``inputs[partners]``; return them, and the share that each keeps of its own."""

    def share_of_labels(self, target: Tensor, partners: Tensor, share: float) -> float | Tensor:
        """How much of its own label an example keeps: one number, or one for each, (n, 1)."""
        return share

    def _as_shares(self, target: Tensor) -> Tensor:
        """Class indices (n,), or labels or shares (n, C), as float32 (n, C)."""
        return (target if target.ndim == 2 else F.one_hot(target, self.task.num_classes)).to(torch.float32)
