"""The page that a binary report prints: what a clinical reader asks of a prediction model, on one sheet of A4.

Its measures are the core set of Van Calster et al. 2025 ("Evaluation of performance measures in predictive artificial
intelligence models to support medical decisions", arXiv 2412.10288): AUROC, a calibration plot, net benefit with a
decision curve, and the distribution of the probabilities by outcome.
"""

import base64
import io
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from scipy.special import logit

from imbalance_lab.evaluation.benefit import Benefit
from imbalance_lab.evaluation.decision_curve import DecisionCurve
from imbalance_lab.evaluation.distributions import ReliabilityCurve, ScoreHistogram
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.report.benefit_payload import benefit_note, percent
from imbalance_lab.report.figures import BLUE, GRAY, PAPER, VERMILION
from imbalance_lab.report.terminal import interval

RISKS = (1e-6, 1e-4, 0.01, 0.1, 0.5, 0.9, 0.99)
"""Probabilities that have a tick where they are drawn as log-odds."""

PRINTED: dict[Any, Any] = {**PAPER, "font.size": 7, "font.family": "sans-serif"}


def checklist(data: ReportData) -> dict[str, Any] | None:
    """What the sheet shows; None unless the task is binary with positives and negatives on test."""
    benefit = data.benefit
    if benefit is None:
        return None
    c = benefit.decision_curve.class_index
    return {
        "positive": data.classes[c] or "(no name)",
        "facts": [*_data(data, c, benefit), *_performance(data, c, benefit), *_decisions(data, c)],
        "figure": _figure(data, c, benefit.decision_curve),
        "note": benefit_note(benefit),
    }


def _data(data: ReportData, c: int, benefit: Benefit) -> list[tuple[str, str]]:
    observed, n_positive = benefit.calibration.observed, data.test.classes[c].n_positive
    counts = ", ".join(f"{split} {values[c]:,} of {sum(values):,}" for split, values in data.counts.items())
    low, high = observed.interval or (0.0, 1.0)
    return [
        ("Positives", counts),
        (
            "Prevalence on test",
            f"{percent(observed.value)} [{percent(low)}, {percent(high)}], {n_positive:,} of {data.n_test:,}",
        ),
    ]


def _performance(data: ReportData, c: int, benefit: Benefit) -> list[tuple[str, str]]:
    summary, curve = benefit.calibration, benefit.decision_curve
    rows = [
        ("Discrimination", f"AUROC {interval(data.test.classes[c].auroc)}"),
        (
            "Calibration",
            f"mean probability {percent(summary.expected)} against {percent(summary.observed.value)} observed; "
            f"intercept {_signed(summary.intercept)} (0 is perfect), slope {interval(summary.slope)} (1 is perfect)",
        ),
    ]
    if curve.chosen is not None:
        at = curve.chosen
        ends = ", ".join(f"{1000 * value:.1f}" for value in (curve.low[at], curve.high[at]))
        rows.append(
            (
                "Net benefit",
                f"{1000 * curve.net_benefit[at]:.1f} [{ends}] found positives per 1,000 at the threshold "
                f"{percent(curve.threshold[at])}; flagging everybody: {1000 * curve.flag_all[at]:.1f}",
            )
        )
    return rows


def _decisions(data: ReportData, c: int) -> list[tuple[str, str]]:
    found = data.operating_point.thresholds[c]
    if found.on_test is None:
        return [("Operating point", f"none: {found.reason}")]
    counts, rule = found.on_test, data.operating_point.rule
    return [
        (
            "Operating point",
            f"{rule}, chosen on validation: probability {found.threshold:.3g}; on test it finds {counts.tp:,} of "
            f"{counts.n_positive:,} and flags {1000 * counts.flagged_share:.0f} of 1,000",
        )
    ]


def _signed(score: Score) -> str:
    if score.interval is None:
        return "–"
    return f"{score.value:+.2f} [{score.interval[0]:+.2f}, {score.interval[1]:+.2f}]"


def _figure(data: ReportData, c: int, curve: DecisionCurve) -> str:
    """Calibration, decision curve and probabilities by outcome beside each other, as the address of an SVG image."""
    reliability = next(each for each in data.reliability if each.class_index == c)
    histogram = next(each for each in data.histograms if each.class_index == c)
    out = io.BytesIO()
    with rc_context(PRINTED):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        FigureCanvasAgg(figure)
        calibration, decision, risks = figure.subplots(1, 3)
        _draw_calibration(calibration, reliability)
        _draw_decision(decision, curve)
        _draw_risks(risks, histogram)
        for axes in (calibration, decision, risks):
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(out, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}"


def _draw_calibration(axes: Axes, curve: ReliabilityCurve) -> None:
    mean, share = ([getattr(each, key) for each in curve.bins] for key in ("mean_probability", "positive_share"))
    low, high = ([each.interval[end] for each in curve.bins] for end in (0, 1))
    end = min(1.0, 1.1 * max([*mean, *high]))
    axes.plot([0, end], [0, end], color="0.7", linewidth=0.8, zorder=0)
    axes.vlines(mean, low, high, color=BLUE, linewidth=0.8)
    axes.plot(mean, share, color=BLUE, linewidth=1, marker="o", markersize=2.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.set(title="Calibration", xlabel="mean probability", ylabel="observed share", xlim=(0, end), ylim=(0, end))


def _draw_decision(axes: Axes, curve: DecisionCurve) -> None:
    t = curve.threshold
    value, low, high, flag_all = 1000 * np.array([curve.net_benefit, curve.low, curve.high, curve.flag_all])
    axes.fill_between(t, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(t, value, color=BLUE, linewidth=1.2, label="model")
    axes.plot(t, flag_all, color="0.4", linewidth=0.8, linestyle="--", label="flag all")
    axes.axhline(0, color="0.4", linewidth=0.8, linestyle=":", label="flag none")
    if curve.chosen is not None:
        axes.axvline(t[curve.chosen], color=VERMILION, linewidth=0.8, linestyle="-.", label="threshold")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    bottom, top = -250 * curve.prevalence, 1050 * max(curve.prevalence, *curve.high)
    axes.set(title="Decision curve", xlabel="threshold probability", ylabel="net benefit per 1,000", ylim=(bottom, top))
    axes.legend(frameon=False, fontsize="small")


def _draw_risks(axes: Axes, histogram: ScoreHistogram) -> None:
    for counts, tint, label in ((histogram.negative, GRAY, "negatives"), (histogram.positive, BLUE, "positives")):
        shares = np.asarray(counts) / max(1, sum(counts))
        axes.stairs(shares, histogram.edges, color=tint, fill=True, alpha=0.6, label=label)
    if histogram.threshold is not None:
        axes.axvline(histogram.threshold, color=VERMILION, linewidth=0.8, linestyle="-.", label="threshold")
    inside = [p for p in RISKS if histogram.edges[0] <= logit(p) <= histogram.edges[-1]]
    axes.set_xticks(logit(inside), [f"{100 * p:g} %" for p in inside])
    axes.set(title="Probabilities by outcome", xlabel="probability (log-odds scale)", ylabel="share of each", yticks=[])
    axes.legend(frameon=False, fontsize="small")
