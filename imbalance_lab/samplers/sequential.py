"""The stored order, for evaluation."""

import torch
from torch import Tensor


class SequentialSampler:
    """Every example once, in the stored order.

    Args:
        length: N.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def order(self, epoch: int) -> Tensor:
        """0, 1, …, N − 1, (N,) int64."""
        return torch.arange(self.length)

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """``start``, …, ``stop`` − 1."""
        return torch.arange(start, stop)
