"""Whether an exported file says what the model says: probabilities within 10⁻⁵, and every decision equal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.deployment.export.rows import Rows
from imbalance_lab.errors import UsageError
from imbalance_lab.model import ModelOutput
from imbalance_lab.text import visible

TOLERANCE = 1e-5
"""Of probabilities."""

BATCH_SIZE = 1024
"""Rows that a runtime gets at once."""

Outputs = Mapping[str, NDArray[Any]]
"""What a runtime returned, by the names of `imbalance_lab.deployment.export.graph.output_names`."""


class Parity(NamedTuple):
    """The rows compared, and the largest difference of a probability."""

    rows: int
    difference: float


def batches(inputs: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
    """Parts of inputs (N, …) in sizes that show whether the batch is free: 1, 2, then `BATCH_SIZE` each."""
    start, n = 0, len(inputs[0])
    for size in (1, 2, *[BATCH_SIZE] * (n // BATCH_SIZE + 1)):
        if start < n:
            yield tuple(part[start : start + size] for part in inputs)
            start += size


def joined(parts: Iterable[Outputs]) -> dict[str, NDArray[Any]]:
    """The outputs of successive batches as one."""
    each = list(parts)
    return {name: np.concatenate([part[name] for part in each]) for name in each[0]}


def compare(what: str, found: Outputs, rows: Rows) -> Parity:
    """Compare the outputs of a runtime with the model's.

    Args:
        what: is compared, as a sentence begins.
        found: for all ``rows``.
        rows: with what the model says.

    Raises:
        UsageError: for a probability that differs by more than `TOLERANCE`, or any decision that differs; it names the
            largest difference, and where it is.
    """
    expected: ModelOutput = rows.output
    difference = np.abs(found["probabilities"].astype(np.float64) - expected.probabilities)
    difference = np.where(np.isnan(difference), np.inf, difference)
    row, c = np.unravel_index(int(difference.argmax()), difference.shape)
    largest = float(difference[row, c])
    if largest > TOLERANCE:
        raise UsageError(
            f"{what} differs from the model, its probability of {_class(expected, int(c))} in {_name(rows, int(row))} "
            f"by {largest:.2g} (at most {TOLERANCE:g} is allowed): nothing was written"
        )
    for name in ("labels", "flags", "sets"):
        ours = getattr(expected, name)
        if ours is None or name not in found:
            continue
        wrong = (found[name] != ours).reshape(len(rows), -1)
        if wrong.any():
            row, c = np.argwhere(wrong)[0]
            of = "" if name == "labels" else f" for {_class(expected, int(c))}"
            n = int(wrong.any(1).sum())
            raise UsageError(
                f"{what} decides otherwise than the model: other {name}{of} in {_name(rows, int(row))} and "
                f"{n - 1:,} more of {len(rows):,} rows, although no probability differs by more than {largest:.2g}: "
                "nothing was written"
            )
    return Parity(len(rows), largest)


def _class(output: ModelOutput, c: int) -> str:
    return visible(repr(output.classes[c]))


def _name(rows: Rows, row: int) -> str:
    return visible(rows.names(torch.tensor([row]))[0])
