"""Fewer vertices of a curve, with no difference that an eye could see."""

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Ranking
from imbalance_lab.metrics.ranking import Curve

TOLERANCE = 5e-4
"""Of a plot's width or height: a quarter of a pixel on a plot 500 pixels wide."""


def simplify_curve(ranking: Ranking, tolerance: float = TOLERANCE) -> Curve:
    """The vertices that its ROC curve needs, over the false positive rate and over its logarithm, and its PR curve.

    Counts are not changed, only vertices left out (Douglas & Peucker 1973), so that what a vertex tells is exact.
    """
    curve = ranking.curve()
    fpr, tpr = curve.fp / ranking.n_negative, curve.tp / ranking.n_positive
    decades = np.log10(max(ranking.n_negative, 10))
    log_fpr = 1 + np.log10(np.maximum(fpr, 0.5 / ranking.n_negative)) / decades
    precision = curve.tp / np.maximum(curve.tp + curve.fp, 1)
    precision[0] = precision[1] if len(precision) > 1 else 0
    kept = np.zeros(len(fpr), bool)
    for x, y in ((fpr, tpr), (log_fpr, tpr), (tpr, precision)):
        kept |= _needed(np.stack([x, y], 1), tolerance)
    return Curve(curve.threshold[kept], curve.tp[kept], curve.fp[kept])


def _needed(points: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Which points of a line (M, 2) it takes so that none lies further than ``tolerance`` from the straight pieces."""
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    pieces = [(0, len(points) - 1)]
    while pieces:
        first, last = pieces.pop()
        if last - first < 2:
            continue
        start, along = points[first], points[last] - points[first]
        offset = points[first + 1 : last] - start
        squared = along @ along
        # Distance from the piece, not from the endless line through it.
        share = np.clip(offset @ along / squared, 0, 1) if squared > 0 else np.zeros(len(offset))
        distance = np.hypot(*(offset - share[:, None] * along).T)
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            kept[middle] = True
            pieces += [(first, middle), (middle, last)]
    return kept
