"""Which example comes when: one global order per seed and epoch, of which every process takes its share.

A sampler is anything with ``order(epoch) -> positions (N,)``. `DistributedEpochBatchSampler` cuts that order into batches.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import Sampler as TorchSampler

from imbalance_lab import seeding
from imbalance_lab.class_counts import count_classes, effective_number


class SampledIndices(NamedTuple):
    """Positions in a split, (n,) int64, and for each draw a random key of its own, (n,) int64."""

    positions: Tensor
    seeds: Tensor


class Sampler(Protocol):
    """Decides the order of the whole epoch, over all processes."""

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64 in the training split."""
        ...


class Sequential:
    """Every example once, as stored; for evaluation."""

    def __init__(self, length: int) -> None:
        self.length = length

    def order(self, epoch: int) -> Tensor:
        """0, 1, …, N − 1."""
        return torch.arange(self.length)


class RandomSampler:
    """Every example once, in a new order each epoch.

    Args:
        targets: class numbers of the training split, (N,), or 0/1 labels (N, L).
        seed: with the epoch it decides the order.
    """

    def __init__(self, *, targets: Tensor, seed: int = 0) -> None:
        self.length = len(targets)
        self.seed = seed

    def order(self, epoch: int) -> Tensor:
        """A permutation of 0 … N − 1."""
        return torch.randperm(self.length, generator=seeding.generator(self.seed, epoch))

    def class_priors(self, counts: Tensor) -> Tensor:
        """How often classes with ``counts`` (C,) come, up to a factor."""
        return counts.double()


class _ByClass:
    """Draws of a class, then of a member of it; both O(1), however many examples and classes there are."""

    def __init__(self, targets: Tensor, seed: int) -> None:
        if targets.ndim != 1:
            raise ValueError(
                "it draws a class, then an example of it, but an example has several labels: "
                "choose sampler=shuffled or sampler=m_per_class"
            )
        self.seed = seed
        self.members = targets.argsort(stable=True)
        counts = count_classes(targets, int(targets.max()) + 1)
        self.counts = counts[counts > 0]
        self.starts = self.counts.cumsum(0) - self.counts

    def draw(self, share: Tensor, epoch: int) -> Tensor:
        """N positions; ``share`` (K,) is proportional to how often each class that has an example is drawn."""
        keep, other = alias_tables(share)
        keyed_draws = seeding.generator(self.seed, epoch)
        which, member = torch.rand(2, len(self.members), dtype=torch.float64, generator=keyed_draws)
        column = (which * len(share)).long()
        drawn = torch.where(which * len(share) - column < keep[column], column, other[column])
        return self.members[self.starts[drawn] + (member * self.counts[drawn]).long()]


def alias_tables(share: Tensor) -> tuple[Tensor, Tensor]:
    """For drawing from shares (K,) in one look-up: column k is kept with probability ``keep[k]``, else ``other[k]``.

    Vose 1991, "A linear algorithm for generating random numbers with a given distribution".
    """
    scaled = (share.double() * (len(share) / share.double().sum())).tolist()
    keep, other = [1.0] * len(scaled), list(range(len(scaled)))
    small = [k for k, value in enumerate(scaled) if value < 1]
    large = [k for k, value in enumerate(scaled) if value >= 1]
    while small and large:
        little, much = small.pop(), large[-1]
        keep[little], other[little] = scaled[little], much
        scaled[much] -= 1 - scaled[little]
        if scaled[much] < 1:
            small.append(large.pop())
    return torch.tensor(keep, dtype=torch.float64), torch.tensor(other)


class ClassBalancedSampler:
    """N draws with replacement: a class, then an example of it (Kang et al. 2020, arXiv 1910.09217, eq. 1).

    Class c is drawn with probability q_c ∝ n_c^power: 0 is class-balanced sampling, ½ square-root sampling, and 1
    draws examples alike.

    Args:
        targets: class numbers of the training split, (N,).
        power: exponent in [0, 1].
        seed: with the epoch it decides the draws.
    """

    def __init__(self, *, targets: Tensor, power: float = 0.0, seed: int = 0) -> None:
        if isinstance(power, bool) or not isinstance(power, int | float) or not 0 <= power <= 1:
            raise ValueError(f"power must be a number between 0 (class-balanced) and 1 (as they are), got {power!r}")
        self.power = power
        self.by_class = _ByClass(targets, seed)

    def order(self, epoch: int) -> Tensor:
        """N positions; a rare class's examples come several times."""
        return self.by_class.draw(self.class_priors(self.by_class.counts), epoch)

    def class_priors(self, counts: Tensor) -> Tensor:
        """n_c^power."""
        return counts.double() ** self.power


