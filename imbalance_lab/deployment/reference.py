"""The labelled examples of a run that new ones are compared with."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab import seeding
from imbalance_lab.data import Source
from imbalance_lab.deployment.shift_features import Features, FeatureSpace
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions, positions_of
from imbalance_lab.samplers import SampledIndices


@dataclass(frozen=True)
class ReferenceFeatures:
    """The features of labelled examples, for the test for other shift.

    Args:
        space: what the features are.
        values: (N, F).
        target: (N,).
        logits: (N, C), as the run stored them.
    """

    space: FeatureSpace
    values: Features
    target: NDArray[np.int64]
    logits: NDArray[np.float32]


def reference_features(
    space: FeatureSpace, source: Source, predictions: Predictions, n: int, seed: int
) -> ReferenceFeatures:
    """Those of at most ``n`` examples of a split, drawn at random.

    Args:
        space: the features.
        source: the examples of the split.
        predictions: stored for the split.
        n: how many.
        seed: of the draw.

    Raises:
        UsageError: if the predictions are not of these examples.
    """
    positions = seeding.hash_indices(seed, source.index).argsort()[:n].sort().values
    batch = source.__getitems__(SampledIndices(positions, torch.zeros_like(positions)))
    at, target = positions_of(batch.index.numpy(), predictions.index), batch.target.numpy()
    if (at < 0).any() or (predictions.target[at] != target).any():
        raise UsageError("the stored predictions are not of these examples: test the model again")
    return ReferenceFeatures(space, space.compute(batch.input), target, predictions.logits[at])
