"""The rows of a table as the baselines take them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Logits = NDArray[np.float64]

OTHER = -1
"""What `frequent_codes` makes of a code that is not among the most frequent."""


@dataclass(frozen=True)
class TableExamples:
    """Encoded rows of a table with their targets, before any imputation or scaling.

    Args:
        rows: (N, F) float32: K numbers, NaN where missing, then F − K codes of categories, 0 where missing or unknown.
        target: class indices (N,).
        n_numbers: K.
        num_classes: C.
    """

    rows: Rows
    target: NDArray[np.int64]
    n_numbers: int
    num_classes: int

    def __len__(self) -> int:
        return len(self.target)

    @property
    def numbers(self) -> Rows:
        """(N, K)."""
        return self.rows[:, : self.n_numbers]

    @property
    def codes(self) -> NDArray[np.int64]:
        """(N, F − K)."""
        return self.rows[:, self.n_numbers :].astype(np.int64)

    def take(self, at: NDArray[np.int64]) -> "TableExamples":
        """Some of the examples."""
        return replace(self, rows=self.rows[at], target=self.target[at])

    def at_most(self, n: int, seed: int) -> "TableExamples":
        """All examples, or ``n`` of them, drawn without replacement."""
        if len(self) <= n:
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(len(self), n, replace=False)))


class FittedModel(NamedTuple):
    """A trained baseline.

    Args:
        logits: rows (N, F) → logits (N, C), which a softmax makes probabilities of.
        about: how it was trained, in a few words.
    """

    logits: Callable[[Rows], Logits]
    about: str


def frequent_codes(codes: NDArray[np.int64], most: int) -> list[NDArray[np.int64]]:
    """Of each column of codes (N, G) the most frequent ones, the most frequent first; equal ones by code."""
    found = []
    for column in codes.T:
        counts = np.bincount(column)
        order = np.argsort(-counts, kind="stable")[:most]
        found.append(order[counts[order] > 0])
    return found


def positions(codes: NDArray[np.int64], known: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The place of each code (N, G) among those known of its column, (N, G); `OTHER` for others."""
    placed = np.full(codes.shape, OTHER, np.int64)
    for g, of_column in enumerate(known):
        size = max(int(codes[:, g].max(initial=0)), int(of_column.max(initial=0))) + 1
        place = np.full(size, OTHER, np.int64)
        place[of_column] = np.arange(len(of_column))
        placed[:, g] = place[codes[:, g]]
    return placed


def spread_over_classes(scores: Logits, present: NDArray[np.int64], num_classes: int) -> Logits:
    """Logits (N, C) from those of the classes that the training rows have; the others get nearly no probability.

    Args:
        scores: (N, K) of the K classes; or (N,), the log-odds of the second of two.
        present: the indices of these classes, (K,).
        num_classes: C.
    """
    if scores.ndim == 1:
        scores = np.stack([np.zeros_like(scores), scores], 1)
    if len(present) == num_classes:
        return scores
    logits = np.repeat(scores.min(1, keepdims=True) - NEARLY_NEVER, num_classes, 1)
    logits[:, present] = scores
    return logits


NEARLY_NEVER = 20.0
"""How far the logit of a class without a training row is below the lowest other one."""
