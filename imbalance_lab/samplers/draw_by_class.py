"""Draws with replacement of a class, then of one of its examples; what several samplers have in common."""

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.class_counts import count_classes


class DrawByClass:
    """The examples of each class that has any, in order of the class index.

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
        self.seed = seed
        self.members = targets.argsort(stable=True)
        counts = count_classes(targets, int(targets.max()) + 1)
        self.counts = counts[counts > 0]
        self.starts = self.counts.cumsum(0) - self.counts

    def draw(self, class_priors: Tensor, epoch: int) -> Tensor:
        """Positions (N,) int64; ``class_priors`` (K,), up to a factor, of the K classes that have examples."""
        draws = seeding.generator(self.seed, epoch)
        # Over classes, of which torch.multinomial takes up to 2^24; over examples that would be a limit on N.
        drawn = torch.multinomial(class_priors.double(), len(self.members), replacement=True, generator=draws)
        member = torch.rand(len(self.members), dtype=torch.float64, generator=draws)
        return self.members[self.starts[drawn] + (member * self.counts[drawn]).long()]
