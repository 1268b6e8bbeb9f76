"""ROC and PR curves: as figures, and as a table of all their vertices."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from imbalance_lab.files import atomic_write
from imbalance_lab.metrics import Ranking
from imbalance_lab.text import csv_cell, shorten_middle

LEGEND_PREFIX = "\u200b"
"""Prefix of labels: matplotlib omits those that begin with an underscore from the legend."""

MAX_CURVES = 12
"""Classes that colors can distinguish; of more, only the rarest are drawn."""


def draw_roc(
    names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int], *, dpi: int = 150
) -> Figure:
    """ROC curves, one a class, dark for the rarest; the legend has training count and AUROC.

    Args:
        names, rankings, train_counts: one a class, in class order.
        dpi: pixels per inch; the figure is 8 × 5.4 inches.
    """
    return draw((ROC,), names, rankings, train_counts, (8, 5.4), dpi)


def draw_pr(
    names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int], *, dpi: int = 150
) -> Figure:
    """Precision-recall curves, one a class; arguments as for `draw_roc`."""
    return draw((PR,), names, rankings, train_counts, (8, 5.4), dpi)


def draw_both(names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int]) -> Figure:
    """ROC and precision-recall curves beside each other with one legend, small: for every epoch.

    One figure takes 0.7 of the time of two. Arguments as for `draw_roc`.
    """
    return draw((ROC, PR), names, rankings, train_counts, (12, 5), 60)


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
    """Write every vertex of every class's curves; thresholds are log-odds, tpr is recall; names as `csv_cell`."""
    with atomic_write(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "threshold", "tp", "fp", "tpr", "fpr", "precision"])
        for name, ranking in zip(names, rankings, strict=True):
            if not ranking.is_defined:
                continue
            curve, cell = ranking.curve(), csv_cell(name)
            flagged = curve.tp + curve.fp
            for threshold, tp, fp, n in zip(curve.threshold, curve.tp, curve.fp, flagged, strict=True):
                precision = tp / n if n else ""
                writer.writerow([cell, threshold, tp, fp, tp / ranking.n_positive, fp / ranking.n_negative, precision])


class Panel(NamedTuple):
    """One kind of curve."""

    title: str
    across: str
    up: str
    score: str
    points: Callable[[Ranking], tuple[np.ndarray, np.ndarray]]
    area: Callable[[Ranking], float]


ROC = Panel("ROC", "false positive rate", "true positive rate (recall)", "AUROC", roc_points, lambda r: r.auroc)
PR = Panel("Precision and recall", "recall", "precision", "AP", pr_points, lambda r: r.average_precision)


def draw(
    panels: Sequence[Panel],
    names: Sequence[str],
    rankings: Sequence[Ranking],
    train_counts: Sequence[int],
    size: tuple[float, float],
    dpi: int,
) -> Figure:
    """The panels beside each other, with one legend."""
    # No pyplot: it keeps every figure alive, and picks a backend by the display.
    figure = Figure(figsize=size, dpi=dpi)
    FigureCanvasAgg(figure)
    drawn = _select_classes(names, rankings, train_counts)
    # A fixed layout: computing one would take half of the drawing time, each epoch.
    left, bottom = 0.64 / size[0], 0.54 / size[1]
    step, width = 0.37, 0.6 if len(panels) == 1 else 0.32
    for place, panel in enumerate(panels):
        axes = figure.add_axes((left + place * step, bottom, width, 0.93 - bottom))
        if panel is ROC:
            axes.plot([0, 1], [0, 1], color="0.8", linewidth=1, zorder=0)
        for name, ranking, count, color in drawn:
            areas = " · ".join(f"{each.area(ranking):.3f}" for each in panels)
            label = f"{LEGEND_PREFIX}{short(name)} · n={count:,} · {areas}" if panel is panels[-1] else None
            axes.plot(*panel.points(ranking), color=color, linewidth=1.6, label=label)
        axes.set(xlabel=panel.across, ylabel=panel.up)
        scores = " · ".join(each.score for each in panels)
        _finish(
            axes, panel.title + ", one class against the rest" * (len(panels) == 1), f"class · training n · {scores}"
        )
    return figure


def _select_classes(
    names: Sequence[str], rankings: Sequence[Ranking], train_counts: Sequence[int]
) -> list[tuple[str, Ranking, int, tuple[float, float, float, float]]]:
    """The rarest classes that have a curve, in class order; colors run from light for common to dark for rare."""
    shown = [c for c in np.argsort(train_counts, kind="stable") if rankings[c].is_defined][:MAX_CURVES]
    shades = dict(zip(shown, colormaps["viridis"](np.linspace(0, 0.92, max(len(shown), 2))), strict=False))
    return [(names[c], rankings[c], int(train_counts[c]), tuple(shades[c])) for c in sorted(shown)]


def short(name: str, most: int = 24) -> str:
    """A name for a figure, in at most ``most`` characters."""
    return shorten_middle("".join(char if char.isprintable() else " " for char in name), most)


def _finish(axes: Axes, title: str, legend: str) -> None:
    axes.set_title(title, y=1.0)  # fixed: an automatic position takes an eighth of the drawing time
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.grid(color="0.93")
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        box = axes.legend(
            title=legend,
            loc="center left",
            bbox_to_anchor=(1.01, 0.5),
            frameon=False,
            fontsize="small",
            alignment="left",
        )
        for text in box.get_texts():
            text.set_parse_math(False)  # "$5" is a name
            text.set_text(text.get_text().removeprefix(LEGEND_PREFIX))
