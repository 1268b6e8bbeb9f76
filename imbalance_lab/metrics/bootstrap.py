"""The stratified bootstrap of one-vs-rest rankings: exact, with the examples shared by all classes, and fast.

A draw gives every example a weight, how often it was drawn; scores are never sorted again. For each class, negatives
fall into 2G + 1 bins between and at the G distinct scores of its positives, so that a draw's AUROC and average
precision follow from sums of weights by bin: one sparse matrix product for a block of draws.

Its percentile interval is the usual one, and too narrow where classes have few examples (docs/benchmarks.md), so
`macro_auroc_interval` does not rest on it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.metrics.influence import Strata
from imbalance_lab.metrics.intervals import Interval
from imbalance_lab.metrics.ranking import Counts, Scores

Weights = NDArray[np.float64]
BLOCK = 64  # draws at a time: their weights stay in the processor's cache up to about 10,000 examples


class BootstrapScores(NamedTuple):
    """Scores of B resampled data sets, (B, C) each; NaN where a class is undefined."""

    auroc: NDArray[np.float64]
    average_precision: NDArray[np.float64]


def stratified_bootstrap(scores: Scores, target: Counts, draws: int = 1000, seed: int = 0) -> BootstrapScores:
    """Resample the examples within each class, with replacement, and rank every class against all others.

    1000 draws of 10,000 examples take about a second for 10 classes; time grows with draws · N · C.

    Args:
        scores: (N, C).
        target: class numbers (N,), or multi-label 0/1 (N, C), whose examples are resampled all together.
        draws: B, the number of resampled data sets.
        seed: of the generator; the same seed gives the same draws.

    >>> scores, target = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]]), np.array([0, 0, 1, 1])
    >>> stratified_bootstrap(scores, target, draws=3).auroc.shape
    (3, 2)
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    scores, target = as_scores(scores), as_target(target)
    rng, strata = np.random.default_rng(seed), Strata(target)
    n_classes = scores.shape[1]
    positive = target[:, None] == np.arange(n_classes) if target.ndim == 1 else target > 0
    bins = [_Bins(column, of_class) for column, of_class in zip(scores.T, positive.T, strict=True)]
    auroc, average_precision = np.empty((2, draws, n_classes))
    for start in range(0, draws, BLOCK):
        block = slice(start, min(start + BLOCK, draws))
        weights = resampled_weights(strata, block.stop - block.start, rng)
        for c, of_class in enumerate(bins):
            auroc[block, c], average_precision[block, c] = of_class.scores(weights)
    return BootstrapScores(auroc, average_precision)


def percentile_interval(values: NDArray[np.float64], level: float = 0.95) -> Interval:
    """The percentile interval (Efron 1979) from the values (B,) of B draws."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_weights(strata: Strata, draws: int, rng: np.random.Generator) -> Weights:
    """How often each example is drawn, (N, draws): as many from each stratum as it has."""
    members = np.argsort(strata.of_example, kind="stable")
    weights = np.empty((len(members), draws))
    for own in np.split(members, np.cumsum(strata.sizes)[:-1]):
        drawn = rng.integers(len(own), size=(len(own), draws)) * draws + np.arange(draws)
        weights[own] = np.bincount(drawn.ravel(), minlength=len(own) * draws).reshape(-1, draws)
    return weights


class _Bins:
    """Which examples of one class's ranking are summed together, lowest score first."""

    def __init__(self, scores: Scores, positive: NDArray[np.bool_]) -> None:
        self.is_defined = bool(positive.any() and not positive.all())
        levels, of_positive = np.unique(scores[positive], return_inverse=True)
        negatives = scores[~positive]
        # Even bins lie between levels, odd ones at them.
        of_negative = np.searchsorted(levels, negatives, "left") + np.searchsorted(levels, negatives, "right")
        self.positives = _sums(of_positive, np.flatnonzero(positive), len(levels), len(scores))
        self.negatives = _sums(of_negative, np.flatnonzero(~positive), 2 * len(levels) + 1, len(scores))

    def scores(self, weights: Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC and average precision (B,) with these weights (N, B)."""
        if not self.is_defined:
            undefined = np.full(weights.shape[1], np.nan)
            return undefined, undefined
        here, up_to = self.positives @ weights, np.cumsum(self.negatives @ weights, 0)
        below, below_or_tied, n_negative = up_to[:-1:2], up_to[1::2], up_to[-1]
        at_least = np.cumsum(here[::-1], 0)[::-1]
        n_positive = at_least[0]
        flagged = at_least + n_negative - below
        with np.errstate(invalid="ignore"):  # a multi-label draw may have no positive or no negative: NaN
            auroc = np.einsum("gb,gb->b", here, below + below_or_tied) / (2 * n_positive * n_negative)
            precision = np.divide(at_least, flagged, out=np.zeros_like(flagged), where=flagged > 0)
            return auroc, np.einsum("gb,gb->b", here, precision) / np.where(n_negative > 0, n_positive, np.nan)


def _sums(row: NDArray[np.int64], column: NDArray[np.int64], n_rows: int, n_columns: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=(n_rows, n_columns))
