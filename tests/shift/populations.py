"""Samples with known class shares: normal features, whose true log-odds are the logits."""

import numpy as np

PRIOR = {2: np.array([0.9, 0.1]), 3: np.array([0.6, 0.3, 0.1])}


def features(target, rng, *, distance=2.0, n=5):
    """(N, n): class c > 0 has its mean at ``distance`` along axis c − 1."""
    x = rng.standard_normal((len(target), n))
    rows = np.flatnonzero(target > 0)
    x[rows, target[rows] - 1] += distance
    return x


def logits(x, classes, *, distance=2.0, scale=1.0, offset=0.0):
    ratios = np.concatenate([np.zeros((len(x), 1)), x[:, : classes - 1] * distance - distance**2 / 2], 1)
    return scale * (ratios + np.log(PRIOR[classes])) + offset * np.arange(classes)


def targets(counts):
    return np.repeat(np.arange(len(counts)), counts)


def samples(counts, new_counts, seed=0, **of_logits):
    """Logits and target of a reference, and logits of a new sample."""
    rng, classes = np.random.default_rng(seed), len(counts)
    distance = of_logits.get("distance", 2.0)
    target, new = targets(counts), targets(new_counts)
    x, new_x = (features(t, rng, distance=distance) for t in (target, new))
    return logits(x, classes, **of_logits), target, logits(new_x, classes, **of_logits)
