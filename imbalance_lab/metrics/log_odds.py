"""The log-odds of a softmax, which rank like its probabilities but never saturate."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


def softmax_log_odds(logits: Tensor) -> Tensor:
    """Log p_c / (1 − p_c) with p = softmax(z), which ranks like the probability but never saturates.

    In float32 p is exactly 1 where the logit leads by more than 17, and 0 where it is more than 104 behind: all such
    examples tie. Log-odds do not. They depend on the example's logits only, not on the batch, and do not change if a
    constant is added to all logits.

    Args:
        logits: (N, C), C ≥ 2. Gradients are not computed.

    Returns:
        (N, C), float32 or wider; each class is contiguous in memory, ready to be sorted.
    """
    if not isinstance(logits, Tensor):
        name = type(logits).__name__
        raise TypeError(f"logits must be a tensor, got {name}: use imbalance_lab.posthoc.log_odds for arrays and lists")
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits must have shape (N, C) with C ≥ 2, got {tuple(logits.shape)}: add the other class")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if torch.compiler.is_exporting():  # a graph for any N: one block
        return _SoftmaxTerms.of(logits).log_odds(logits.T).T
    (odds,) = _class_blocks([logits], softmax=True, block_size=logits.shape[1])
    return odds.T


def iterate_classes(batches: Sequence[Tensor], *, softmax: bool = False) -> Iterator[Tensor]:
    """Yield the scores of one class after another, (N,) and contiguous; with ``softmax`` their `softmax_log_odds`.

    The memory is reused: each class must be read before the next one.

    Args:
        batches: (n, C) each, N in all.
        softmax: whether the scores are logits of a softmax.
    """
    n = sum(map(len, batches))
    for block in _class_blocks(batches, softmax=softmax, block_size=max(1, 2**23 // max(1, n))):
        yield from block


class _SoftmaxTerms(NamedTuple):
    """The terms of the softmax of some rows that all classes share, (n,) each."""

    peak: Tensor  # the largest logit
    n_leaders: Tensor  # how many classes have it
    rest: Tensor  # the sum of the other classes' exponentials
    far_ahead: tuple[Tensor, Tensor] | None  # where a single leader is far ahead, and its log-odds

    @classmethod
    def of(cls, logits: Tensor) -> "_SoftmaxTerms":
        peak = logits.amax(1)
        exponentials = (logits - peak[:, None]).exp()
        # The leaders' exponentials are 1, the others' less.
        n_leaders, rest = exponentials.trunc().sum(1), exponentials.frac().sum(1)
        info = torch.finfo(rest.dtype)
        far = (rest < info.tiny / info.eps) & (n_leaders == 1)
        if not torch.compiler.is_exporting() and not bool(far.any()):  # a graph has no branch on values
            return cls(peak, n_leaders, rest, None)
        # More than 70 ahead, where the others' exponentials lose digits or underflow.
        behind = logits - peak[:, None]
        return cls(peak, n_leaders, rest, (far, -behind.masked_fill(behind == 0, -torch.inf).logsumexp(1)))

    def log_odds(self, logits: Tensor) -> Tensor:
        """The log-odds of some classes, (c, n), from their logits (c, n)."""
        behind = logits - self.peak
        # 1 − e_c is added to the rest separately: no digits cancel for any class.
        odds = behind - (self.rest + (self.n_leaders - behind.exp())).log()
        if self.far_ahead is None:
            return odds
        far, lead = self.far_ahead
        return torch.where(far & (behind == 0), lead, odds)


@torch.no_grad()
def _class_blocks(batches: Sequence[Tensor], *, softmax: bool, block_size: int) -> Iterator[Tensor]:
    """Yield the scores (c, N) of ``block_size`` classes at a time, by chunks of rows that fit into a CPU's cache."""
    num_classes, on_cpu = batches[0].shape[1], batches[0].device.type == "cpu"
    chunk_size = max(1, (2**17 if on_cpu else 2**24) // num_classes)
    chunks = [rows for batch in batches for rows in torch.split(batch, chunk_size)]
    terms = [_SoftmaxTerms.of(rows) for rows in chunks] if softmax else []
    block = batches[0].new_empty(min(block_size, num_classes), sum(map(len, chunks)))
    for first in range(0, num_classes, block_size):
        filled, view = 0, block[: num_classes - first]
        for i, rows in enumerate(chunks):
            scores = rows[:, first : first + block_size].T
            view[:, filled : filled + len(rows)] = terms[i].log_odds(scores.contiguous()) if softmax else scores
            filled += len(rows)
        yield view
