"""Quantiles and tail probabilities of distributions, and the other numerics that need SciPy.

SciPy's modules are imported when first used: together they take a third of a second. `scipy.special` gives the same
numbers as `scipy.stats`, whose import takes longer than all the rest of this package.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.types import Interval


def normal_quantile(level: float) -> float:
    """Z of a two-sided interval at this confidence level: 1.96 for 0.95."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def student_quantile(level: float, df: float) -> float:
    """The quantile of Student's t distribution for a two-sided interval; ``df`` = ∞ is the normal distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))


def student_p_value(t: float, df: float) -> float:
    """The two-sided p-value of a t statistic; ``df`` = ∞ is the normal distribution."""
    from scipy.special import stdtr

    return 2 * float(stdtr(df, -abs(t)))


def sign_test_p_value(successes: int, trials: int) -> float:
    """The two-sided p-value of ``successes`` of ``trials`` under a success probability of ½, exact."""
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(successes, trials - successes), trials, 0.5)))


def kolmogorov_p_value(distance: float, n: float) -> float:
    """The p-value of a two-sample Kolmogorov–Smirnov distance with n = n₁ n₂ / (n₁ + n₂) (Stephens 1970)."""
    from scipy.special import kolmogorov

    return float(kolmogorov(distance * (n**0.5 + 0.12 + 0.11 / n**0.5)))


def chi_square_p_value(statistic: float, df: int) -> float:
    """The upper tail of the χ² distribution."""
    from scipy.special import chdtrc

    return float(chdtrc(df, statistic))


def clopper_pearson_interval(successes: int, trials: int, level: float) -> Interval:
    """The success probabilities that the exact two-sided binomial test does not reject (Clopper & Pearson 1934)."""
    from scipy.special import betaincinv

    tail, misses = (1 - level) / 2, trials - successes
    low = float(betaincinv(successes, misses + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, misses, 1 - tail)) if misses else 1.0
    return low, high


def logit_scale_interval(value: float, error: float, quantile: float) -> Interval:
    """``value`` ± quantile · error on the logit scale, so that both ends stay in (0, 1).

    Args:
        value: the estimate, in (0, 1).
        error: its standard error on its own scale; on the logit scale it is error / (value · (1 − value)).
        quantile: how many standard errors the ends are away.
    """
    from scipy.special import expit, logit

    center, half_width = logit(value), quantile * error / (value * (1 - value))
    return float(expit(center - half_width)), float(expit(center + half_width))


def poisson_mean_limit(count: float, alpha: float) -> float:
    """The Poisson mean that is exceeded by ``count`` or more events with probability ``alpha``; 0 without an event."""
    from scipy.special import gammaincinv

    return float(gammaincinv(count, alpha)) if count > 0 else 0.0


def proportion_interval(share: float, trials: float, quantile: float) -> Interval:
    """All proportions a that lie within quantile · √(a (1 − a) / trials) from the observed ``share`` (Wilson 1927).

    Args:
        share: the observed proportion, in [0, 1].
        trials: their number, or the effective number of an estimate with another variance than a proportion's; > 0.
        quantile: of the normal distribution, or of Student's t; finite.
    """
    ratio = quantile**2 / trials
    center = (share + ratio / 2) / (1 + ratio)
    half_width = (max(share * (1 - share), 0.0) * ratio + ratio**2 / 4) ** 0.5 / (1 + ratio)
    return max(0.0, center - half_width), min(1.0, center + half_width)


def proportion_intervals(
    shares: NDArray[np.float64], trials: float, quantile: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`proportion_interval` of many shares, of any shape, with the same number of trials."""
    ratio = quantile**2 / trials
    center = (shares + ratio / 2) / (1 + ratio)
    half_width = np.sqrt(np.maximum(shares * (1 - shares), 0) * ratio + ratio**2 / 4) / (1 + ratio)
    return np.maximum(center - half_width, 0), np.minimum(center + half_width, 1)


def find_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a continuous ``function`` crosses 0 between ``low`` and ``high`` (Brent's method)."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high))
