"""Orders of very many draws, a window at a time: nothing as long as the epoch is ever in memory.

An epoch of N draws is cut into windows of about `WINDOW` draws. Every window has its exact share of each class's quota,
and the classes are walked through in blocks of neighboring examples, in an order that is shuffled anew in every round;
within a window the draws are shuffled one by one. So a window touches few places of a file, whatever the sampler, and
all of it is a function of (seed, epoch, window): a part of an epoch costs no more than itself.
"""

import math
from typing import Any

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.class_counts import count_classes

LARGE = 1 << 23
"""Examples above which the orders are those of this module; up to it they are drawn at once, as in every release."""

WINDOW = 1 << 18
"""Draws of a window."""

BLOCKS = 1 << 18
"""Blocks of neighboring examples in an epoch, about: 100 million rows make blocks of 382."""

PART = 1 << 20
"""Targets that are looked at in one go."""


def is_large(length: int) -> bool:
    """Whether a split of ``length`` examples has these orders."""
    return length > LARGE


def is_windowed(sampler: Any) -> bool:
    """Whether an epoch of a sampler is asked for part by part: it has `part`, and a large ``length``."""
    return hasattr(sampler, "part") and is_large(int(getattr(sampler, "length", 0)))


def part_of(sampler: Any, epoch: int, start: int, stop: int) -> Tensor:
    """Draws ``start`` … ``stop`` − 1 of an epoch of any sampler, of one without `part` by way of the whole order."""
    whole_or_part = sampler.part(epoch, start, stop) if is_windowed(sampler) else sampler.order(epoch)[start:stop]
    assert isinstance(whole_or_part, Tensor)
    return whole_or_part


def apportion(total: int, weights: Tensor) -> Tensor:
    """Whole numbers ∝ ``weights`` (K,) that sum to ``total``, each less than 1 off: the largest remainders get more."""
    exact = weights.double() * (total / float(weights.double().sum()))
    whole = exact.floor().long()
    missing = total - int(whole.sum())
    whole[(exact - whole).argsort(descending=True, stable=True)[:missing]] += 1
    return whole


def window_quotas(quotas: Tensor, ends: Tensor) -> Tensor:
    """How many draws of each class come before each window, and before the end: (W + 1, K) int64, ascending.

    Args:
        quotas: (K,) int64, of the whole epoch.
        ends: (W,) int64, ascending, the draws of all classes up to the end of each window; the last is Σ quotas.

    Properties: row w sums to the end of window w, and differs from its exact share by less than 1 for each class.
    """
    given = torch.zeros(len(ends) + 1, len(quotas), dtype=torch.int64)
    shares = quotas.double() / max(int(quotas.sum()), 1)
    for window, end in enumerate(ends.tolist()):
        owed = shares * end - given[window]
        whole = owed.floor().long().clamp(min=0)
        missing = end - int(given[window].sum()) - int(whole.sum())
        if missing > 0:
            whole[(owed - whole).argsort(descending=True, stable=True)[:missing]] += 1
        elif missing < 0:
            least = torch.where(whole > 0, owed - whole, torch.inf).argsort(stable=True)
            whole[least[:-missing]] -= 1
        given[window + 1] = given[window] + whole
    given[-1] = quotas
    return given


