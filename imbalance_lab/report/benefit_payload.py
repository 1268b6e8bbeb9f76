"""The benefit of a binary model, and the scores of probabilities, as plain values for the page's script."""

from typing import Any

import numpy as np

from imbalance_lab.evaluation.benefit import Benefit
from imbalance_lab.evaluation.calibration_summary import ProbabilityScores
from imbalance_lab.evaluation.decision_curve import DecisionCurve
from imbalance_lab.evaluation.gains import Gains
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.scores import defined
from imbalance_lab.report.simplify_curve import needed_vertices

SCORES = {
    "log_loss": "log loss",
    "brier_score": "Brier score",
    "brier_skill_score": "Brier skill (1 is perfect, 0 is the class shares)",
    "calibration_error": "calibration error of the predicted class",
    "classwise_calibration_error": "calibration error, mean over the classes",
}
"""The scores of probabilities and their headings."""


def benefit_payload(data: ReportData) -> dict[str, Any] | None:
    """Decision curve and gains with the point in use; None unless the task is binary."""
    benefit = data.benefit
    if benefit is None:
        return None
    curve = benefit.decision_curve
    counts = data.operating_point.thresholds[curve.class_index].on_test
    return {
        "class": data.classes[curve.class_index],
        "note": benefit_note(benefit),
        "decision": _decision(curve),
        "gains": _gains(benefit.gains),
        "flagged": None if counts is None else [counts.flagged_share, counts.recall.value],
        "enrichment": [each.as_json() for each in benefit.gains.enrichments],
    }


def benefit_note(benefit: Benefit) -> str:
    """For which thresholds the model is worth acting on, and what such a threshold means."""
    useful = benefit.decision_curve.useful
    if not useful:
        return "At no threshold is the model better, with 95 % confidence, than both flagging everybody and nobody."
    shown = useful[:3]
    ranges = " and ".join(f"{percent(low)} to {percent(high)}" for low, high in shown)
    costs = " and ".join(f"between {_odds(low)} and {_odds(high)}" for low, high in shown)
    return (
        "Better than flagging everybody and than flagging nobody, each with 95 % confidence, at thresholds from "
        f"{ranges}: where a false alarm costs {costs} of what a found positive is worth."
    )


def probability_payload(scores: ProbabilityScores | None) -> dict[str, Any] | None:
    """A row a score, raw and processed, and what post-processing changed."""
    if scores is None:
        return None
    rows = [
        {"score": heading, "raw": defined(scores.raw[name]), "processed": defined(scores.processed[name])}
        for name, heading in SCORES.items()
    ]
    return {"note": _changed(scores), "rows": rows}


def percent(share: float) -> str:
    """A share with two digits, as 0.41 %."""
    value = 100 * share
    return f"{value:.2g} %" if value < 10 else f"{value:.0f} %"


def _odds(threshold: float) -> str:
    odds = threshold / (1 - threshold)
    return f"1/{1 / odds:.3g}" if odds < 1 else f"{odds:.3g}×"


def _changed(scores: ProbabilityScores) -> str:
    change = scores.brier_change
    if scores.raw == scores.processed or change.interval is None:
        return "Post-processing leaves the probabilities as they are."
    low, high = change.interval
    interval = f"by {abs(change.value):.2g} [{min(abs(low), abs(high)):.2g}, {max(abs(low), abs(high)):.2g}]"
    if high < 0:
        return f"Calibration and prior correction lower the Brier score {interval}: they help."
    if low > 0:
        return f"Calibration and prior correction raise the Brier score {interval}: they do not help on test."
    change_text = f"Brier score {change.value:+.2g} [{low:.2g}, {high:.2g}]"
    return f"Whether calibration and prior correction help is inconclusive: {change_text}."


def _decision(curve: DecisionCurve) -> dict[str, Any]:
    names = ("net_benefit", "low", "high", "flag_all", "flagged")
    columns = {name: [round(value, 7) for value in getattr(curve, name)] for name in names}
    return {
        "threshold": [float(f"{t:.5g}") for t in curve.threshold],
        **columns,
        "prevalence": curve.prevalence,
        "chosen": curve.chosen,
    }


def _gains(gains: Gains) -> dict[str, Any]:
    logarithmic = np.log10(np.maximum(gains.flagged, 0.5 / gains.n)) / np.log10(2 * gains.n)
    kept = np.zeros(len(gains.flagged), bool)
    for across in (gains.flagged, logarithmic):
        kept |= needed_vertices(np.stack([across, gains.recall], 1))
    return {"flagged": gains.flagged[kept].tolist(), "recall": gains.recall[kept].tolist(), "n": gains.n}
