"""Batches that contain every class, for losses that compare classes within a batch."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.class_counts import count_classes
from imbalance_lab.samplers.windowed_batches import WindowedBatches
from imbalance_lab.samplers.windows import is_large
from imbalance_lab.validation import check_integer


class MPerClassSampler:
    """At least m examples of every class, or of chosen ones, in every batch.

    Losses that compare positives with negatives (AUC-margin) need both in a batch. Each class gives m · batches
    examples, in as many reshuffled rounds as that takes; the rest of the batches is filled with the other examples,
    each once. So an epoch has N draws, few examples of common classes are left out, and none repeats unless its class
    has fewer than m · batches examples.

    Args:
        targets: class indices of the training split, (N,), or 0/1 labels (N, C), whose positives count as the class.
        batch_size: examples per step, over all processes.
        m: the least number of examples of each class in a batch.
        only: indices of the classes or labels that this applies to; None is all.
        seed: decides the draws, together with the epoch.

    Raises:
        ValueError: if m examples of each class do not fit into a batch; it names a batch size that is large enough.
    """

    def __init__(
        self, *, targets: Tensor, batch_size: int, m: int = 1, only: Sequence[int] | None = None, seed: int = 0
    ) -> None:
        self.m, self.seed = check_integer("m", m, minimum=1), seed
        self.length = len(targets)
        steps = math.ceil(self.length / check_integer("batch_size", batch_size, minimum=1))
        self.windows: WindowedBatches | None = None
        if is_large(self.length) and targets.ndim == 1:
            counts = _counts(targets)
            chosen = [c for c in _checked(only, len(counts)) if counts[c]]
            _check_fit(self.m, len(chosen), self.length, steps)
            self.windows = WindowedBatches(targets, seed, steps, self.m, chosen)
            return
        members = _members(targets)
        self.members = [members[c] for c in _checked(only, len(members)) if len(members[c])]
        self.sizes = torch.tensor([len(part) for part in torch.arange(self.length).tensor_split(steps)])
        _check_fit(self.m, len(self.members), self.length, steps)

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64, batch after batch."""
        if self.windows is not None:
            return self.windows.part(epoch, 0, self.length)
        draws = seeding.generator(self.seed, epoch)
        none = torch.empty(len(self.sizes), 0, dtype=torch.int64)
        guaranteed = torch.cat([none, *(self._deal(members, draws) for members in self.members)], 1)
        steps, per_batch = guaranteed.shape
        others = torch.ones(self.length, dtype=torch.bool)
        others[guaranteed.flatten()] = False
        rest = others.nonzero().flatten()
        rest = rest[torch.randperm(len(rest), generator=draws)][: self.length - guaranteed.numel()]
        batch = torch.arange(steps)
        batches = torch.cat([batch.repeat_interleave(per_batch), batch.repeat_interleave(self.sizes - per_batch)])
        # Shuffled within each batch, so that all processes get similar shares.
        shuffled = torch.randperm(self.length, generator=draws)
        within = shuffled[batches[shuffled].argsort(stable=True)]
        return torch.cat([guaranteed.flatten(), rest])[within]

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order."""
        return self.order(epoch)[start:stop] if self.windows is None else self.windows.part(epoch, start, stop)

    def _deal(self, members: Tensor, draws: torch.Generator) -> Tensor:
        """Draw m examples of one class for each batch, (batches, m); none twice before all were dealt once."""
        needed = len(self.sizes) * self.m
        rounds = math.ceil(needed / len(members))
        dealt = torch.cat([members[torch.randperm(len(members), generator=draws)] for _ in range(rounds)])
        return dealt[:needed].view(-1, self.m)


def _members(targets: Tensor) -> list[Tensor]:
    """The positions of each class's examples, or each label's positives."""
    if targets.ndim == 2:
        return [labels.nonzero().flatten() for labels in targets.unbind(1)]
    return list(torch.split(targets.argsort(stable=True), _counts(targets).tolist()))


def _counts(targets: Tensor) -> Tensor:
    return count_classes(targets, int(targets.max()) + 1)


def _checked(only: Sequence[int] | None, n_classes: int) -> Sequence[int]:
    """The classes in ``only``, or all of them."""
    if only is None:
        return range(n_classes)
    invalid = [c for c in only if isinstance(c, bool) or not isinstance(c, int) or not 0 <= c < n_classes]
    if invalid:
        raise ValueError(f"only must list class indices from 0 to {n_classes - 1}, got {invalid[0]!r}")
    if not len(only):
        raise ValueError("only is an empty list, of no class: name classes, or null for all")
    return only


def _check_fit(m: int, classes: int, length: int, steps: int) -> None:
    """Refuse more guaranteed examples than the smallest batch holds; batches are equal in size ± 1."""
    smallest, needed = length // steps, m * classes
    if needed > smallest:
        remedy = "choose a smaller m"
        if needed <= length:
            remedy += f", or batch_size ≥ {math.ceil(length / (length // needed))}"
        raise ValueError(f"{m} of each of {classes} classes do not fit into a batch of {smallest}: {remedy}")
