"""From the order of an epoch to the batches of each process."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch.utils.data import Sampler as TorchSampler

from imbalance_lab import seeding
from imbalance_lab.samplers.base import SampledIndices, Sampler
from imbalance_lab.samplers.windows import WINDOW, is_windowed, part_of
from imbalance_lab.validation import check_integer


def smallest_share(length: int, batch_size: int, world_size: int) -> int:
    """Examples in the smallest share that a process has of a batch, when ``length`` are divided as below."""
    return length // math.ceil(length / batch_size) // world_size


class DistributedEpochBatchSampler(TorchSampler[SampledIndices]):
    """Divides an epoch into batches of equal size (± 1), and each batch among the processes.

    No example is repeated or dropped, whatever the number of processes, and every process has the same number of
    batches. The batch size is that of all processes together, so that a run means the same on any number of them.

    Args:
        sampler: decides the order.
        length: N, the length of that order.
        batch_size: examples per step, over all processes.
        rank, world_size: this process, and the number of processes.
        seed: decides the seeds of the draws, together with the epoch.

    Raises:
        ValueError: if a process would be left without an example in some step.
    """

    def __init__(
        self, sampler: Sampler, length: int, batch_size: int, *, rank: int = 0, world_size: int = 1, seed: int = 0
    ) -> None:
        self.source = sampler
        self.length = length
        self.steps = math.ceil(length / check_integer("batch_size", batch_size, minimum=1))
        if length < world_size:
            have = f"{length} examples" if length else "no example"
            raise ValueError(f"there is {have} for {world_size} processes: each needs one at every step")
        if smallest_share(length, batch_size, world_size) < 1:
            raise ValueError(
                f"{length} examples in batches of {batch_size} cannot be shared by {world_size} processes: "
                f"choose a batch_size ≥ {math.ceil(length / (length // world_size))} or fewer processes"
            )
        self.rank, self.world_size, self.seed = rank, world_size, seed
        self.epoch = 0
        self.first_step = 0

    @property
    def sampler(self) -> "DistributedEpochBatchSampler":
        """This object: Lightning calls ``set_epoch`` on a batch sampler's ``sampler``."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls this before each one."""
        self.epoch = epoch

    def resume(self, first_step: int) -> None:
        """Start the next pass at ``first_step`` of its epoch; the passes after it are complete."""
        self.first_step = first_step

    def __iter__(self) -> Iterator[SampledIndices]:
        first, self.first_step = self.first_step, 0
        seed = seeding.hash_seeds(self.seed, self.epoch)
        order = None if is_windowed(self.source) else self.source.order(self.epoch)
        together = max(1, WINDOW * self.steps // max(self.length, 1))
        for step in range(first, self.steps, together):
            ends = [self._start(each) for each in range(step, min(step + together, self.steps) + 1)]
            start, stop = ends[0], ends[-1]
            positions = part_of(self.source, self.epoch, start, stop) if order is None else order[start:stop]
            seeds = seeding.hash_indices(seed, torch.arange(start, stop))
            for one, end in pairwise(end - start for end in ends):
                batch = positions[one:end], seeds[one:end]
                yield SampledIndices(*(part.tensor_split(self.world_size)[self.rank] for part in batch))

    def _start(self, step: int) -> int:
        """How many examples come before a step: the first steps have one more, as of ``Tensor.tensor_split``."""
        size, more = divmod(self.length, self.steps)
        return step * size + min(step, more)

    def __len__(self) -> int:
        return self.steps
