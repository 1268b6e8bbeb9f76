"""Draws with replacement of a class, then of one of its examples; what several samplers have in common."""

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.class_counts import count_classes
from imbalance_lab.samplers.windows import WindowedDraws, apportion, is_large


class DrawByClass:
    """The examples of each class that has any, in order of the class index.

    Of more than `windows.LARGE` examples an epoch is drawn by quotas: a class with probability q has exactly its share
    of the N draws, rounded, and its examples come in shuffled rounds, none twice before all came once.

    Args:
        targets: class indices of the training split, (N,).
        seed: decides the draws, together with the epoch.

    Raises:
        ValueError: for targets of a multilabel task.
    """

    def __init__(self, targets: Tensor, seed: int) -> None:
        if targets.ndim != 1:
            raise ValueError(
                "this sampler draws a class and then one of its examples, but an example has several labels: "
                "choose sampler=shuffled or sampler=m_per_class"
            )
        self.seed, self.length = seed, len(targets)
        self.windows = WindowedDraws(targets, seed) if is_large(len(targets)) else None
        if self.windows is not None:
            self.counts = self.windows.counts
            return
        self.members = targets.argsort(stable=True)
        counts = count_classes(targets, int(targets.max()) + 1)
        self.counts = counts[counts > 0]
        self.starts = self.counts.cumsum(0) - self.counts

    def draw(self, class_priors: Tensor, epoch: int) -> Tensor:
        """Positions (N,) int64; ``class_priors`` (K,), up to a factor, of the K classes that have examples."""
        if self.windows is not None:
            return self.part(class_priors, epoch, 0, self.length)
        draws = seeding.generator(self.seed, epoch)
        # Over classes, of which torch.multinomial takes up to 2^24; over examples that would be a limit on N.
        drawn = torch.multinomial(class_priors.double(), len(self.members), replacement=True, generator=draws)
        member = torch.rand(len(self.members), dtype=torch.float64, generator=draws)
        return self.members[self.starts[drawn] + (member * self.counts[drawn]).long()]

    def part(self, class_priors: Tensor, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of `draw`."""
        if self.windows is None:
            return self.draw(class_priors, epoch)[start:stop]
        return self.windows.part(apportion(self.length, class_priors), epoch, start, stop)
