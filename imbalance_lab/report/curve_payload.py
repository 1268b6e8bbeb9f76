"""What the curves of the page show beside the curves: the band of each class, and its operating point."""

import math
from typing import Any

import numpy as np

from imbalance_lab.evaluation.curve_bands import CurveBand
from imbalance_lab.evaluation.report_data import ReportData

DIGITS = 4
"""Significant digits of a band: less than a pixel."""


def curve_marks(data: ReportData) -> dict[int, dict[str, Any]]:
    """The band and the operating point of each class that has a band; the point is None without a threshold."""
    return {band.class_index: {"band": _band(band), "point": _point(data, band.class_index)} for band in data.bands}


def curves_about(data: ReportData) -> str:
    """What the section of the curves says above them."""
    if not (n := len(data.rarest_ranked)):
        return "No class has both positives and negatives in test."
    if n == 1:
        subject = f"{data.classes[data.rarest_ranked[0]] or '(no name)'} against the rest, on test."
        band = "The band"
    else:
        subject = "Each class against the rest, on test; one class, at first the rarest, is drawn strong."
        band = "Its band"
    return (
        f"{subject} {band} holds the true curve with a confidence of 95 % at each point, the ring is its operating "
        "point, the dotted lines are what guessing gives; precision is for the prevalence in test."
    )


def _band(band: CurveBand) -> dict[str, list[float]]:
    return {
        name: [float(f"{value:.{DIGITS}g}") for value in np.asarray(getattr(band, name)).tolist()]
        for name in ("fpr", "recall_low", "recall_high", "recall", "precision_low", "precision_high")
    }


def _point(data: ReportData, c: int) -> dict[str, Any] | None:
    on_test = data.thresholds_on_test[c]
    if isinstance(on_test, str):
        return None
    threshold = on_test.threshold if math.isfinite(on_test.log_odds) else None
    return {"threshold": threshold, "tp": on_test.tp, "fp": on_test.fp}
