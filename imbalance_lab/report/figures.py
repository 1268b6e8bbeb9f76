"""The plots of the report as figures for a paper, drawn from the same values as the page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.files import atomic_write
from imbalance_lab.report.curves import PR, ROC, draw, short

PAPER: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": "medium",
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",  # text stays text, in the paper's own font if one likes
    "svg.hashsalt": "imbalance-lab",  # the same figure is the same file
}
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "0.6"
"""Of the palette of Okabe and Ito, which every eye tells apart."""

MOST_NUMBERS, MOST_NAMES, MOST_PANELS = 12, 40, 12


def write_figures(directory: Path, test: Evaluation, told: Mapping[str, Any]) -> None:
    """Write every plot of the page as ``directory/NAME.png``, 300 dots an inch, and ``NAME.svg``.

    Args:
        directory: where to; made if it is not there.
        test: the scores on test, for the curves.
        told: what the page's script draws (see `imbalance_lab.report.page.build_report_data`).
    """
    with rc_context(PAPER):
        for name, figure in _figures(test, told):
            for kind, metadata in (("png", {}), ("svg", {"Date": None})):
                with atomic_write(directory / f"{name}.{kind}") as unfinished:
                    figure.savefig(unfinished, format=kind, dpi=300, metadata=metadata)


def _figures(test: Evaluation, told: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    names, size = test.predictions.classes, (5.6, 3.5)
    for name, panel in (("roc", ROC), ("pr", PR)):
        yield name, draw((panel,), names, test.rankings, test.train_counts, size, 300)
    if confusion := told["confusion"]:
        shown = [names[c] for c in confusion["classes"]]
        side = min(7.0, 2.6 + 0.2 * len(shown))
        yield "confusion", draw_confusion(shown, confusion["counts"], confusion["totals"], size=(side + 0.6, side))
    if told["reliability"]:
        yield "reliability", draw_reliability(names, told["reliability"])
    if told["scores"]:
        yield "scores", draw_scores(names, told["scores"])
    yield "counts", draw_counts(names, told["counts"])
    if told["epochs"]:
        yield "epochs", draw_epochs(told["epochs"])


def draw_confusion(
    names: Sequence[str],
    counts: ArrayLike,
    totals: ArrayLike | None = None,
    *,
    size: tuple[float, float] = (5.6, 5),
    brief: bool = False,
) -> Figure:
    """The shares of each true class that were decided to be each class.

    Args:
        names: of the C classes.
        counts: (C, C), rows are true classes, columns decisions.
        totals: (C,) examples of each true class, where ``counts`` leaves decisions out; the sums of the rows if None.
        size: in inches.
        brief: small and without numbers, for every epoch; it takes a third of the time.
    """
    matrix = np.asarray(counts)
    of = matrix.sum(1) if totals is None else np.asarray(totals)
    shares = matrix / np.maximum(of, 1)[:, None]
    if brief:
        figure = Figure(figsize=size, dpi=60)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.24, 0.26, 0.72, 0.72))  # told, because finding it takes as long as the drawing
    else:
        figure, axes = _figure(size)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    if len(names) <= MOST_NUMBERS and not brief:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.005:
                tint = "white" if share > 0.6 else "black"
                text = f"{share:.2f}".removeprefix("0")
                axes.text(column, row, text, ha="center", va="center", color=tint, fontsize="x-small")
    ticks = range(len(names)) if len(names) <= MOST_NAMES else []
    labels = [short(name, 14) for name in names][: len(ticks)]
    axes.set_xticks(ticks, labels, rotation=90, parse_math=False, fontsize="x-small")
    axes.set_yticks(ticks, labels, parse_math=False, fontsize="x-small")
    axes.tick_params(length=0)
    axes.set(xlabel="decided", ylabel="true")
    return figure


def draw_reliability(names: Sequence[str], groups: Sequence[Mapping[str, Any]]) -> Figure:
    """Of examples given a probability, how many were of the class, with 95 % intervals: the decision, rare classes."""
    figure, panels = _grid(groups)
    for axes, group in zip(panels, _in_class_order(groups), strict=True):
        axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8, zorder=0)
        mean, share, low, high = ([each[key] for each in group["bins"]] for key in ("mean", "share", "low", "high"))
        axes.vlines(mean, low, high, color=BLUE, linewidth=0.8)
        axes.plot(mean, share, color=BLUE, linewidth=1, marker="o", markersize=2.5)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        _title(axes, "the decision" if group["class"] is None else names[group["class"]])
    figure.supxlabel("mean probability")
    figure.supylabel("share that was so")
    return figure


def draw_scores(names: Sequence[str], groups: Sequence[Mapping[str, Any]]) -> Figure:
    """The log-odds of those who are of a class, and of all others, each as shares of their own number."""
    figure, panels = _grid(groups)
    for axes, group in zip(panels, _in_class_order(groups), strict=True):
        for key, tint, label in (("negative", GREY, "all others"), ("positive", BLUE, "of the class")):
            shares = np.asarray(group[key]) / max(1, sum(group[key]))
            axes.stairs(shares, group["edges"], color=tint, fill=True, alpha=0.6, label=label)
        if group["cut"] is not None:
            axes.axvline(group["cut"], color=VERMILION, linewidth=0.8, linestyle=":", label="threshold")
        axes.set_yticks([])
        _title(axes, names[group["class"]])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False, fontsize="small")
    figure.supxlabel("log-odds")
    return figure


def draw_counts(names: Sequence[str], splits: Sequence[Mapping[str, Any]]) -> Figure:
    """Examples of each class in each split, on a logarithmic scale, in class order."""
    figure, axes = _figure((5.6, 2.8))
    at = np.arange(len(names))
    for place, (split, tint) in enumerate(zip(splits, (BLUE, VERMILION, GREEN), strict=False)):
        axes.bar(at + (place - 1) * 0.27, split["counts"], width=0.27, color=tint, label=split["split"])
    axes.set_yscale("log")
    ticks = at if len(names) <= MOST_NAMES else at[:0]
    axes.set_xticks(ticks, [short(names[c], 14) for c in ticks], rotation=90, parse_math=False, fontsize="x-small")
    axes.set(ylabel="examples", xlabel="" if len(ticks) else f"{len(names)} classes")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def draw_epochs(epochs: Mapping[str, Any]) -> Figure:
    """Validation AUROC and the losses over the epochs; a line marks the epoch that was kept."""
    figure = Figure(figsize=(5.6, 3.6), dpi=300, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    at = epochs["epoch"]
    marker = "o" if len(at) == 1 else None
    for axes, key, tint, label in (
        (above, "auroc", BLUE, "validation"),
        (below, "val_loss", BLUE, "validation"),
        (below, "train_loss", GREY, "training"),
    ):
        values = [np.nan if value is None else value for value in epochs[key]]
        axes.plot(at, values, color=tint, linewidth=1.2, label=label, marker=marker, markersize=3)
    for axes in (above, below):
        axes.axvline(at[epochs["kept"]], color="0.4", linewidth=0.8, linestyle=":", label="kept")
        axes.grid(color="0.93")
        axes.spines[["top", "right"]].set_visible(False)
    above.set(ylabel="macro AUROC")
    below.set(xlabel="epoch", ylabel="loss")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    below.legend(frameon=False, fontsize="small")
    return figure


def _figure(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, dpi=300, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _grid(groups: Sequence[Any]) -> tuple[Figure, list[Axes]]:
    """Small panels in rows of four, one a group."""
    n = min(len(groups), MOST_PANELS)
    rows, columns = -(-n // 4), min(n, 4)
    figure = Figure(figsize=(max(2.8, 1.75 * columns), 0.6 + 1.6 * rows), dpi=300, layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize="x-small", length=2)
    for axes in panels[n:]:
        axes.remove()
    return figure, panels[:n]


def _in_class_order(groups: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """As many as are drawn; they come rarest first, after the decision, which is of no class."""
    return sorted(groups[:MOST_PANELS], key=lambda group: -1 if group["class"] is None else group["class"])


def _title(axes: Axes, name: str) -> None:
    axes.set_title(short(name, 18), fontsize="small", parse_math=False)
