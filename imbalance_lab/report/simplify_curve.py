"""Curves with fewer vertices and no visible difference (Douglas & Peucker 1973)."""

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Ranking
from imbalance_lab.metrics.ranking import Curve

TOLERANCE = 5e-4
"""Largest distance, as a share of the plot's width or height: a quarter of a pixel on a plot 500 pixels wide."""


def simplify_curve(ranking: Ranking, tolerance: float = TOLERANCE) -> Curve:
    """The vertices that the ROC curve, with a linear or logarithmic axis, and the PR curve need.

    Vertices are removed, never moved, so that the counts and the threshold of each are exact.

    Args:
        ranking: of one class, with positives and negatives.
        tolerance: largest distance between the full and the simplified curve, as a share of the plot.
    """
    curve = ranking.curve()
    fpr, tpr = curve.fp / ranking.n_negative, curve.tp / ranking.n_positive
    decades = np.log10(max(ranking.n_negative, 10))
    log_fpr = 1 + np.log10(np.maximum(fpr, 0.5 / ranking.n_negative)) / decades
    precision = curve.tp / np.maximum(curve.tp + curve.fp, 1)
    precision[0] = precision[1] if len(precision) > 1 else 0
    kept = np.zeros(len(fpr), bool)
    for x, y in ((fpr, tpr), (log_fpr, tpr), (tpr, precision)):
        kept |= needed_vertices(np.stack([x, y], 1), tolerance)
    return Curve(curve.threshold[kept], curve.tp[kept], curve.fp[kept])


def needed_vertices(points: NDArray[np.float64], tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """Which points of a line (M, 2) to keep, (M,), so that none lies further than ``tolerance`` from the segments."""
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    segments = [(0, len(points) - 1)]
    while segments:
        first, last = segments.pop()
        if last - first < 2:
            continue
        start, along = points[first], points[last] - points[first]
        offset = points[first + 1 : last] - start
        squared = along @ along
        # Distance from the segment, not from the infinite line through it.
        share = np.clip(offset @ along / squared, 0, 1) if squared > 0 else np.zeros(len(offset))
        distance = np.hypot(*(offset - share[:, None] * along).T)
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            kept[middle] = True
            segments += [(first, middle), (middle, last)]
    return kept
