"""The usual shuffle, without regard to classes."""

import torch
from torch import Tensor

from imbalance_lab import seeding


class RandomSampler:
    """Every example once, in a different order each epoch.

    Args:
        targets: class indices of the training split, (N,), or 0/1 labels (N, C).
        seed: decides the order, together with the epoch.
    """

    def __init__(self, *, targets: Tensor, seed: int = 0) -> None:
        self.length = len(targets)
        self.seed = seed

    def order(self, epoch: int) -> Tensor:
        """A permutation of 0 … N − 1, (N,) int64."""
        return torch.randperm(self.length, generator=seeding.generator(self.seed, epoch))

    def class_priors(self, counts: Tensor) -> Tensor:
        """n_c: classes are drawn as often as they occur; counts (C,) → (C,) float64."""
        return counts.double()
