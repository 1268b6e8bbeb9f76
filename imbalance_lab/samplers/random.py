"""The usual shuffle, without regard to classes."""

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.samplers.windows import WindowedDraws, is_large


class RandomSampler:
    """Every example once, in a different order each epoch.

    Of more than `windows.LARGE` examples every window of an epoch has each class's exact share, see there.

    Args:
        targets: class indices of the training split, (N,), or 0/1 labels (N, C).
        seed: decides the order, together with the epoch.
    """

    def __init__(self, *, targets: Tensor, seed: int = 0) -> None:
        self.length = len(targets)
        self.seed = seed
        self.windows = WindowedDraws(targets, seed) if is_large(self.length) else None

    def order(self, epoch: int) -> Tensor:
        """A permutation of 0 … N − 1, (N,) int64."""
        if self.windows is not None:
            return self.part(epoch, 0, self.length)
        return torch.randperm(self.length, generator=seeding.generator(self.seed, epoch))

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order."""
        if self.windows is None:
            return self.order(epoch)[start:stop]
        return self.windows.part(self.windows.counts, epoch, start, stop)

    def class_priors(self, counts: Tensor) -> Tensor:
        """n_c: classes are drawn as often as they occur; counts (C,) → (C,) float64."""
        return counts.double()
