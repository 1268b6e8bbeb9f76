"""Intervals of class shares that need no correct calibration: a test of every share is inverted.

Scores g(x) that sum to 1 have the mean Σ_k π_k E[g | k] in a population with the class shares π, whatever g is, as long
as only the class priors differ. With the matrix A of the class-wise means in the reference, h = A⁻¹ g is an unbiased
*vote*: its mean is 1 in class c and 0 in the others for the c-th entry, and π_c in the new population. A share v of
class c is in the interval if

    (mean h_c − v)² ≤ t² · Var_v,    Var_v = (Σ_k π_k E_k[h_c²] − v²) / M + Σ_k π_k² Var_k(h_c) / n_k,

with π_c = v and the other classes in their estimated proportions. The variance is that under v, not under the estimate
(as in Wilson's interval), so that it is right for rare classes, and the second sum is the uncertainty of A itself
(as in Fieller's), so that few reference rows of a class make the interval wide.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array = NDArray[np.float64]
MAX_CONDITION = 1e8
LEVEL = 0.95


def unbiased_votes(reference_scores: Array, target: NDArray[np.int64], scores: Array) -> tuple[Array, Array]:
    """The votes of the reference (N, C) and of the new sample (M, C); NaN if the scores do not tell classes apart."""
    means = class_means(reference_scores, target)
    if not np.linalg.cond(means) < MAX_CONDITION:
        return np.full_like(reference_scores, np.nan), np.full_like(scores, np.nan)
    inverse = np.linalg.inv(means)
    return reference_scores @ inverse, scores @ inverse


def class_means(values: Array, target: NDArray[np.int64]) -> Array:
    """The means (C, K) of values (N, K) in each of C classes."""
    n_classes = int(target.max()) + 1
    sums = np.stack([np.bincount(target, column, n_classes) for column in values.T], 1)
    return np.asarray(sums / np.bincount(target, minlength=n_classes)[:, None])


def share_intervals(
    reference_votes: Array, target: NDArray[np.int64], votes: Array, prior: Array
) -> tuple[Array, Array]:
    """The lower and the upper end (C,) of each share's interval; 0 and 1 if the votes are undefined.

    Args:
        reference_votes: (N, C).
        target: class indices (N,).
        votes: (M, C) of the new sample.
        prior: the estimated shares (C,), for the proportions of the other classes.
    """
    n_classes = len(prior)
    if np.isnan(votes).any():
        return np.zeros(n_classes), np.ones(n_classes)
    counts = np.bincount(target, minlength=n_classes)
    squares = class_means(reference_votes**2, target)
    pairs = [
        _one_interval(float(votes[:, c].mean()), len(votes), squares[:, c], counts, prior, c) for c in range(n_classes)
    ]
    low, high = np.array(pairs).T
    return low, high


def _one_interval(
    mean: float, n_new: int, squares: Array, counts: NDArray[np.int64], prior: Array, c: int
) -> tuple[float, float]:
    is_class = np.arange(len(prior)) == c
    others = np.where(is_class, 0, np.maximum(prior, 1e-12))
    others /= others.sum()
    class_variance = (squares - is_class) * counts / (counts - 1)
    # A class whose votes all agree has been seen count times only: at least the variance of Agresti and Coull's share.
    seen = (counts + 2) / (counts + 4)
    floor = seen * (1 - seen)
    of_mean = np.maximum(class_variance, floor) / counts

    def accepted(share: Array) -> NDArray[np.bool_]:
        mix = share[:, None] * is_class + (1 - share[:, None]) * others
        terms = mix**2 * of_mean
        of_new = (mix @ np.maximum(squares, is_class) - share**2) / n_new
        variance = of_new + terms.sum(1)
        df = variance**2 / (terms**2 / (counts - 1)).sum(1)
        quantile = stdtrit(df, (1 + LEVEL) / 2)
        return np.asarray((mean - share) ** 2 <= quantile**2 * variance)

    return _ends(accepted, min(max(mean, 0.0), 1.0))


def _ends(accepted: Callable[[Array], NDArray[np.bool_]], inside: float) -> tuple[float, float]:
    """The lowest and the highest accepted share, from a grid that is dense near 0 and 1, refined by halving."""
    small = np.geomspace(1e-7, 0.5, 100)
    grid = np.unique(np.concatenate([[0.0], small, 1 - small, [1.0, inside]]))
    good = np.flatnonzero(accepted(grid))
    if not len(good):
        return inside, inside
    first, last = int(good[0]), int(good[-1])
    low = 0.0 if first == 0 else _bisect(accepted, grid[first - 1], grid[first])
    high = 1.0 if last == len(grid) - 1 else _bisect(accepted, grid[last + 1], grid[last])
    return low, high


def _bisect(accepted: Callable[[Array], NDArray[np.bool_]], outside: float, inside: float) -> float:
    for _ in range(20):
        middle = (outside + inside) / 2
        if accepted(np.array([middle]))[0]:
            inside = middle
        else:
            outside = middle
    return float(inside)
