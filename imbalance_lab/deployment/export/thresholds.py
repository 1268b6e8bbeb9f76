"""Thresholds that do not depend on how a runtime rounds."""

import numpy as np
from numpy.typing import NDArray

MARGIN = 4e-5
"""How far a threshold may move, in log-odds: probabilities differ by 10⁻⁵ there at most, the tolerance of `parity`."""


def robust_thresholds(thresholds: NDArray[np.float32], log_odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Thresholds (C,) between the log-odds (N, C) of examples, instead of on them: the same flags for all of them.

    Most rules choose the log-odds of an example as a threshold, which it reaches exactly. Another runtime adds in
    another order, and its last bit decides. Here each threshold moves towards the middle of its gap among the examples,
    by `MARGIN` at most; +inf stays.

    >>> robust_thresholds(np.float32([2, np.inf]), np.float32([[1, 0], [2, 0], [2.5, 0]]))
    array([1.99996, inf], dtype=float32)
    """
    return np.array([_robust(t, column) for t, column in zip(thresholds, log_odds.T, strict=True)], np.float32)


def _robust(threshold: np.float32, scores: NDArray[np.float32]) -> np.float32:
    if not np.isfinite(threshold):
        return threshold
    exact, wide = float(threshold), scores.astype(np.float64)
    below = wide[wide < exact].max(initial=-np.inf)
    above = wide[wide >= exact].min(initial=np.inf)
    moved = np.float32((max(below, exact - 2 * MARGIN) + min(above, exact + 2 * MARGIN)) / 2)
    return moved if below < moved <= above else threshold  # neighboring numbers have no middle
