"""The interval of net benefit, and of its difference from flagging everything."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.metrics.array_inputs import check_level
from imbalance_lab.metrics.distributions import normal_quantile, proportion_intervals

Values = NDArray[np.float64]


def weighted_difference_interval(
    a: ArrayLike, b: ArrayLike, n: int, weight: ArrayLike, level: float = 0.95
) -> tuple[Values, Values]:
    """The interval of a / n − weight · b / n, for two cells of the same n examples; pointwise, of any shape.

    Net benefit is the case a = TP, b = FP, weight = t / (1 − t); what it is above flagging everything is
    weight · TN / n − FN / n. The ends combine Wilson's intervals of the two shares, which are correlated as cells of a
    multinomial distribution are (MOVER: Donner & Zou 2012, "Closed-form confidence intervals for functions of the
    normal mean and standard deviation", eq. 3); the usual ± 1.96 errors collapse where a cell is empty.

    Args:
        a: counts in [0, n].
        b: counts of other examples in [0, n].
        n: all examples, ≥ 1.
        weight: ≥ 0.
        level: the confidence level.

    Returns:
        The lower and upper ends.

    >>> low, high = weighted_difference_interval(3, 40, 1000, 1 / 19)
    >>> float(low.round(5)), float(high.round(5))
    (-0.00123, 0.00671)
    """
    check_level(level)
    z, w = normal_quantile(level), np.asarray(weight, np.float64)
    p, q = (np.asarray(count, np.float64) / n for count in (a, b))
    (p_low, p_high), (q_low, q_high) = (proportion_intervals(share, n, z) for share in (p, q))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(-np.sqrt(p * q / ((1 - p) * (1 - q))), nan=0.0, neginf=-1.0)

    def distance(of_p: Values, of_q: Values) -> Values:
        return np.sqrt(np.maximum(of_p**2 + of_q**2 - 2 * correlation * of_p * of_q, 0))

    difference = p - w * q
    below = distance(p - p_low, w * (q_high - q))
    above = distance(p_high - p, w * (q - q_low))
    return difference - below, difference + above
