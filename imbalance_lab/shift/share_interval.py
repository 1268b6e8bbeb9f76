"""Intervals of class shares that need no correct calibration: a test of every share is inverted.

Scores g(x) that sum to 1 have the mean Σ_k π_k E[g | k] in a population with the class shares π, whatever g is, as long
as only the class priors differ. With the matrix A of the class-wise means in the reference, h = A⁻¹ g is an unbiased
*vote*: its mean is 1 in class c and 0 in the others for the c-th entry, and π_c in the new population. A share v of
class c is in the interval if

    (mean h_c − v)² ≤ t² · Var_v,    Var_v = (Σ_k π_k E_k[h_c²] − v²) / M + Σ_k π_k² Var_k(h_c) / n_k,

with π_c = v and the other classes in their estimated proportions. The variance is that under v, not under the estimate
(as in Wilson's interval), so that it is right for rare classes; but it is not less than that of the observed votes. The
second sum is the uncertainty of A itself (as in Fieller's interval), so that few reference rows of a class make the
interval wide. t is Student's, after a correction for skewness (Hall 1992).
"""

from collections.abc import Callable
from typing import NamedTuple

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
    squares, cubes = (class_means(reference_votes**power, target) for power in (2, 3))
    pairs = []
    for c, mean in enumerate(votes.mean(0).tolist()):
        is_class = (np.arange(n_classes) == c).astype(np.float64)
        others = np.maximum(prior, 1e-12) * (1 - is_class)
        moments = VoteMoments(
            mean=mean,
            n_new=len(votes),
            new_variance=float(votes[:, c].var()),
            counts=counts,
            is_class=is_class,
            others=others / others.sum(),
            squares=squares[:, c],
            cubes=cubes[:, c],
        )
        pairs.append(_ends(moments.accept, min(max(mean, 0.0), 1.0)))
    low, high = np.array(pairs).T
    return low, high


class VoteMoments(NamedTuple):
    """What the interval of one share needs to know of the votes for it.

    Args:
        mean: of the new sample's votes.
        n_new: M.
        new_variance: of the new sample's votes.
        counts: n_k, reference rows (C,).
        is_class: 1 for the class itself, 0 for the others (C,): the class-wise means of the reference's votes.
        others: the proportions of the other classes (C,), with sum 1; 0 for the class itself.
        squares, cubes: the class-wise means of the reference's votes², votes³ (C,).
    """

    mean: float
    n_new: int
    new_variance: float
    counts: NDArray[np.int64]
    is_class: Array
    others: Array
    squares: Array
    cubes: Array

    def accept(self, share: Array) -> NDArray[np.bool_]:
        """Which shares (K,) the test does not reject."""
        mix = share[:, None] * self.is_class + (1 - share[:, None]) * self.others
        of_reference = mix**2 * self._variances() / self.counts
        of_new = mix @ np.maximum(self.squares, self.is_class) - share**2
        variance = np.maximum(of_new, self.new_variance) / self.n_new + of_reference.sum(1)
        df = variance**2 / (of_reference**2 / (self.counts - 1)).sum(1)
        t = _without_skewness((self.mean - share) / np.sqrt(variance), *self._skewness(share, mix, variance))
        return np.asarray(np.abs(t) <= stdtrit(df, (1 + LEVEL) / 2))

    def _variances(self) -> Array:
        """The variance of the votes in each class of the reference (C,).

        A class whose votes all agree has been seen n_k times only: its variance is at least that of the share that
        Agresti & Coull (1998) give to n_k successes of n_k.
        """
        seen = (self.counts + 2) / (self.counts + 4)
        found = (self.squares - self.is_class) * self.counts / (self.counts - 1)
        return np.asarray(np.maximum(found, seen * (1 - seen)))

    def _skewness(self, share: Array, mix: Array, variance: Array) -> tuple[Array, Array]:
        """The third cumulant of the difference, and its covariance with its variance, over variance^1.5 (K,) each."""
        central = self.cubes - self.is_class * (3 * self.squares - 2)
        of_new = (mix @ self.cubes - 3 * share * (mix @ self.squares) + 2 * share**3) / self.n_new**2
        of_reference = -(mix**3 * central / self.counts**2).sum(1)
        return (of_new + of_reference) / variance**1.5, of_reference / variance**1.5


def _without_skewness(t: Array, skewness: Array, covariance: Array) -> Array:
    """Hall's (1992) monotone cubic of a t statistic that makes it normal up to terms of the order 1 / n.

    The variance of the new sample is that under the tested share and does not move with the mean; that of the reference
    is estimated and does (``covariance``). For a single studentized mean both arguments are its skewness / √n.
    """
    bend = covariance / 2 - skewness / 6
    return np.asarray(t + bend * t**2 + bend**2 * t**3 / 3 + skewness / 6)


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