class EffectiveNumberSampler:
    """N draws with replacement of classes by their effective numbers (Cui et al. 2019, arXiv 1901.05555, eq. 2).

    Class c is drawn with probability q_c ∝ (1 − β^n_c) / (1 − β): β = 0 is class-balanced sampling, and β → 1 draws
    examples alike.

    Args:
        targets: class numbers of the training split, (N,).
        beta: in [0, 1).
        seed: with the epoch it decides the draws.
    """

    def __init__(self, *, targets: Tensor, beta: float = 0.999, seed: int = 0) -> None:
        if isinstance(beta, bool) or not isinstance(beta, int | float) or not 0 <= beta < 1:
            raise ValueError(f"beta must be a number in [0, 1), got {beta!r}")
        self.beta = beta
        self.by_class = _ByClass(targets, seed)

    def order(self, epoch: int) -> Tensor:
        """N positions; a rare class's examples come several times."""
        return self.by_class.draw(self.class_priors(self.by_class.counts), epoch)

    def class_priors(self, counts: Tensor) -> Tensor:
        """The effective numbers."""
        return effective_number(counts, self.beta)


class MPerClassSampler:
    """Puts at least m examples of every class, or of chosen ones, into every batch.

    Losses that compare positives with negatives (AUC-margin) need both in a batch. Of each class m · batches examples
    are dealt out, again and again in a new order where there are fewer; the rest of the batches is filled with examples
    that were not dealt, each once. So an epoch has N draws, few of a common class are left out, and none comes twice
    unless it has to.

    Args:
        targets: class numbers of the training split, (N,), or 0/1 labels (N, L), of which the positives count.
        batch_size: examples a step, over all processes.
        m: how many at least.
        only: the class or label numbers that this is for; None is all.
        seed: with the epoch it decides the draws.
    """

    def __init__(
        self, *, targets: Tensor, batch_size: int, m: int = 1, only: Sequence[int] | None = None, seed: int = 0
    ) -> None:
        if isinstance(m, bool) or not isinstance(m, int) or m < 1:
            raise ValueError(f"m must be a whole number ≥ 1, got {m!r}")
        self.length, self.m, self.seed = len(targets), m, seed
        if targets.ndim == 2:
            members = [labels.nonzero().flatten() for labels in targets.unbind(1)]
        else:
            counts = count_classes(targets, int(targets.max()) + 1)
            members = list(torch.split(targets.argsort(stable=True), counts.tolist()))
        if only is not None:
            strange = [c for c in only if isinstance(c, bool) or not isinstance(c, int) or not 0 <= c < len(members)]
            if strange:
                raise ValueError(f"only must list class numbers from 0 to {len(members) - 1}, got {strange[0]!r}")
            members = [members[c] for c in only]
        self.members = [each for each in members if len(each)]
        steps = math.ceil(self.length / batch_size)
        self.sizes = torch.tensor([len(part) for part in torch.arange(self.length).tensor_split(steps)])
        least = int(self.sizes.min())
        needed = m * len(self.members)
        if needed > least:
            # Batches are equal in size ± 1: the smallest of them has to be large enough.
            larger = math.ceil(self.length / (self.length // needed)) if needed <= self.length else None
            raise ValueError(
                f"{m} of each of {len(self.members)} classes do not fit into a batch of {least}: choose "
                + (f"a smaller m, or batch_size ≥ {larger}" if larger else "a smaller m")
            )

    def order(self, epoch: int) -> Tensor:
        """N positions, batch after batch."""
        draws = seeding.generator(self.seed, epoch)
        steps, dealt = len(self.sizes), []
        for members in self.members:
            rounds = math.ceil(steps * self.m / len(members))
            again = [members[torch.randperm(len(members), generator=draws)] for _ in range(rounds)]
            dealt.append(torch.cat(again)[: steps * self.m].view(steps, self.m))
        guaranteed = torch.cat(dealt, 1)
        free = torch.ones(self.length, dtype=torch.bool)
        free[guaranteed.flatten()] = False
        rest = free.nonzero().flatten()
        rest = rest[torch.randperm(len(rest), generator=draws)][: self.length - guaranteed.numel()]
        batch = torch.arange(steps)
        batches = torch.cat(
            [batch.repeat_interleave(guaranteed.shape[1]), batch.repeat_interleave(self.sizes - guaranteed.shape[1])]
        )
        # Shuffled within each batch, so that the shares of the processes are alike.
        shuffled = torch.randperm(self.length, generator=draws)
        within = shuffled[batches[shuffled].argsort(stable=True)]
        return torch.cat([guaranteed.flatten(), rest])[within]


class ProgressiveSampler:
    """From examples alike to classes alike over the run (Kang et al. 2020, arXiv 1910.09217, eq. 2).

    In epoch t of T class c is drawn with probability (1 − t/T) n_c / N + (t/T) / C, with replacement.

    Args:
        targets: class numbers of the training split, (N,).
        max_epochs: T.
        seed: with the epoch it decides the draws.
    """

    def __init__(self, *, targets: Tensor, max_epochs: int, seed: int = 0) -> None:
        if isinstance(max_epochs, bool) or not isinstance(max_epochs, int) or max_epochs < 1:
            raise ValueError(f"max_epochs must be a whole number ≥ 1, got {max_epochs!r}")
        self.max_epochs = max_epochs
        self.by_class = _ByClass(targets, seed)

    def order(self, epoch: int) -> Tensor:
        """N positions."""
        done = min(epoch / self.max_epochs, 1)
        counts = self.by_class.counts.double()
        return self.by_class.draw((1 - done) * counts / counts.sum() + done / len(counts), epoch)


class DistributedEpochBatchSampler(TorchSampler[SampledIndices]):
    """Cuts the global order of an epoch into batches of equal size (± 1), and each batch into a share a process.

    No example is repeated or dropped, however many processes there are, and every process has the same number of
    batches. The batch size is that of all processes together, so that a run means the same on any number of them.

    Args:
        sampler: decides the order.
        length: N, the length of that order.
        batch_size: examples a step, over all processes.
        rank, world_size: which share of how many.
        seed: with the epoch it decides the keys of the draws.
    """

    def __init__(
        self, sampler: Sampler, length: int, batch_size: int, *, rank: int = 0, world_size: int = 1, seed: int = 0
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a whole number ≥ 1, got {batch_size!r}")
        self.source = sampler
        self.length = length
        self.steps = math.ceil(length / batch_size)
        if length < world_size:
            have = f"{length} examples" if length else "no example"
            raise ValueError(f"there is {have} for {world_size} processes: each needs one at every step")
        if length // self.steps < world_size:
            raise ValueError(
                f"{length} examples in batches of {batch_size} cannot be shared by {world_size} processes: "
                f"choose a batch_size ≥ {math.ceil(length / (length // world_size))} or fewer processes"
            )
        self.rank, self.world_size, self.seed = rank, world_size, seed
        self.epoch = 0
        self.first_step = 0

    @property
    def sampler(self) -> "DistributedEpochBatchSampler":
        """Itself: Lightning calls ``set_epoch`` on a batch sampler's ``sampler``."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Tell the epoch; Lightning does so before each one."""
        self.epoch = epoch

    def resume(self, first_step: int) -> None:
        """Begin the next pass in the middle of its epoch; passes after it are whole again."""
        self.first_step = first_step

    def __iter__(self) -> Iterator[SampledIndices]:
        first, self.first_step = self.first_step, 0
        order = self.source.order(self.epoch)
        seeds = seeding.hash_indices(seeding.hash_seeds(self.seed, self.epoch), torch.arange(self.length))
        batches = zip(order.tensor_split(self.steps), seeds.tensor_split(self.steps), strict=True)
        for step, (positions, batch_seeds) in enumerate(batches):
            if step >= first:
                yield SampledIndices(
                    *(part.tensor_split(self.world_size)[self.rank] for part in (positions, batch_seeds))
                )

    def __len__(self) -> int:
        return self.steps
