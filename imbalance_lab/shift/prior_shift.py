"""Have the class shares changed? A permutation test of the mean probabilities."""

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.posthoc import probabilities
from imbalance_lab.shift.estimate import check_samples
from imbalance_lab.shift.shift_test import ShiftPart, ShiftTest, mean_difference
from imbalance_lab.task import Activation, Logits, Target
from imbalance_lab.validation import check_integer, check_number

Array = NDArray[np.float64]
PERMUTATIONS = 1999
ENOUGH_EXCEEDANCES = 20


def prior_shift_test(
    reference_logits: Logits,
    reference_target: Target,
    logits: Logits,
    *,
    activation: Activation = "softmax",
    level: float = 0.005,
    seed: int = 0,
) -> ShiftTest:
    """Test whether the class shares of the new sample's population are those of the reference's.

    The statistic is the largest of the standardized differences of the mean probabilities, over the classes. Without
    any shift all rows are exchangeable, so that the p-value from random permutations of the rows over both samples is
    exact, whatever the distribution of the probabilities and however few positives there are. That is why the
    probabilities are those of the model as it is: a calibration fitted to the reference's targets would tell the
    samples apart.

    Permutations stop early once 20 reach the statistic (Besag & Clifford 1991), so that only small p-values take all
    1999.

    Args:
        reference_logits: raw (N, C), of labelled rows that were not trained on.
        reference_target: class indices (N,), or under sigmoid 0/1 (N, C).
        logits: raw (M, C) of the new sample.
        activation: softmax or sigmoid.
        level: the share of false alarms without shift.
        seed: of the permutations.
    """
    check_number("level", level, above=0, below=1)
    check_integer("seed", seed, minimum=0)
    reference, _, new = check_samples(reference_logits, reference_target, logits, activation)
    first, second = probabilities(reference, activation), probabilities(new, activation)
    pooled = np.concatenate([first, second])
    varies = np.ptp(pooled, 0) > 0
    pooled = np.where(varies, pooled - pooled.mean(0), 0) / np.where(varies, pooled.std(0), 1)
    p_value, statistic = _permutation_p_value(pooled, len(first), np.random.default_rng(seed))
    return ShiftTest("prior shift", p_value, level, statistic, _parts(first, second))


def _permutation_p_value(pooled: Array, n_reference: int, rng: np.random.Generator) -> tuple[float, float]:
    """The p-value of the largest |difference of means| of centered values (N + M, C), and its z."""
    n = len(pooled)
    size = min(n_reference, n - n_reference)
    rows = pooled[:n_reference] if size == n_reference else pooled[n_reference:]
    observed = np.abs(rows.sum(0)).max() * (1 - 1e-9)  # equal sums may differ in their last digits
    reached = 0
    for k in range(1, PERMUTATIONS + 1):
        drawn = rng.choice(n, size, replace=False, shuffle=False)
        reached += bool(np.abs(pooled[drawn].sum(0)).max() >= observed)
        if reached == ENOUGH_EXCEEDANCES:
            return reached / k, _as_z(observed, size, n)
    return (reached + 1) / (PERMUTATIONS + 1), _as_z(observed, size, n)


def _as_z(total: float, size: int, n: int) -> float:
    """A sum of ``size`` of n standardized values in units of its standard deviation without replacement."""
    return float(total / np.sqrt(size * (n - size) / max(n - 1, 1)))


def _parts(reference: Array, new: Array) -> tuple[ShiftPart, ...]:
    found = mean_difference([reference], np.ones(1), new)
    scale = reference.std(0)
    parts = [
        ShiftPart(
            c,
            float(found.difference[c] / scale[c]) if scale[c] > 0 else 0.0,
            float(found.t[c]),
            min(1.0, float(found.p_two_sided[c]) * len(scale)),
            "share",
        )
        for c in range(len(scale))
    ]
    return tuple(sorted(parts, key=lambda part: part.p_value))
