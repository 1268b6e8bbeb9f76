"""A random sample of a stream of unknown length, and what the model makes of it, in constant memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.deployment.shift_features import Features

EVERY = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class RowSample:
    """Rows of a stream, drawn at random without replacement.

    Args:
        n_rows: of the whole stream.
        logits: (m, C) of the sample.
        features: (k, F) of the first k ≤ m of these rows, which are a random sample too; None if there are none.
    """

    n_rows: int
    logits: NDArray[np.float32]
    features: Features | None


class _Smallest:
    """Keeps the arrays of the ``size`` rows with the smallest keys."""

    def __init__(self, size: int, compute: Callable[[Tensor], NDArray[Any]]) -> None:
        self.size, self.compute = size, compute
        self.cutoff = EVERY
        self.keys: list[Tensor] = []
        self.values: list[NDArray[Any]] = []

    def add(self, keys: Tensor, inputs: Tensor) -> None:
        """Take what is among the smallest so far; nothing is computed for other rows."""
        at = (keys < self.cutoff).nonzero()[:, 0]
        if not len(at):
            return
        self.keys.append(keys[at])
        self.values.append(self.compute(inputs[at]))
        if sum(map(len, self.keys)) >= 2 * self.size:
            self._prune()

    def result(self) -> NDArray[Any]:
        """The rows that are left, in the order of their keys."""
        self._prune()
        return self.values[0]

    def _prune(self) -> None:
        keys, order = torch.cat(self.keys).sort()
        self.keys = [keys[: self.size]]
        self.values = [np.concatenate(self.values)[order[: self.size].numpy()]]
        if len(keys) >= self.size:
            self.cutoff = int(self.keys[0][-1])


def sample_rows(
    batches: Iterable[Tensor],
    logits: Callable[[Tensor], NDArray[Any]],
    features: Callable[[Tensor], NDArray[Any]] | None,
    *,
    n_logits: int,
    n_features: int,
    seed: int,
) -> RowSample:
    """Draw rows by a hash of their number: the same rows however the stream is cut into batches.

    Args:
        batches: encoded inputs (n, …).
        logits: inputs → logits (n, C).
        features: inputs → features (n, F).
        n_logits, n_features: rows of the samples, at most.
        seed: of the draw.

    Raises:
        ValueError: if there is no row.
    """
    n = 0
    parts = [_Smallest(n_logits, logits)] + ([_Smallest(n_features, features)] if features is not None else [])
    for inputs in batches:
        keys = seeding.hash_indices(seed, torch.arange(n, n + len(inputs)))
        n += len(inputs)
        for part in parts:
            part.add(keys, inputs)
    if not n:
        raise ValueError("there is no row")
    found = [part.result() for part in parts]
    return RowSample(n, found[0], found[1] if features is not None else None)
