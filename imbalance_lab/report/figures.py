"""The plots of the report as figures for a paper, from the same data as the page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from imbalance_lab.evaluation.distributions import ReliabilityCurve, ScoreHistogram
from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.files import atomic_write
from imbalance_lab.report.benefit_figures import benefit_figures
from imbalance_lab.report.curves import PR, ROC, Curves, draw, short
from imbalance_lab.report.palette import LIGHT
from imbalance_lab.report.payload import most_confused

PAPER: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": "medium",
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",  # text stays text, so that the paper's font can replace it
    "svg.hashsalt": "imbalance-lab",  # the same figure is the same file
}
BLUE, VERMILION, GREEN = LIGHT.cycle[:3]
GRAY = LIGHT.rarity[0]

MAX_NUMBERS, MAX_NAMES, MAX_PANELS = 12, 40, 12
"""Classes up to which a matrix has numbers, and an axis has names; panels of a figure, those of the rarest classes."""


Panel = TypeVar("Panel", ReliabilityCurve, ScoreHistogram)


def write_figures(directory: Path, data: ReportData) -> None:
    """Write every plot of the page as ``directory/NAME.png``, 300 dots per inch, and ``NAME.svg``.

    The folder is created if absent.
    """
    with rc_context(PAPER):
        for name, figure in _figures(data):
            for kind, metadata in (("png", {}), ("svg", {"Date": None})):
                with atomic_write(directory / f"{name}.{kind}") as unfinished:
                    figure.savefig(unfinished, format=kind, dpi=300, metadata=metadata)


def curves_of(data: ReportData) -> Curves:
    """The curves of the reported classes on test, with their bands and operating points."""
    return Curves(
        names=data.classes,
        rankings=data.test.rankings,
        train_counts=data.test.train_counts,
        classes=data.rarest_ranked,
        bands=data.bands,
        thresholds=data.thresholds_on_test,
        limits=data.test.limits,
    )


def _figures(data: ReportData) -> Iterator[tuple[str, Figure]]:
    names, test = data.classes, data.test
    for name, panel in (("roc", ROC), ("pr", PR)):
        yield name, draw((panel,), curves_of(data), (5.6, 3.4), 300)
    if test.confusion is not None:
        selected = most_confused(test.confusion)
        side = min(7.0, 2.6 + 0.2 * len(selected))
        counts, totals = test.confusion[np.ix_(selected, selected)], test.confusion.sum(1)[selected]
        yield "confusion", draw_confusion([names[c] for c in selected], counts, totals, size=(side + 0.6, side))
    rarest = data.rarest_ranked
    if curves := _select(data.reliability, [None, *rarest]):
        yield "reliability", draw_reliability(names, curves)
    if histograms := _select(data.histograms, rarest):
        yield "scores", draw_scores(names, histograms)
    if data.benefit is not None:
        yield from benefit_figures(data.benefit)
    yield "counts", draw_counts(names, data.counts)
    if data.run.epochs is not None:
        yield "epochs", draw_epochs(data.run.epochs)


def _select(panels: Sequence[Panel], order: Sequence[int | None]) -> list[Panel]:
    """As many panels as a figure has room for, by ``order``, then in class order after that of no class."""
    by_class = {each.class_index: each for each in panels}
    selected = [by_class[c] for c in order if c in by_class][:MAX_PANELS]
    return sorted(selected, key=lambda each: -1 if each.class_index is None else each.class_index)


def draw_confusion(
    names: Sequence[str],
    counts: ArrayLike,
    totals: ArrayLike | None = None,
    *,
    size: tuple[float, float] = (5.6, 5),
    brief: bool = False,
) -> Figure:
    """The shares of each true class that were predicted as each class.

    Args:
        names: of the C classes.
        counts: (C, C), rows are true classes, columns predictions.
        totals: (C,) examples of each true class, where ``counts`` leaves predictions out; the sums of the rows if None.
        size: in inches.
        brief: small and without numbers, for every epoch; it takes a third of the time.
    """
    matrix = np.asarray(counts)
    of = matrix.sum(1) if totals is None else np.asarray(totals)
    shares = matrix / np.maximum(of, 1)[:, None]
    if brief:
        figure = Figure(figsize=size, dpi=60)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.24, 0.26, 0.72, 0.72))  # fixed: computing a layout takes as long as the drawing
    else:
        figure, axes = _figure(size)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    if len(names) <= MAX_NUMBERS and not brief:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.005:
                tint = "white" if share > 0.6 else "black"
                text = f"{share:.2f}".removeprefix("0")
                axes.text(column, row, text, ha="center", va="center", color=tint, fontsize="x-small")
    ticks = range(len(names)) if len(names) <= MAX_NAMES else []
    labels = [short(name, 14) for name in names][: len(ticks)]
    axes.set_xticks(ticks, labels, rotation=90, parse_math=False, fontsize="x-small")
    axes.set_yticks(ticks, labels, parse_math=False, fontsize="x-small")
    axes.tick_params(length=0)
    axes.set(xlabel="predicted", ylabel="true")
    return figure


def draw_reliability(names: Sequence[str], curves: Sequence[ReliabilityCurve]) -> Figure:
    """The observed share of positives against the mean probability, with 95 % intervals; one panel a curve."""
    figure, panels = _grid(len(curves))
    for axes, curve in zip(panels, curves, strict=True):
        axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8, zorder=0)
        mean, share = ([getattr(each, key) for each in curve.bins] for key in ("mean_probability", "positive_share"))
        low, high = ([each.interval[end] for each in curve.bins] for end in (0, 1))
        axes.vlines(mean, low, high, color=BLUE, linewidth=0.8)
        axes.plot(mean, share, color=BLUE, linewidth=1, marker="o", markersize=2.5)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        _title(axes, "predicted class" if curve.class_index is None else names[curve.class_index])
    figure.supxlabel("mean probability")
    figure.supylabel("observed share")
    return figure


def draw_scores(names: Sequence[str], histograms: Sequence[ScoreHistogram]) -> Figure:
    """The log-odds of the positives and negatives of each class, each as shares of their own number."""
    figure, panels = _grid(len(histograms))
    for axes, each in zip(panels, histograms, strict=True):
        for counts, tint, label in ((each.negative, GRAY, "negatives"), (each.positive, BLUE, "positives")):
            shares = np.asarray(counts) / max(1, sum(counts))
            axes.stairs(shares, each.edges, color=tint, fill=True, alpha=0.6, label=label)
        if each.threshold is not None:
            axes.axvline(each.threshold, color=VERMILION, linewidth=0.8, linestyle=":", label="threshold")
        axes.set_yticks([])
        _title(axes, names[each.class_index])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False, fontsize="small")
    figure.supxlabel("log-odds")
    return figure


def draw_counts(names: Sequence[str], counts: Mapping[str, Sequence[int]]) -> Figure:
    """Examples of each class by split, on a logarithmic scale, in class order."""
    figure, axes = _figure((5.6, 2.8))
    at = np.arange(len(names))
    for place, (split, tint) in enumerate(zip(counts, (BLUE, VERMILION, GREEN), strict=False)):
        axes.bar(at + (place - 1) * 0.27, counts[split], width=0.27, color=tint, label=split)
    axes.set_yscale("log")
    ticks = at if len(names) <= MAX_NAMES else at[:0]
    axes.set_xticks(ticks, [short(names[c], 14) for c in ticks], rotation=90, parse_math=False, fontsize="x-small")
    axes.set(ylabel="examples", xlabel="" if len(ticks) else f"{len(names)} classes")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def draw_epochs(epochs: EpochHistory) -> Figure:
    """Validation AUROC and the losses over the epochs, the best marked; without validation the training loss."""
    if not epochs.is_validated:
        figure, axes = _figure((5.6, 2.4))
        axes.plot(epochs.epoch, [np.nan if value is None else value for value in epochs.train_loss], color=GRAY)
        axes.set(xlabel="epoch", ylabel="training loss")
        axes.spines[["top", "right"]].set_visible(False)
        return figure
    figure = Figure(figsize=(5.6, 3.6), dpi=300, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    at = epochs.epoch
    marker = "o" if len(at) == 1 else None
    for axes, scores, tint, label in (
        (above, epochs.auroc, BLUE, "validation"),
        (below, epochs.val_loss, BLUE, "validation"),
        (below, epochs.train_loss, GRAY, "training"),
    ):
        values = [np.nan if value is None else value for value in scores]
        axes.plot(at, values, color=tint, linewidth=1.2, label=label, marker=marker, markersize=3)
    for axes in (above, below):
        axes.axvline(at[epochs.best], color="0.4", linewidth=0.8, linestyle=":", label="best")
        axes.grid(color="0.93")
        axes.spines[["top", "right"]].set_visible(False)
    above.set(ylabel="macro AUROC")
    below.set(xlabel="epoch", ylabel="loss")
    below.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    place = ("right", -4) if at[epochs.best] > (at[0] + at[-1]) / 2 else ("left", 4)
    above.annotate(
        f"best: epoch {at[epochs.best]}",
        (at[epochs.best], 0.04),
        xycoords=above.get_xaxis_transform(),
        xytext=(place[1], 0),
        textcoords="offset points",
        ha=place[0],
        color="0.35",
        fontsize="small",
    )
    below.legend(frameon=False, fontsize="small")
    return figure


def _figure(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, dpi=300, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _grid(n: int) -> tuple[Figure, list[Axes]]:
    """``n`` small panels in rows of four."""
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


def _title(axes: Axes, name: str) -> None:
    axes.set_title(short(name, 18), fontsize="small", parse_math=False)
