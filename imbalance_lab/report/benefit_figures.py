"""Plots of whether a binary model is worth acting on, for the printed sheet and for papers."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from scipy.special import logit

from imbalance_lab.evaluation.benefit import Benefit
from imbalance_lab.evaluation.decision_curve import DecisionCurve
from imbalance_lab.evaluation.distributions import ReliabilityCurve, ScoreHistogram
from imbalance_lab.evaluation.gains import Gains
from imbalance_lab.report.palette import LIGHT

RISKS = (0.5, 0.01, 0.99, 1e-4, 0.9999, 1e-6, 0.999999, 0.1, 0.9)
"""Probabilities that have a tick where they are drawn as log-odds, those first that keep theirs where it is narrow."""

APART = 0.2
"""The least distance of two such ticks, as a share of the axis: room for "99.9999 %"."""


def draw_calibration(axes: Axes, curve: ReliabilityCurve) -> None:
    """The observed share of positives against the mean probability, from 0 to where they lie."""
    mean, share = ([getattr(each, key) for each in curve.bins] for key in ("mean_probability", "positive_share"))
    low, high = ([each.interval[end] for each in curve.bins] for end in (0, 1))
    end = min(1.0, 1.1 * max([*mean, *high]))
    axes.plot([0, end], [0, end], color="0.7", linewidth=0.8, zorder=0)
    axes.vlines(mean, low, high, color=LIGHT.cycle[0], linewidth=0.8)
    axes.plot(mean, share, color=LIGHT.cycle[0], linewidth=1, marker="o", markersize=2.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.set(title="Calibration", xlabel="mean probability", ylabel="observed share", xlim=(0, end), ylim=(0, end))


def draw_decision_curve(axes: Axes, curve: DecisionCurve) -> None:
    """Net benefit with its band, against flagging all and none; a line marks the threshold in use."""
    t = curve.threshold
    value, low, high, flag_all = 1000 * np.array([curve.net_benefit, curve.low, curve.high, curve.flag_all])
    axes.fill_between(t, low, high, color=LIGHT.cycle[0], alpha=0.2, linewidth=0)
    axes.plot(t, value, color=LIGHT.cycle[0], linewidth=1.2, label="model")
    axes.plot(t, flag_all, color="0.4", linewidth=0.8, linestyle="--", label="flag all")
    axes.axhline(0, color="0.4", linewidth=0.8, linestyle=":", label="flag none")
    if curve.chosen is not None:
        axes.axvline(t[curve.chosen], color=LIGHT.chosen, linewidth=0.8, linestyle="-.", label="threshold")
    axes.set_xscale("log")
    steps = (1, 2, 5) if t[-1] / t[0] < 50 else (1,)  # a common class has less than two powers of ten
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    bottom, top = -250 * curve.prevalence, 1050 * max(curve.prevalence, *curve.high)
    axes.set(title="Decision curve", xlabel="threshold probability", ylabel="net benefit per 1,000", ylim=(bottom, top))
    axes.legend(frameon=False, fontsize="small")


def draw_risks(axes: Axes, histogram: ScoreHistogram) -> None:
    """The probabilities of positives and negatives, each as shares of their own number."""
    for counts, tint, label in (
        (histogram.negative, "0.6", "negatives"),
        (histogram.positive, LIGHT.cycle[0], "positives"),
    ):
        shares = np.asarray(counts) / max(1, sum(counts))
        axes.stairs(shares, histogram.edges, color=tint, fill=True, alpha=0.6, label=label)
    if histogram.threshold is not None:
        axes.axvline(histogram.threshold, color=LIGHT.chosen, linewidth=0.8, linestyle="-.", label="threshold")
    inside = _ticks(histogram.edges[0], histogram.edges[-1])
    axes.set_xticks(logit(inside), [f"{100 * p:g} %" for p in inside])
    axes.set(title="Probabilities by outcome", xlabel="probability (log-odds scale)", ylabel="share of each", yticks=[])
    axes.legend(frameon=False, fontsize="small")


def _ticks(low: float, high: float) -> list[float]:
    """Those of `RISKS` between two log-odds that stand apart."""
    kept: list[float] = []
    for p in RISKS:
        at = float(logit(p))
        if low <= at <= high and all(abs(at - float(logit(other))) >= APART * (high - low) for other in kept):
            kept.append(p)
    return kept


def draw_gains(axes: Axes, gains: Gains) -> None:
    """The share of positives that is found if the examples that rank highest are flagged, and at random."""
    axes.plot([0, 1], [0, 1], color="0.4", linewidth=0.8, linestyle="--", label="at random")
    axes.plot(gains.flagged, gains.recall, color=LIGHT.cycle[0], linewidth=1.2, label="model")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.set(title="Cumulative gain", xlabel="share flagged", ylabel="recall", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(frameon=False, fontsize="small")


def benefit_figures(benefit: Benefit) -> Iterator[tuple[str, Figure]]:
    """Decision curve and gains as figures of their own, by name."""
    figures = {name: Figure(figsize=(3.4, 2.9), dpi=300, layout="constrained") for name in ("decision_curve", "gains")}
    for figure in figures.values():
        FigureCanvasAgg(figure)
        figure.add_subplot().spines[["top", "right"]].set_visible(False)
    draw_decision_curve(figures["decision_curve"].axes[0], benefit.decision_curve)
    draw_gains(figures["gains"].axes[0], benefit.gains)
    yield from figures.items()
