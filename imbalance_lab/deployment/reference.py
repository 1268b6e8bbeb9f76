"""The labelled examples of a run that new ones are compared with."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab import seeding
from imbalance_lab.data import Source
from imbalance_lab.deployment.shift_features import Features, FeatureSpace
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
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
    order = np.argsort(predictions.index)
    index, target = batch.index.numpy(), batch.target.numpy()
    at = order[np.searchsorted(predictions.index, index, sorter=order).clip(max=len(order) - 1)]
    if (predictions.index[at] != index).any() or (predictions.target[at] != target).any():
        raise UsageError("the stored predictions are not of these examples: test the model again")
    return ReferenceFeatures(space, space.compute(batch.input), target, predictions.logits[at])
