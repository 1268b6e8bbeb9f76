"""ROC and PR curves: as figures, and as tables of their lossless vertices."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from imbalance_lab.metrics import Ranking

SHOWN = "\u200b"
"""Before a label, because matplotlib leaves those that begin with an underscore out of the legend."""

MOST_CURVES = 12
"""More classes than this are not told apart by colour: only the rarest are drawn."""


def draw_roc(
    names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int], *, dpi: int = 150
) -> Figure:
    """ROC curves, one a class, dark for the rarest; the legend tells training count and AUROC.

    Args:
        names, rankings, train_counts: one a class, in class order.
        dpi: pixels an inch; the figure is 8 × 5.4 inches.
    """
    figure, axes = _figure(dpi)
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=1, zorder=0)
    for name, ranking, count, colour in _drawn(names, rankings, train_counts):
        fpr, tpr = roc_points(ranking)
        label = f"{SHOWN}{_short(name)} · n={count:,} · {ranking.auroc:.3f}"
        axes.plot(fpr, tpr, color=colour, linewidth=1.6, label=label)
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    _finish(axes, "ROC, one class against the rest", "class · training n · AUROC")
    return figure


def draw_pr(
    names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int], *, dpi: int = 150
) -> Figure:
    """Precision-recall curves, one a class; arguments as for `draw_roc`."""
    figure, axes = _figure(dpi)
    for name, ranking, count, colour in _drawn(names, rankings, train_counts):
        recall, precision = pr_points(ranking)
        label = f"{SHOWN}{_short(name)} · n={count:,} · {ranking.average_precision:.3f}"
        axes.plot(recall, precision, color=colour, linewidth=1.6, label=label)
    axes.set(xlabel="recall", ylabel="precision")
    _finish(axes, "Precision and recall, one class against the rest", "class · training n · AP")
    return figure


def draw_both(names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int]) -> Figure:
    """ROC and precision-recall curves beside each other with one legend, small: for every epoch.

    One figure takes 0.7 of the time of two. Arguments as for `draw_roc`.
    """
    figure = Figure(figsize=(12, 5), dpi=60)
    FigureCanvasAgg(figure)
    roc, pr = figure.add_axes((0.05, 0.1, 0.32, 0.83)), figure.add_axes((0.42, 0.1, 0.32, 0.83))
    for name, ranking, count, colour in _drawn(names, rankings, train_counts):
        roc.plot(*roc_points(ranking), color=colour, linewidth=1.6)
        label = f"{SHOWN}{_short(name)} · n={count:,} · {ranking.auroc:.3f} · {ranking.average_precision:.3f}"
        pr.plot(*pr_points(ranking), color=colour, linewidth=1.6, label=label)
    roc.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    pr.set(xlabel="recall", ylabel="precision")
    _finish(roc, "ROC", "")
    _finish(pr, "Precision and recall", "class · training n · AUROC · AP")
    return figure


def roc_points(ranking: Ranking) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rate at every vertex."""
    curve = ranking.curve()
    return curve.fp / ranking.n_negative, curve.tp / ranking.n_positive


def pr_points(ranking: Ranking) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision at every vertex where something is flagged."""
    curve = ranking.curve()
    flagged = curve.tp + curve.fp > 0
    tp, fp = curve.tp[flagged], curve.fp[flagged]
    return tp / ranking.n_positive, tp / (tp + fp)


def write_curves(path: Path, names: Sequence[str], rankings: Sequence[Ranking]) -> None:
    """Write every vertex of every class's curves; thresholds are log-odds, tpr is recall."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "threshold", "tp", "fp", "tpr", "fpr", "precision"])
        for name, ranking in zip(names, rankings, strict=True):
            if not ranking.is_defined:
                continue
            curve = ranking.curve()
            flagged = curve.tp + curve.fp
            for threshold, tp, fp, n in zip(curve.threshold, curve.tp, curve.fp, flagged, strict=True):
                precision = tp / n if n else ""
                writer.writerow([name, threshold, tp, fp, tp / ranking.n_positive, fp / ranking.n_negative, precision])


def _figure(dpi: int) -> tuple[Figure, Axes]:
    # No pyplot: it keeps every figure alive, and picks a backend by the display.
    figure = Figure(figsize=(8, 5.4), dpi=dpi)
    FigureCanvasAgg(figure)
    # A fixed place, with the legend beside it: a computed layout would take half of the drawing time, each epoch.
    return figure, figure.add_axes((0.08, 0.1, 0.6, 0.83))


def _drawn(
    names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int]
) -> list[tuple[str, Ranking, int, tuple[float, float, float, float]]]:
    """The rarest classes that have a curve, in class order; colours run from light for common to dark for rare."""
    shown = [c for c in np.argsort(train_counts, kind="stable") if rankings[c].is_defined][:MOST_CURVES]
    shades = dict(zip(shown, colormaps["viridis"](np.linspace(0, 0.92, max(len(shown), 2))), strict=False))
    return [(names[c], rankings[c], int(train_counts[c]), tuple(shades[c])) for c in sorted(shown)]


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _finish(axes: Axes, title: str, legend: str) -> None:
    axes.set_title(title, y=1.0)  # told, because finding its place by itself takes matplotlib an eighth of the time
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.grid(color="0.93")
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        box = axes.legend(
            title=legend, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8, alignment="left"
        )
        for text in box.get_texts():
            text.set_parse_math(False)  # "$5" is a name
            text.set_text(text.get_text().removeprefix(SHOWN))
