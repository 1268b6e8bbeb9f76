"""What a test for shift found, and the comparison of two samples' means that both tests use."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShiftPart:
    """One class, or one feature, and how far it is from what the reference lets expect.

    Args:
        index: of the class, or of the feature's column.
        difference: of the new sample's mean, in standard deviations of the reference, with its sign. For a feature the
            one of its aspects (rank, distance of the rank from the middle, missing, a category) that differs most.
        z: the difference in units of its standard error.
        p_value: two-sided, of all parts together (Bonferroni).
        aspect: which aspect differs most: "level", "spread", "missing", or "category"; "share" of a class.
    """

    index: int
    difference: float
    z: float
    p_value: float
    aspect: str


@dataclass(frozen=True)
class ShiftTest:
    """The result of a test for shift.

    Args:
        name: "prior shift" or "other shift".
        p_value: under the hypothesis that there is none.
        level: of the test; ``alarm`` is whether the p-value is at most this.
        statistic: the largest standardized difference.
        parts: each class or feature, the one that differs most first.
    """

    name: str
    p_value: float
    level: float
    statistic: float
    parts: tuple[ShiftPart, ...]

    @property
    def alarm(self) -> bool:
        """Whether the hypothesis of no shift is rejected."""
        return self.p_value <= self.level

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "alarm": self.alarm}


class MeanDifference(NamedTuple):
    """How the means (D,) of D values differ between the samples, with their standard errors and degrees of freedom."""

    difference: Array
    error: Array
    df: Array

    @property
    def t(self) -> Array:
        """The differences in units of their errors; 0 where both are 0."""
        return np.divide(self.difference, self.error, out=np.zeros_like(self.difference), where=self.error > 0)

    @property
    def p_greater(self) -> Array:
        """P(t or more), one-sided."""
        return np.asarray(stdtr(self.df, -self.t))

    @property
    def p_two_sided(self) -> Array:
        """P(|t| or more)."""
        return np.asarray(2 * stdtr(self.df, -np.abs(self.t)))


def mean_difference(strata: list[Array], weights: Array, new: Array) -> MeanDifference:
    """The mean of ``new`` (M, D) minus the weighted mean of the strata's means, which are (n_k, D) each.

    The error adds the variance of every mean (Welch 1947), the degrees of freedom are Satterthwaite's.
    """
    samples, factors = [new, *strata], np.concatenate([[1.0], -np.asarray(weights)])
    difference = np.sum([f * each.mean(0) for f, each in zip(factors, samples, strict=True)], axis=0)
    terms = np.array([f**2 * each.var(0, ddof=1) / len(each) for f, each in zip(factors, samples, strict=True)])
    sizes = np.array([[len(each) - 1] for each in samples])
    variance = terms.sum(0)
    spread = (terms**2 / sizes).sum(0)
    df = np.divide(variance**2, spread, out=np.full_like(variance, np.inf), where=spread > 0)
    return MeanDifference(difference, np.sqrt(variance), df)
