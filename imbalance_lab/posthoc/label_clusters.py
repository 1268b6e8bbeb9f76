"""Clusters of classes with similar scores, so that classes with few examples share a quantile.

Clustered conformal prediction (Ding, Angelopoulos, Bates, Jordan & Tibshirani 2023, arXiv 2306.09335, section 2): the
quantiles of one part of a class's calibration scores embed the class, k-means weighted by the square root of their
number clusters the embeddings, and the quantile of a cluster is taken over the other part. Because the parts are
disjoint, the clusters are fixed when the quantile is taken, and the sets hold the true class of at least 1 − alpha of a
cluster's examples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""The quantiles that embed a class, beside 1 − alpha."""


class LabelClusters(NamedTuple):
    """``cluster`` (K,) of each class, from 0; and of each class the positions of the scores for the quantile."""

    cluster: NDArray[np.int64]
    positions: list[NDArray[np.int64]]


def cluster_labels(scores: Sequence[NDArray[np.float64]], alpha: float, needed: int, seed: int = 0) -> LabelClusters:
    """Cluster K classes by their scores; a cluster too small for a quantile joins the nearest one.

    The share of the scores that clusters, K / (75 + K), and the number of clusters, half of what that leaves of the
    smallest class, are the paper's. If that is less than two clusters, all classes are one, and all scores are for its
    quantile.

    Args:
        scores: of each class, (n_c,), in [0, 1].
        alpha: its quantile 1 − alpha embeds a class too.
        needed: the fewest scores that a quantile can be taken of.
        seed: decides which scores cluster.
    """
    share = len(scores) / (75 + len(scores))
    n_clusters = min(int(share * min(map(len, scores), default=0) / 2), len(scores))
    if n_clusters < 2:
        return LabelClusters(np.zeros(len(scores), np.int64), [np.arange(len(each)) for each in scores])
    rng = np.random.default_rng(seed)
    parts = [np.split(rng.permutation(len(each)), [round(share * len(each))]) for each in scores]
    levels = sorted({*LEVELS, 1 - alpha})
    embedding = np.stack([np.quantile(each[used], levels) for each, (used, _) in zip(scores, parts, strict=True)])
    weight = np.sqrt([len(used) for used, _ in parts])
    positions = [np.sort(rest) for _, rest in parts]
    size = np.array([len(rest) for rest in positions])
    return LabelClusters(_merged(_k_means(embedding, weight, n_clusters, seed), embedding, size, needed), positions)


def _k_means(embedding: NDArray[np.float64], weight: NDArray[np.float64], n: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans  # here: it takes a second

    n = min(n, len(np.unique(embedding, axis=0)))
    fitted = KMeans(n, n_init=10, random_state=seed).fit(embedding, sample_weight=weight)
    return np.asarray(fitted.labels_, np.int64)


def _merged(
    cluster: NDArray[np.int64], embedding: NDArray[np.float64], size: NDArray[np.int64], needed: int
) -> NDArray[np.int64]:
    """Let clusters of fewer than ``needed`` scores join the nearest one; number the clusters from 0 on."""
    while True:
        numbers, cluster = np.unique(cluster, return_inverse=True)
        sizes = np.bincount(cluster, size)
        smallest = int(sizes.argmin())
        if len(numbers) == 1 or sizes[smallest] >= needed:
            return np.asarray(cluster, np.int64)
        centers = np.stack([embedding[cluster == number].mean(0) for number in range(len(numbers))])
        distance = np.linalg.norm(centers - centers[smallest], axis=1)
        distance[smallest] = np.inf
        cluster[cluster == smallest] = distance.argmin()
