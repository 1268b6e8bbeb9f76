"""ROC and PR curves as figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from imbalance_lab.class_counts import SHOT_LIMITS, ShotGroup, ShotLimits, shot_group
from imbalance_lab.evaluation.curve_bands import CurveBand
from imbalance_lab.metrics import Ranking, macro
from imbalance_lab.posthoc import Threshold
from imbalance_lab.report.palette import LIGHT
from imbalance_lab.text import shorten_middle

LEGEND_PREFIX = "\u200b"
"""Prefix of labels: matplotlib omits those that begin with an underscore from the legend."""

FEW_CURVES, MAX_CURVES = 5, 100
"""Classes that have a color of their own each; of more than the second, only the rarest are drawn."""

MAX_SMALL = 12
"""Classes in the figure of an epoch."""

GROUPS = ("many", "medium", "few")


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


class Panel(NamedTuple):
    """One kind of curve."""

    title: str
    across: str
    up: str
    score: str
    points: Callable[[Ranking], tuple[np.ndarray, np.ndarray]]
    area: Callable[[Ranking], float]
    band: Callable[[CurveBand], tuple[np.ndarray, np.ndarray, np.ndarray]]
    at: Callable[[Threshold], tuple[float, float]]


ROC = Panel(
    title="ROC",
    across="false positive rate",
    up="recall",
    score="AUROC",
    points=roc_points,
    area=lambda ranking: ranking.auroc,
    band=lambda band: (band.fpr, band.recall_low, band.recall_high),
    at=lambda threshold: (threshold.fpr, threshold.recall),
)
PR = Panel(
    title="Precision and recall",
    across="recall",
    up="precision",
    score="AP",
    points=pr_points,
    area=lambda ranking: ranking.average_precision,
    band=lambda band: (band.recall, band.precision_low, band.precision_high),
    at=lambda threshold: (threshold.recall, threshold.precision),
)


@dataclass(frozen=True)
class Curves:
    """What a figure of curves shows; each sequence has one entry a class, in class order.

    Args:
        names, rankings, train_counts: of the C classes.
        classes: indices of those that are drawn, if they have a curve; all if None.
        bands: of the curves, for the class that is drawn strong.
        thresholds: what the operating point does for each class, or why it has none.
        limits: of the groups of classes with many, medium and few training examples.
    """

    names: Sequence[str]
    rankings: Sequence[Ranking]
    train_counts: Sequence[int]
    classes: Sequence[int] | None = None
    bands: Sequence[CurveBand] = ()
    thresholds: Sequence[Threshold | str] = ()
    limits: ShotLimits = SHOT_LIMITS

    @cached_property
    def drawn(self) -> list[int]:
        """The classes that are drawn, the rarest in training first: it is the one drawn strong."""
        order = np.argsort(self.train_counts, kind="stable").tolist()
        wanted = range(len(order)) if self.classes is None else set(self.classes)
        return [c for c in order if c in wanted and self.rankings[c].is_defined][:MAX_CURVES]

    def group(self, c: int) -> ShotGroup:
        """The group of a class by its training count."""
        return shot_group(self.train_counts[c], self.limits)

    def color(self, c: int) -> str:
        """Of few classes each has its own; of many, each shot group has one, and the rarest class its own."""
        drawn = self.drawn
        if len(drawn) <= FEW_CURVES:
            return LIGHT.cycle[drawn.index(c)]
        return LIGHT.chosen if c == drawn[0] else LIGHT.rarity[GROUPS.index(self.group(c))]


def draw_roc(curves: Curves, *, dpi: int = 150) -> Figure:
    """ROC curves, the rarest class's on top; the legend has training count and AUROC. 8 × 4.8 inches."""
    return draw((ROC,), curves, (8, 4.8), dpi)


def draw_pr(curves: Curves, *, dpi: int = 150) -> Figure:
    """Precision-recall curves, as `draw_roc`."""
    return draw((PR,), curves, (8, 4.8), dpi)


def draw_both(curves: Curves) -> Figure:
    """ROC and precision-recall curves beside each other, small, for every epoch; legible on a card 400 pixels wide."""
    return draw((ROC, PR), replace(curves, classes=curves.drawn[:MAX_SMALL]), (5.2, 3.2), 80, below=True)


