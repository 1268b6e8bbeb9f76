"""Very many batches that all contain some examples of every class, a window of them at a time."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.samplers import windows
from imbalance_lab.samplers.windows import ClassWalks, apportion, window_quotas


class WindowedBatches:
    """N draws in batches of equal size (± 1), of which each has at least ``m`` examples of the chosen classes.

    Args:
        targets: class indices of the training split, (N,).
        seed: decides the draws, together with the epoch.
        steps: batches of an epoch.
        m: examples of a chosen class in each batch.
        only: the indices of these classes; None for all that have examples.
    """

    def __init__(self, targets: Tensor, seed: int, steps: int, m: int, only: Sequence[int] | None) -> None:
        self.walks = ClassWalks(targets, seed)
        self.steps, self.length = steps, len(targets)
        chosen = [only is None or c in only for c in self.walks.classes]
        self.least = torch.tensor(chosen).long() * m
        together = max(1, windows.WINDOW * steps // self.length)
        self.first_steps = torch.arange(0, steps + together, together).clamp(max=steps)
        per_batch = int(self.least.sum())
        others = (self.walks.counts - self.least * steps).clamp(min=0)
        quotas = apportion(self.length - per_batch * steps, others) if bool(others.any()) else others
        ends = self._starts(self.first_steps[1:]) - per_batch * self.first_steps[1:]
        self.others = window_quotas(quotas, ends)
        self._window: tuple[tuple[int, int], Tensor] | None = None

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of an epoch, positions int64."""
        starts = self._starts(self.first_steps).tolist()
        parts = [torch.empty(0, dtype=torch.int64)]
        for window, (first, end) in enumerate(pairwise(starts)):
            if first < stop and end > start:
                parts.append(self._draws(epoch, window)[max(start - first, 0) : stop - first])
        return torch.cat(parts)

    def _starts(self, steps: Tensor) -> Tensor:
        """How many examples come before these steps: the first steps of an epoch have one more."""
        size, more = divmod(self.length, self.steps)
        return steps * size + steps.clamp(max=more)

    def _draws(self, epoch: int, window: int) -> Tensor:
        """All draws of a window, batch after batch; the last one is kept."""
        if self._window is None or self._window[0] != (epoch, window):
            draws = seeding.generator(self.walks.seed, epoch, window)
            first, stop = self.first_steps[window : window + 2].tolist()
            guaranteed, others = self._deal(epoch, window, draws)
            numbers = torch.arange(first, stop + 1)
            sizes = self._starts(numbers).diff()
            batch = numbers[:-1] - first
            per_batch = guaranteed.shape[1]
            batches = torch.cat([batch.repeat_interleave(per_batch), batch.repeat_interleave(sizes - per_batch)])
            # Shuffled within each batch, so that all processes get similar shares.
            shuffled = torch.randperm(len(batches), generator=draws)
            within = shuffled[batches[shuffled].argsort(stable=True)]
            others = others[torch.randperm(len(others), generator=draws)]
            self._window = (epoch, window), torch.cat([guaranteed.flatten(), others])[within]
        return self._window[1]

    def _deal(self, epoch: int, window: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """The examples that each batch of a window is promised, (batches, Σ m), and the others, (n,)."""
        first, stop = self.first_steps[window : window + 2].tolist()
        guaranteed = [torch.empty(stop - first, 0, dtype=torch.int64)]
        others = [torch.empty(0, dtype=torch.int64)]
        for c, m in enumerate(self.least.tolist()):
            one, end = first * m + int(self.others[window, c]), stop * m + int(self.others[window + 1, c])
            if one == end:
                continue
            rows = self.walks.walk(epoch, c, one, end)
            rows = rows[torch.randperm(len(rows), generator=draws)]
            n = (stop - first) * m
            guaranteed.append(rows[:n].view(-1, m) if m else guaranteed[0])
            others.append(rows[n:])
        return torch.cat(guaranteed, 1), torch.cat(others)
