"""The stratified bootstrap of one-vs-rest rankings, exact and fast, with the same draws for all classes.

A draw gives every example a weight: how often it was drawn. Scores are sorted only once. For each class, negatives
fall into 2G + 1 bins, at and between the G distinct scores of its positives; the AUROC and average precision of a draw
follow from the sums of weights in each bin: one sparse matrix product for a block of draws.

The percentile interval is the usual one. It is too narrow if classes have few examples (docs/benchmarks.md), so
`macro_auroc_interval` does not use it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from imbalance_lab.metrics.array_inputs import as_examples, as_scores, check_level
from imbalance_lab.metrics.influence import Strata
from imbalance_lab.metrics.types import Interval, Mask, Scores
from imbalance_lab.task import Target, one_hot
from imbalance_lab.validation import check_integer

Weights = NDArray[np.float64]
BLOCK = 64  # draws at a time: their weights fit into the CPU's cache up to about 10,000 examples


class BootstrapScores(NamedTuple):
    """Scores of B resampled data sets, (B, C) each; NaN where a class is undefined."""

    auroc: NDArray[np.float64]
    average_precision: NDArray[np.float64]


def stratified_bootstrap(scores: Scores, target: Target, draws: int = 1000, seed: int = 0) -> BootstrapScores:
    """Resample the examples within each class, with replacement, and rank every class against all others.

    1000 draws of 10,000 examples take about a second for 10 classes; time grows with draws · N · C.

    Args:
        scores: (N, C).
        target: class indices (N,), or multilabel 0/1 (N, C), whose examples form one stratum.
        draws: B, the number of resampled data sets.
        seed: of the random generator; the same seed gives the same draws.

    >>> scores, target = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]]), np.array([0, 0, 1, 1])
    >>> stratified_bootstrap(scores, target, draws=3).auroc.shape
    (3, 2)
    """
    check_integer("draws", draws, minimum=1)
    check_integer("seed", seed, minimum=0)
    scores, labels = as_examples(scores, target)
    rng, strata = np.random.default_rng(seed), Strata(labels)
    n_classes = scores.shape[1]
    positive = one_hot(labels, n_classes)
    bins = [_Bins(column, of_class) for column, of_class in zip(scores.T, positive.T, strict=True)]
    auroc, average_precision = np.empty((2, draws, n_classes))
    for start in range(0, draws, BLOCK):
        block = slice(start, min(start + BLOCK, draws))
        weights = resampled_weights(strata, block.stop - block.start, rng)
        for c, of_class in enumerate(bins):
            auroc[block, c], average_precision[block, c] = of_class.scores(weights)
    return BootstrapScores(auroc, average_precision)


def percentile_interval(values: NDArray[np.float64], level: float = 0.95) -> Interval:
    """The percentile interval (Efron 1979) from the values (B,) of B draws; they must not be NaN."""
    check_level(level)
    values = as_scores(values, "values", ndim=1)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_weights(strata: Strata, draws: int, rng: np.random.Generator) -> Weights:
    """How often each example is drawn, (N, draws); every draw keeps the sizes of the strata."""
    members = np.argsort(strata.of_example, kind="stable")
    weights = np.empty((len(members), draws))
    for rows in np.split(members, np.cumsum(strata.sizes)[:-1]):
        drawn = rng.integers(len(rows), size=(len(rows), draws)) * draws + np.arange(draws)
        weights[rows] = np.bincount(drawn.ravel(), minlength=len(rows) * draws).reshape(-1, draws)
    return weights


class _Bins:
    """The bins of one class's ranking, lowest score first."""

    def __init__(self, scores: Scores, positive: Mask) -> None:
        self.is_defined = bool(positive.any() and not positive.all())
        levels, of_positive = np.unique(scores[positive], return_inverse=True)
        negatives = scores[~positive]
        # Even bins lie between the levels, odd bins at them.
        of_negative = np.searchsorted(levels, negatives, "left") + np.searchsorted(levels, negatives, "right")
        self.positives = _bin_sums(of_positive, np.flatnonzero(positive), len(levels), len(scores))
        self.negatives = _bin_sums(of_negative, np.flatnonzero(~positive), 2 * len(levels) + 1, len(scores))

    def scores(self, weights: Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC and average precision (B,) with these weights (N, B)."""
        if not self.is_defined:
            undefined = np.full(weights.shape[1], np.nan)
            return undefined, undefined
        at_level, up_to = self.positives @ weights, np.cumsum(self.negatives @ weights, 0)
        below, below_or_tied, n_negative = up_to[:-1:2], up_to[1::2], up_to[-1]
        at_least = np.cumsum(at_level[::-1], 0)[::-1]
        n_positive = at_least[0]
        flagged = at_least + n_negative - below
        with np.errstate(invalid="ignore"):  # a multilabel draw can lack positives or negatives: NaN
            auroc = np.einsum("gb,gb->b", at_level, below + below_or_tied) / (2 * n_positive * n_negative)
            precision = np.divide(at_least, flagged, out=np.zeros_like(flagged), where=flagged > 0)
            return auroc, np.einsum("gb,gb->b", at_level, precision) / np.where(n_negative > 0, n_positive, np.nan)


def _bin_sums(row: NDArray[np.int64], column: NDArray[np.int64], n_rows: int, n_columns: int) -> sparse.csr_array:
    """The matrix that sums the weights of the examples (column) in each bin (row)."""
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=(n_rows, n_columns))
