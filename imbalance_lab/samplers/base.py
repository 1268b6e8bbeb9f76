"""What a sampler is, and what a loader asks a source for."""

from typing import NamedTuple, Protocol

from torch import Tensor


class SampledIndices(NamedTuple):
    """Positions in a split, (n,) int64, and a random seed for each of these draws, (n,) int64."""

    positions: Tensor
    seeds: Tensor


class Sampler(Protocol):
    """Decides the order of a whole epoch, over all processes.

    Its constructor may take ``targets`` of the training split, ``seed``, ``batch_size`` over all processes, and
    ``max_epochs``. A sampler that draws each class with a fixed probability also has
    ``class_priors(counts (C,)) -> (C,)``, these probabilities up to a common factor; without it they are unknown.
    One that has a ``length``, N, and ``part(epoch, start, stop)``, the draws ``start`` … ``stop`` − 1 of the order, is
    asked for parts alone if N is large (`windows.LARGE`).
    """

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64 in the training split."""
        ...
