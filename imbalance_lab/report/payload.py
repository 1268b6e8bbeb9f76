"""The plots of `report.html` as plain values for its script, with what each leaves out for want of room."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from imbalance_lab.evaluation.distributions import ReliabilityCurve, ScoreHistogram
from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.metrics import Ranking
from imbalance_lab.report.curve_payload import curve_marks
from imbalance_lab.report.simplify_curve import simplify_curve

MAX_CURVES, MAX_CONFUSION, MAX_COUNTS = 40, 40, 60
"""Classes shown: rarest with curves and distributions, most confused in the matrix, rarest in the bar chart."""


def plots(data: ReportData) -> dict[str, Any]:
    """Every plot of the page by its id."""
    ranked = data.rarest_ranked
    rarest = ranked[:MAX_CURVES]
    note = f"The {len(rarest)} rarest of {len(ranked)} classes are shown." if len(ranked) > len(rarest) else ""
    by_class = {each.class_index: each for each in data.histograms}
    reliability, raw = ({each.class_index: each for each in of} for of in (data.reliability, data.raw_reliability))
    overall = () if data.operating_point.binary is not None else (None,)  # of two classes, the positive one says it all
    shown = [c for c in (*overall, *rarest) if c in reliability]
    marks = curve_marks(data)
    groups = [each.group for each in data.test.classes]
    return {
        "curves": [
            {"class": c, "group": groups[c], **curve(data.test.rankings[c], with_thresholds=True), **marks[c]}
            for c in rarest
        ],
        "curves_note": note,
        "confusion": _confusion(data),
        "reliability": [_reliability(reliability[c]) for c in shown],
        "raw_reliability": [_reliability(raw[c]) for c in shown] if raw else [],
        "scores": [_histogram(by_class[c]) for c in rarest],
        "epochs": None if data.run.epochs is None else _epochs(data.run.epochs),
        "counts": _counts(data),
    }


def curve(ranking: Ranking, *, with_thresholds: bool = False) -> dict[str, Any]:
    """The visible vertices of a class's ROC and PR curves as counts."""
    vertices = simplify_curve(ranking)
    thresholds = [round(float(t), 5) if math.isfinite(t) else None for t in vertices.threshold]
    return {
        "n_positive": ranking.n_positive,
        "n_negative": ranking.n_negative,
        "fp": vertices.fp.tolist(),
        "tp": vertices.tp.tolist(),
        **({"threshold": thresholds} if with_thresholds else {}),
    }


def most_confused(matrix: np.ndarray) -> list[int]:
    """The classes that a matrix has room for: those with most errors, in class order."""
    errors = matrix.sum(1) + matrix.sum(0) - 2 * matrix.diagonal()
    return sorted(np.argsort(-errors, kind="stable")[:MAX_CONFUSION].tolist())


def _confusion(data: ReportData) -> dict[str, Any] | None:
    matrix = data.test.confusion
    if matrix is None or data.operating_point.binary is not None:  # the decision of a binary task has the four counts
        return None
    selected = most_confused(matrix)
    return {
        "classes": selected,
        "counts": matrix[np.ix_(selected, selected)].tolist(),
        "totals": matrix.sum(1)[selected].tolist(),
        "note": f"The {len(selected)} most confused of {len(matrix)} classes." if len(selected) < len(matrix) else "",
    }


def _reliability(curve: ReliabilityCurve) -> dict[str, Any]:
    bins = [
        {"n": b.n, "mean": b.mean_probability, "share": b.positive_share, "low": b.interval[0], "high": b.interval[1]}
        for b in curve.bins
    ]
    return {"class": curve.class_index, "bins": bins}


def _histogram(histogram: ScoreHistogram) -> dict[str, Any]:
    return {
        "class": histogram.class_index,
        "edges": [round(edge, 4) for edge in histogram.edges],
        "positive": histogram.positive,
        "negative": histogram.negative,
        "threshold": histogram.threshold,
    }


def _epochs(epochs: EpochHistory) -> dict[str, Any]:
    return {
        "epoch": epochs.epoch,
        "auroc": epochs.auroc,
        "val_loss": epochs.val_loss,
        "train_loss": epochs.train_loss,
        "best": epochs.best,
        "is_validated": epochs.is_validated,
    }


def _counts(data: ReportData) -> dict[str, Any]:
    """Bars of the rarest classes, the most common of them first."""
    common_first = np.argsort([-count for count in data.counts["train"]], kind="stable").tolist()
    selected = common_first[-MAX_COUNTS:]
    left_out = len(selected) < len(common_first)
    return {
        "classes": selected,
        "splits": [{"split": split, "counts": _select(counts, selected)} for split, counts in data.counts.items()],
        "note": f"The {len(selected)} rarest of {len(common_first)} classes." if left_out else "",
    }


def _select(values: Sequence[int], places: Sequence[int]) -> list[int]:
    return [values[place] for place in places]