def draw(
    panels: Sequence[Panel], curves: Curves, size: tuple[float, float], dpi: int, *, below: bool = False
) -> Figure:
    """The panels beside each other, of equal size wherever they stand, with one legend.

    Args:
        panels: `ROC`, `PR` or both.
        curves: what they show.
        size: in inches.
        dpi: pixels per inch.
        below: whether the legend is below the panels, not at their right.
    """
    # No pyplot: it keeps every figure alive, and picks a backend by the display.
    figure = Figure(figsize=size, dpi=dpi)
    FigureCanvasAgg(figure)
    # A fixed layout: computing one would take half of the drawing time, each epoch.
    left, bottom = 0.56 / size[0], (1.0 if below else 0.54) / size[1]
    step = (0.99 if below else 0.6) / len(panels)
    for place, panel in enumerate(panels):
        axes = figure.add_axes((left + place * step, bottom, step - left - 0.01, 0.92 - bottom))
        _draw_panel(axes, panel, curves)
        axes.set_title(panel.title, y=1.0)  # fixed: an automatic position takes an eighth of the drawing time
    if curves.drawn:
        _draw_legend(figure, panels, curves, below=below)
    return figure


def _draw_panel(axes: Axes, panel: Panel, curves: Curves) -> None:
    """The curves, the rarest class's on top with its band and its operating point."""
    drawn = curves.drawn
    if panel is ROC:
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":", zorder=0, label="_chance")
    for c in reversed(drawn):
        strong, few = c == drawn[0], len(drawn) <= FEW_CURVES
        style: dict[str, Any] = {
            "linewidth": 2.2 if strong else 1.2 if few else 0.7,
            "alpha": 1 if strong or few else 0.5,
        }
        axes.plot(*panel.points(curves.rankings[c]), color=curves.color(c), zorder=3 if strong else 2, **style)
    if drawn:
        ranking, color = curves.rankings[drawn[0]], curves.color(drawn[0])
        if panel is PR:
            prevalence = ranking.n_positive / (ranking.n_positive + ranking.n_negative)
            axes.axhline(prevalence, color="0.6", linewidth=0.8, linestyle=":", zorder=0, label="_chance")
        for band in curves.bands:
            if band.class_index == drawn[0]:
                axes.fill_between(*panel.band(band), color=color, alpha=0.16, linewidth=0, zorder=1)
        threshold = curves.thresholds[drawn[0]] if curves.thresholds else ""
        if isinstance(threshold, Threshold):
            ring: dict[str, Any] = {"marker": "o", "markersize": 7, "markerfacecolor": "white", "markeredgewidth": 2}
            axes.plot(*([each] for each in panel.at(threshold)), color=color, zorder=4, clip_on=False, **ring)
    axes.set(xlabel=panel.across, ylabel=panel.up, xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.grid(color="0.93")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_legend(figure: Figure, panels: Sequence[Panel], curves: Curves, *, below: bool) -> None:
    """Few classes each, or the rarest and the shot groups, with their (mean) areas."""
    drawn = curves.drawn
    named = drawn if len(drawn) <= FEW_CURVES else drawn[:1]
    entries = [(curves.color(c), 2.2 if c == drawn[0] else 1.2, _entry(panels, curves, c)) for c in named]
    if len(drawn) > FEW_CURVES:
        for color, group in zip(LIGHT.rarity, GROUPS, strict=True):
            if members := [c for c in drawn if curves.group(c) == group]:
                means = " · ".join(f"{macro([each.area(curves.rankings[c]) for c in members]):.3f}" for each in panels)
                entries.append((color, 1.2, f"{group} ({len(members)} classes) · mean {means}"))
    handles = [Line2D([], [], color=color, linewidth=width) for color, width, _ in entries]
    place: tuple[Any, Any] = ("lower left", (0.02, 0.0)) if below else ("center left", (0.6, 0.5))
    scores = " · ".join(each.score for each in panels)
    box = figure.legend(
        handles,
        [LEGEND_PREFIX + text for _, _, text in entries],
        title=None if below else f"class · training n · {scores}",
        frameon=False,
        fontsize="x-small",
        title_fontsize="x-small",
        alignment="left",
        loc=place[0],
        bbox_to_anchor=place[1],
    )
    for text in box.get_texts():
        text.set_parse_math(False)  # "$5" is a name
        text.set_text(text.get_text().removeprefix(LEGEND_PREFIX))
    box.get_texts()[0].set_fontweight("bold")


def _entry(panels: Sequence[Panel], curves: Curves, c: int) -> str:
    areas = " · ".join(f"{each.area(curves.rankings[c]):.3f}" for each in panels)
    return f"{short(curves.names[c], 20)} · n={curves.train_counts[c]:,} · {areas}"


def short(name: str, most: int = 24) -> str:
    """A name for a figure, in at most ``most`` characters."""
    return shorten_middle("".join(char if char.isprintable() else " " for char in name), most)
