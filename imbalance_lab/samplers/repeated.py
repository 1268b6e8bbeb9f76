"""Several passes as one epoch: for small data, of which one pass is over in a few steps."""

from typing import Any

import torch
from torch import Tensor

from imbalance_lab.samplers.base import Sampler
from imbalance_lab.samplers.windows import part_of
from imbalance_lab.validation import check_integer


class RepeatedSampler:
    """An epoch of ``passes`` epochs of another sampler, one after the other; in all else it is that sampler.

    Validation, checkpoints and early stopping go by epochs, and cost as much as several steps.

    Args:
        sampler: decides the order of each pass. Where it goes by ``max_epochs``, these are its own.
        passes: its epochs in one.

    Properties: epoch e holds the orders of the epochs e·p … (e + 1)·p − 1 of the sampler, so nothing is drawn twice.
    """

    def __init__(self, sampler: Sampler, passes: int) -> None:
        self.sampler = sampler
        self.passes = check_integer("passes", passes, minimum=1)

    def order(self, epoch: int) -> Tensor:
        """Positions (passes · N,) int64."""
        first = epoch * self.passes
        return torch.cat([self.sampler.order(first + each) for each in range(self.passes)])

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order, of a sampler with a ``length``."""
        n, first = int(self.sampler.length), epoch * self.passes  # type: ignore[attr-defined]
        parts = [
            part_of(self.sampler, first + each, max(start - each * n, 0), min(stop - each * n, n))
            for each in range(start // n, (stop - 1) // n + 1)
        ]
        return torch.cat(parts)

    def __getattr__(self, name: str) -> Any:
        if name == "sampler":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.sampler, name)
