"""Means over replicates: runs of one setting with other seeds, subsets of the data, or both.

With S seeds × U subsets the S · U runs are not independent: those of one seed share it, and so do those of one subset.
The variance of their mean is estimated as V = Σ_f V_f over the factors f (seed, subset), where V_f is the variance
between the levels of f as if these were the only replicates; the interval is Student's t with Satterthwaite's degrees
of freedom. The two-way estimator of Cameron, Gelbach & Miller (2011, eq. 2.11) subtracts the variance of single runs,
which both V_f contain; keeping it is conservative, and cannot be negative. In simulations (2 × 2 to 5 × 5, 20,000 data
sets each) the 95 % interval covers 93.7 to 99.0 %; that of S · U independent runs covers down to 55 %.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_values
from imbalance_lab.metrics.distributions import student_p_value, student_quantile
from imbalance_lab.metrics.influence import satterthwaite
from imbalance_lab.metrics.types import Interval


class ReplicateMean(NamedTuple):
    """A mean over ``n`` replicates with its standard error and degrees of freedom; both NaN if they are unknown.

    They are unknown for one replicate, and if all are equal: replicates without spread are no evidence of certainty.
    """

    mean: float
    error: float
    df: float
    n: int

    def interval(self, level: float = 0.95) -> Interval | None:
        """Student's t interval."""
        if np.isnan(self.error):
            return None
        half_width = student_quantile(level, self.df) * self.error
        return self.mean - half_width, self.mean + half_width

    @property
    def p(self) -> float:
        """The two-sided p-value of a mean of 0: below 1 − level exactly if the interval excludes 0."""
        return float("nan") if np.isnan(self.error) else student_p_value(self.mean / self.error, self.df)


def replicate_mean(values: Sequence[float], replicates: Sequence[Sequence[Hashable]] | None = None) -> ReplicateMean:
    """The mean over replicates.

    Args:
        values: (n,), one a replicate. To compare two settings, the differences of their common replicates.
        replicates: (n, F), the level of each factor (seed, subset) that it was run with, each combination once; None if
            they differ in one factor only.

    >>> found = replicate_mean([0.81, 0.83, 0.85])
    >>> low, high = found.interval()
    >>> f"{found.mean:.3f} [{low:.3f}, {high:.3f}]"
    '0.830 [0.780, 0.880]'
    """
    array = np.array(as_values(values, "values"))
    if len(array) == 0 or not np.isfinite(array).all():
        raise ValueError(f"a mean over replicates needs one finite value for each, got {list(values)}")
    if replicates is None:
        replicates = [[place] for place in range(len(array))]
    if len(set(map(tuple, replicates))) != len(array):
        raise ValueError(f"replicates must be a different one for each of {len(array)} values, got {list(replicates)}")
    mean = float(array.mean())
    clusters = _clusters(replicates)
    if len(array) < 2 or np.ptp(array) <= 1e-12 * max(1.0, abs(mean)):
        return ReplicateMean(mean, float("nan"), float("nan"), len(array))
    sizes = np.array([len(set(levels)) for levels in clusters])
    variances = np.array([_variance_between(array - mean, levels) for levels in clusters])
    if variances.sum() <= 1e-24:  # the levels have equal means, and only the runs within them differ
        sizes, variances = np.array([len(array)]), np.array([array.var(ddof=1) / len(array)])
    error, df = float(np.sqrt(variances.sum())), satterthwaite(variances, sizes)
    return ReplicateMean(mean, error, df, len(array))


def _clusters(replicates: Sequence[Sequence[Hashable]]) -> list[Sequence[Hashable]]:
    """The factors by which replicates depend on each other, (F, n).

    A factor with one level says nothing; one with a level for each run adds nothing to another that groups them.
    """
    n = len(replicates)
    varied: list[Sequence[Hashable]] = [each for each in zip(*replicates, strict=True) if len(set(each)) > 1]
    grouping = [levels for levels in varied if len(set(levels)) < n]
    return grouping or [list(range(n))]


def _variance_between(residuals: NDArray[np.float64], levels: Sequence[Hashable]) -> float:
    """The variance of the mean of all, from the sums of residuals (n,) in each of G levels."""
    sums: dict[Hashable, float] = {}
    for residual, level in zip(residuals, levels, strict=True):
        sums[level] = sums.get(level, 0.0) + residual
    return sum(each**2 for each in sums.values()) / len(residuals) ** 2 * len(sums) / (len(sums) - 1)