class ClassWalks:
    """The examples of each class that has any, gone through in shuffled blocks, round after round.

    Args:
        targets: class indices of the training split, (N,), of any integer type; for several labels all are one class.
        seed: decides the order, together with the epoch.
    """

    def __init__(self, targets: Tensor, seed: int) -> None:
        self.seed, self.length = seed, len(targets)
        self.block = math.ceil(self.length / BLOCKS)
        parts = [] if targets.ndim == 2 else targets.split(PART)  # type: ignore[no-untyped-call]
        n_classes = 1 + max((int(part.max()) for part in parts), default=0)
        each = [count_classes(part.long(), n_classes) for part in parts] or [torch.tensor([self.length])]
        counts = torch.stack(each).sum(0)
        self.classes: list[int] = counts.nonzero().flatten().tolist()
        self.counts = counts[counts > 0]
        self.starts = self.counts.cumsum(0) - self.counts
        self.members = None if not parts or _is_ascending(targets) else _members(targets, counts)
        self._blocks: dict[int, tuple[tuple[int, int], Tensor, int]] = {}

    def walk(self, epoch: int, c: int, first: int, stop: int) -> Tensor:
        """Positions of the draws number ``first`` … ``stop`` − 1 of class ``c``: every example once in each round."""
        n, start = int(self.counts[c]), int(self.starts[c])
        one, last = first // n, (stop - 1) // n
        if one == last:
            rows = self._rows(epoch, c, one, first - one * n, stop - one * n)
        else:
            between = torch.arange(n).repeat(last - one - 1)  # whole rounds: the window shuffles them
            rows = torch.cat(
                [
                    self._rows(epoch, c, one, first - one * n, n),
                    between,
                    self._rows(epoch, c, last, 0, stop - last * n),
                ]
            )
        return rows + start if self.members is None else self.members[rows + start].long()

    def _rows(self, epoch: int, c: int, turn: int, first: int, stop: int) -> Tensor:
        """Places within the class of a round's draws."""
        n, size = int(self.counts[c]), self.block
        key = epoch, turn
        if c not in self._blocks or self._blocks[c][0] != key:
            n_blocks = math.ceil(n / size)
            order = torch.randperm(n_blocks, generator=seeding.generator(self.seed, epoch, c, turn))
            self._blocks[c] = key, order, int((order == n_blocks - 1).nonzero())
        _, order, at = self._blocks[c]
        short = n - (len(order) - 1) * size  # rows of the last block, which comes as number `at`
        ranks = torch.arange(first, stop)
        ranks += (ranks >= at * size + short) * (size - short)
        return order[ranks // size] * size + ranks % size


class WindowedDraws:
    """N draws with a quota for each class.

    Args:
        targets, seed: as of `ClassWalks`.
    """

    def __init__(self, targets: Tensor, seed: int) -> None:
        self.walks = ClassWalks(targets, seed)
        self.ends = torch.arange(WINDOW, self.walks.length + WINDOW, WINDOW).clamp(max=self.walks.length)
        self._quotas: tuple[list[int], Tensor] | None = None
        self._window: tuple[tuple[int, int], Tensor] | None = None

    @property
    def counts(self) -> Tensor:
        """The examples of each class that has any, (K,)."""
        return self.walks.counts

    def part(self, quotas: Tensor, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of an epoch in which class k has ``quotas[k]``; positions int64."""
        parts = [torch.empty(0, dtype=torch.int64)]
        for window in range(start // WINDOW, math.ceil(stop / WINDOW)):
            before = window * WINDOW
            parts.append(self._draws(quotas, epoch, window)[max(start - before, 0) : stop - before])
        return torch.cat(parts)

    def _draws(self, quotas: Tensor, epoch: int, window: int) -> Tensor:
        """All draws of a window; the last one is kept, as batches end within it."""
        if self._quotas is None or self._quotas[0] != quotas.tolist():
            self._quotas, self._window = (quotas.tolist(), window_quotas(quotas, self.ends)), None
        if self._window is None or self._window[0] != (epoch, window):
            first, stop = self._quotas[1][window].tolist(), self._quotas[1][window + 1].tolist()
            drawn = [
                self.walks.walk(epoch, c, *ends)
                for c, ends in enumerate(zip(first, stop, strict=True))
                if ends[0] < ends[1]
            ]
            draws = seeding.generator(self.walks.seed, epoch, window)
            together = torch.cat(drawn)
            self._window = (epoch, window), together[torch.randperm(len(together), generator=draws)]
        return self._window[1]


def _is_ascending(targets: Tensor) -> bool:
    """Whether the examples are stored class by class."""
    starts = range(0, len(targets) - 1, PART)
    pieces = (targets[at : at + PART + 1] for at in starts)  # each begins with the last one of the piece before
    return all(bool((piece[1:] >= piece[:-1]).all()) for piece in pieces)


def _members(targets: Tensor, counts: Tensor) -> Tensor:
    """The positions of the examples, class by class, (N,) int32, or int64 for more than that holds."""
    kind = torch.int32 if len(targets) <= torch.iinfo(torch.int32).max else torch.int64
    members = torch.empty(len(targets), dtype=kind)
    filled = counts.cumsum(0) - counts
    for at in range(0, len(targets), PART):
        part = targets[at : at + PART].long()
        order, here = part.argsort(stable=True), count_classes(part, len(counts))
        within = torch.arange(len(part)) - (here.cumsum(0) - here).repeat_interleave(here)
        members[filled.repeat_interleave(here) + within] = (order + at).to(kind)
        filled += here
    return members
