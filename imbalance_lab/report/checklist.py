"""The page that a binary report prints: what a clinical reader asks of a prediction model, on one sheet of A4.

Its measures are the core set of Van Calster et al. 2025 ("Evaluation of performance measures in predictive artificial
intelligence models to support medical decisions", arXiv 2412.10288): AUROC, a calibration plot, net benefit with a
decision curve, and the distribution of the probabilities by outcome.
"""

import base64
import io
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from imbalance_lab.evaluation.benefit import Benefit
from imbalance_lab.evaluation.decision_curve import DecisionCurve
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.report.benefit_figures import draw_calibration, draw_decision_curve, draw_risks
from imbalance_lab.report.benefit_payload import benefit_note, percent
from imbalance_lab.report.figures import PAPER
from imbalance_lab.report.terminal import interval

PRINTED: dict[Any, Any] = {**PAPER, "font.size": 7, "font.family": "sans-serif"}


MARGINS = {"left": 0.055, "right": 0.99, "bottom": 0.16, "top": 0.9, "wspace": 0.25}


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
        figure = Figure(figsize=(7.2, 2.9))
        figure.subplots_adjust(**MARGINS)  # a constrained layout draws all of it several times
        FigureCanvasAgg(figure)
        calibration, decision, risks = figure.subplots(1, 3)
        draw_calibration(calibration, reliability)
        draw_decision_curve(decision, curve)
        draw_risks(risks, histogram)
        for axes in (calibration, decision, risks):
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(out, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}"
