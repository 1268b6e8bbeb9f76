"""The rows that an exported file is checked on: encoded inputs, and what the model says of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.arrays import Source
from imbalance_lab.data.image_files import ImageFiles
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions, positions_of
from imbalance_lab.model import Model, ModelOutput
from imbalance_lab.posthoc import PostProcessor
from imbalance_lab.samplers import SampledIndices

MAX_ROWS = 10_000
MAX_BYTES = 512 * 2**20
"""At most so many rows, and so many bytes of encoded inputs: larger validation splits are checked in part."""

READ_AT_ONCE = 256
"""Rows; of image files as many are decoded together."""

STORED_TOLERANCE = 1e-3
"""Of probabilities; predictions of a GPU differ from those of a CPU by less, those of other data by more."""


@dataclass(frozen=True)
class Rows:
    """Examples with what the model says of them.

    Args:
        inputs: (N, …), as `InputSchema.encode` gives them.
        output: of the model.
        log_odds: (M, C) float32 of all validation examples, these N and others.
        names: positions → names of the examples for a user.
        paths: of image files, N; None for other data.
        stored_difference: the largest difference to the probabilities that the run stored.
    """

    inputs: Tensor
    output: ModelOutput
    log_odds: NDArray[np.float32]
    names: Callable[[Tensor], list[str]]
    paths: list[str] | None = None
    stored_difference: float = 0.0

    def __len__(self) -> int:
        return len(self.inputs)


def validation_rows(model: Model, source: Source, stored: Predictions) -> Rows:
    """Validation examples (or test), and the model's output, which the run's stored predictions have to confirm.

    Raises:
        UsageError: if the model was not evaluated, or the predictions are of other data.
    """
    postprocessor = model.evaluated_postprocessor
    logits = _aligned(source, stored)
    log_odds = postprocessor.log_odds(logits)
    at = choose_rows(_margins(log_odds, postprocessor), _read(source, torch.zeros(1, dtype=torch.long)).nbytes)
    inputs = torch.cat([_read(source, part) for part in at.split(READ_AT_ONCE)])  # type: ignore[no-untyped-call]
    ours = model.logits_of(inputs)
    output = model.output(ours)
    difference = np.abs(output.probabilities - postprocessor.probabilities(logits[at.numpy()]))
    if not (largest := float(difference.max())) <= STORED_TOLERANCE:
        row = int(difference.max(1).argmax())
        raise UsageError(
            f"the model does not say of {source.names(at[row : row + 1])[0]} what the run stored, a probability "
            f"differs by {largest:.2g}: are the data those of the run? If they have moved, name them with data.path=…"
        )
    log_odds[at.numpy()] = postprocessor.log_odds(ours)
    listed = [source.files[i] for i in source.index[at].tolist()] if isinstance(source, ImageFiles) else []
    paths = [path for path in listed if isinstance(path, str)] or None  # not of images in archives
    return Rows(inputs, output, log_odds, lambda rows: source.names(at[rows]), paths, largest)


def choose_rows(margins: NDArray[np.float32], row_bytes: int) -> Tensor:
    """Positions of the rows to check, ascending; all of them if they are few.

    Half are those nearest to a threshold, where a difference decides; half are evenly spaced.

    Args:
        margins: (N,), the distance of each row's log-odds to the nearest threshold.
        row_bytes: of one encoded input.
    """
    n = len(margins)
    most = min(MAX_ROWS, max(2, MAX_BYTES // row_bytes))
    if n <= most:
        return torch.arange(n)
    nearest = np.argsort(margins, kind="stable")[: most // 2]
    spaced = np.linspace(0, n - 1, most - len(nearest)).astype(np.int64)
    return torch.from_numpy(np.union1d(nearest, spaced))


def _aligned(source: Source, stored: Predictions) -> NDArray[np.float32]:
    """The stored logits in the order of the source."""
    at = positions_of(source.index.numpy(), stored.index)
    if len(at) != len(stored.index) or (at < 0).any():
        raise UsageError("the stored predictions are of other validation examples than the data have: predict again")
    return stored.logits[at]


def _margins(log_odds: NDArray[np.float32], postprocessor: PostProcessor) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):  # a class without a threshold is infinitely far from it
        margins: NDArray[np.float32] = np.abs(log_odds - postprocessor.log_odds_thresholds.cpu().numpy()).min(1)
    return margins


def _read(source: Source, positions: Tensor) -> Tensor:
    return source.__getitems__(SampledIndices(positions, positions)).input
