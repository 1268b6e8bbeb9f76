"""Scores that rank: the log-odds of a softmax, which never saturate, and scores told class by class."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


def log_odds(logits: Tensor) -> Tensor:
    """Turn logits into log p_c / (1 − p_c), p = softmax(z), which ranks like the probability but never saturates.

    A float32 probability is 1 from a lead of 17 on and 0 from −104 on: all such examples tie. Log-odds do not.
    Those of an example depend on nothing but its logits: not on the batch, and not on a constant added to all of them.

    Args:
        logits: (N, C), C ≥ 2. No gradient flows back.

    Returns:
        (N, C), float32 or wider; in memory each class is contiguous, ready to be sorted.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    (odds,) = _blocks([logits], softmax=True, at_once=logits.shape[1])
    return odds.T


def by_class(batches: Sequence[Tensor], *, softmax: bool = False) -> Iterator[Tensor]:
    """Tell the scores of one class after another, (N,) and contiguous; with ``softmax`` their `log_odds`.

    Few classes at a time are laid out, in memory that is used again: a class is to be read before the next one.

    Args:
        batches: (n, C) each, N in all.
        softmax: whether they are logits of a softmax.
    """
    n = sum(map(len, batches))
    for block in _blocks(batches, softmax=softmax, at_once=max(1, 2**23 // max(1, n))):
        yield from block


class _Rows(NamedTuple):
    """What the softmax of a block of rows has in common for all classes, (n,) each; sums are along a row alone."""

    peak: Tensor
    leaders: Tensor
    rest: Tensor
    far_ahead: tuple[Tensor, Tensor] | None  # where a lone leader is, and its log-odds

    @classmethod
    def of(cls, logits: Tensor) -> "_Rows":
        peak = logits.amax(1)
        exponentials = (logits - peak[:, None]).exp()
        # The leaders have 1, the others less.
        leaders, rest = exponentials.trunc().sum(1), exponentials.frac().sum(1)
        info = torch.finfo(rest.dtype)
        far = (rest < info.tiny / info.eps) & (leaders == 1)
        if not bool(far.any()):
            return cls(peak, leaders, rest, None)
        # So far ahead, 70 and more, that the others' exponentials lose digits or vanish.
        behind = logits - peak[:, None]
        return cls(peak, leaders, rest, (far, -behind.masked_fill(behind == 0, -torch.inf).logsumexp(1)))

    def log_odds(self, logits: Tensor) -> Tensor:
        """Those of some classes, (c, n)."""
        behind = logits - self.peak
        # 1 − e_c, summed apart from the rest, cancels for none of them.
        odds = behind - (self.rest + (self.leaders - behind.exp())).log()
        if self.far_ahead is None:
            return odds
        far, lead = self.far_ahead
        return torch.where(far & (behind == 0), lead, odds)


@torch.no_grad()
def _blocks(batches: Sequence[Tensor], *, softmax: bool, at_once: int) -> Iterator[Tensor]:
    """Scores (c, N) of ``at_once`` classes after the other; what lies between stays in a CPU's cache."""
    num_classes, on_cpu = batches[0].shape[1], batches[0].device.type == "cpu"
    rows_at_once = max(1, (2**17 if on_cpu else 2**24) // num_classes)
    parts = [rows for batch in batches for rows in torch.split(batch, rows_at_once)]
    softmaxes = [_Rows.of(rows) for rows in parts] if softmax else []
    block = batches[0].new_empty(min(at_once, num_classes), sum(map(len, parts)))
    for first in range(0, num_classes, at_once):
        filled, told = 0, block[: num_classes - first]
        for i, rows in enumerate(parts):
            scores = rows[:, first : first + at_once].T
            told[:, filled : filled + len(rows)] = softmaxes[i].log_odds(scores.contiguous()) if softmax else scores
            filled += len(rows)
        yield told
