"""What a comparison of two models on the same examples, or of runs over seeds, comes to, and how it is said."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from imbalance_lab.metrics.intervals import Interval


class Comparison(NamedTuple):
    """How much higher model a scores than model b: NaN, None and p = NaN where that is undefined."""

    difference: float
    interval: Interval | None
    p: float
    """Two-sided, of no difference."""
    n_positive: int
    """Positives of the rarest class that counts; so few as to be flagged, or not."""

    def is_distinguishable(self, p: float | None = None, level: float = 0.95) -> bool:
        """Whether p (or the adjusted one that is given) is below 1 − level and the interval leaves 0 out."""
        p = self.p if p is None else p
        return self.interval is not None and p < 1 - level and not self.interval[0] <= 0 <= self.interval[1]


def undefined_comparison(n_positive: int) -> Comparison:
    """What cannot be compared."""
    return Comparison(float("nan"), None, float("nan"), n_positive)


def in_words(comparison: Comparison, a: str, b: str, adjusted_p: float | None = None, runs: int = 2) -> str:
    """Say which of models a and b is better, or that they are not distinguishable.

    Args:
        comparison: of a with b.
        a: what model a is called.
        b: what model b is called.
        adjusted_p: p after `holm`; it decides where it is given.
        runs: the size of the family of runs that p was adjusted for.

    >>> in_words(Comparison(0.012, (0.004, 0.020), 0.001, 60), "ldam", "focal", adjusted_p=0.003, runs=3)
    'ldam is better than focal by 0.012 [0.004, 0.020] (p = 0.003 after Holm, 3 runs)'
    >>> in_words(Comparison(-0.004, (-0.014, 0.006), 0.43, 60), "ldam", "focal")
    'ldam and focal are not distinguishable: ldam − focal = -0.004 [-0.014, 0.006] (p = 0.430)'
    """
    difference, interval = comparison.difference, comparison.interval
    if interval is None:
        return f"{a} and {b} cannot be compared: undefined for these examples"
    p = comparison.p if adjusted_p is None else adjusted_p
    evidence = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if adjusted_p is not None:
        evidence += f" after Holm, {runs} runs"
    if not comparison.is_distinguishable(p):
        ends = f"{difference:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
        return f"{a} and {b} are not distinguishable: {a} − {b} = {ends} ({evidence})"
    if difference < 0:
        a, b, difference, interval = b, a, -difference, (-interval[1], -interval[0])
    return f"{a} is better than {b} by {difference:.3f} [{interval[0]:.3f}, {interval[1]:.3f}] ({evidence})"


def holm(p: Sequence[float]) -> list[float]:
    """Adjust the p-values of a family so that one wrong rejection among them is as rare as promised (Holm 1979).

    NaN, a comparison that could not be made, stays NaN and is not counted.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]  # NaN sorts last
    adjusted = np.full(len(values), np.nan)
    times = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * times), 1)
    return [float(value) for value in adjusted]


class SeedMean(NamedTuple):
    """The mean over runs that differ in their seed only, and Student's t interval of it; None below 2 runs."""

    mean: float
    interval: Interval | None
    n: int


def over_seeds(values: Sequence[float], level: float = 0.95) -> SeedMean:
    """The mean over seeds with its t interval; of differences seed by seed, to compare two methods.

    >>> mean, interval, n = over_seeds([0.81, 0.83, 0.85])
    >>> f"{mean:.3f} [{interval[0]:.3f}, {interval[1]:.3f}], {n} seeds"
    '0.830 [0.780, 0.880], 3 seeds'
    """
    each = np.asarray(values, float)
    if len(each) == 0 or not np.isfinite(each).all():
        raise ValueError(f"a mean over seeds needs one finite value a seed, got {list(values)}")
    mean, n = float(each.mean()), len(each)
    if n < 2:
        return SeedMean(mean, None, n)
    half = float(student.ppf((1 + level) / 2, n - 1) * each.std(ddof=1) / np.sqrt(n))
    return SeedMean(mean, (mean - half, mean + half), n)
