"""The result of comparing two models on the same examples, its description, and statistics over runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from imbalance_lab.metrics.array_inputs import as_values, check_level
from imbalance_lab.metrics.distributions import find_root
from imbalance_lab.metrics.types import Interval


class Comparison(NamedTuple):
    """The score of model a minus that of model b; NaN, None and NaN where undefined."""

    difference: float
    interval: Interval | None
    p: float
    """The two-sided p-value of no difference."""
    n_positive: int
    """The number of positives of the rarest class in the comparison."""

    def is_distinguishable(self, p: float | None = None, level: float = 0.95) -> bool:
        """Whether p (by default the comparison's own) is below 1 − level and the interval excludes 0."""
        p = self.p if p is None else p
        return self.interval is not None and p < 1 - level and not self.interval[0] <= 0 <= self.interval[1]


def undefined_comparison(n_positive: int) -> Comparison:
    """The comparison of scores that are undefined."""
    return Comparison(float("nan"), None, float("nan"), n_positive)


def implied_p_value(
    interval_at: Callable[[float], Interval], difference: float, interval: Interval, level: float
) -> float:
    """The p for which the interval at level 1 − p ends at 0: below 1 − level exactly if that at ``level`` excludes 0.

    Args:
        interval_at: gives the interval of the difference at any level.
        difference: the estimate.
        interval: the interval at ``level``.
        level: the confidence level.
    """
    if difference == 0:
        return 1.0

    alpha = 1 - level

    def nearer_end(p: float) -> float:
        low, high = interval if p == alpha else interval_at(1 - p)
        return low if difference > 0 else -high

    if nearer_end(alpha) <= 0:
        largest = max(0.999, (1 + alpha) / 2)
        return find_root(nearer_end, alpha, largest) if nearer_end(largest) > 0 else 1.0
    smallest = min(1e-9, alpha / 2)
    if nearer_end(smallest) > 0:
        return smallest
    # Whatever the root's tolerance, p lies on the side of alpha that the interval shows.
    return min(find_root(nearer_end, smallest, alpha), float(np.nextafter(alpha, 0)))


def describe(comparison: Comparison, a: str, b: str, adjusted_p: float | None = None, runs: int = 2) -> str:
    """One sentence: which of the models a and b is better, or that they are not distinguishable.

    Args:
        comparison: of a with b.
        a: the name of model a.
        b: the name of model b.
        adjusted_p: the p-value after `holm`, used instead of the comparison's own.
        runs: the number of runs in the family for which p is adjusted.

    >>> describe(Comparison(0.012, (0.004, 0.020), 0.001, 60), "ldam", "focal", adjusted_p=0.003, runs=3)
    'ldam is better than focal by 0.012 [0.004, 0.020] (p = 0.003 after Holm, 3 runs)'
    >>> describe(Comparison(-0.004, (-0.014, 0.006), 0.43, 60), "ldam", "focal")
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
    """Adjust the p-values of a family of tests to control the family-wise error rate (Holm 1979).

    NaN, an undefined comparison, stays NaN and does not count.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.array(as_values(p, "p"))
    if ((values < 0) | (values > 1)).any():
        raise ValueError(f"p must be p-values in [0, 1] or NaN, got {values.tolist()}")
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]  # NaN sorts last
    adjusted = np.full(len(values), np.nan)
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return [float(value) for value in adjusted]


def holm_levels(p: Sequence[float], level: float = 0.95) -> list[float]:
    """The confidence levels at which intervals agree with the p-values that `holm` gives.

    Holm's adjusted p is p times a factor f ≥ 1. An interval at level 1 − (1 − level) / f that comes from the same
    method as p excludes 0 exactly if the adjusted p is below 1 − level. Each such interval covers with at least
    ``level``, and the probability that any of them excludes a true 0 is at most 1 − ``level``.

    >>> [round(each, 4) for each in holm_levels([0.01, 0.04, 0.03])]
    [0.9833, 0.9667, 0.975]
    """
    check_level(level)
    values = np.array(as_values(p, "p"))
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    factors = np.arange(len(order), 0, -1, dtype=float)
    adjusted = np.maximum.accumulate(values[order] * factors)
    factors = np.divide(adjusted, values[order], out=factors, where=values[order] > 0)
    levels = np.full(len(values), level)
    levels[order] = 1 - (1 - level) / factors
    return [float(each) for each in levels]
