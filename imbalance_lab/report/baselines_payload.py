"""What the section on baselines draws, as plain values."""

from collections.abc import Mapping
from typing import Any

from imbalance_lab.evaluation.baselines import BaselineReport
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.report.baseline_texts import left_out_lines
from imbalance_lab.report.decision_text import quoted

TITLES = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier_score": "Brier score",
}
"""The scores of the table."""


def baselines_payload(report: BaselineReport | None) -> dict[str, Any] | None:
    """A row a model, the run first; None without baselines."""
    if report is None:
        return None
    models = [
        {
            "name": each.name,
            "about": each.about,
            "scores": _scores(each.scores),
            "differences": {name: compared.as_json() for name, compared in each.differences.items()},
        }
        for each in report.baselines
    ]
    run = {"name": "this run", "about": "", "scores": _scores(report.run), "differences": {}}
    return {
        "note": _note(report),
        "left_out": left_out_lines(report),
        "scores": [{"key": key, "title": title} for key, title in TITLES.items()],
        "rows": [run, *models] if models else [],
    }


def _note(report: BaselineReport) -> str:
    of = (
        "macro AUROC and average precision" if report.of_class is None else f"AUROC and AP of {quoted(report.of_class)}"
    )
    return (
        f"Trained on the same rows as the net, and tested on the same examples: {of}; log loss and Brier score, lower "
        "is better, after the same calibration. Differences are in pairs, with intervals and p after Holm's correction."
    )


def _scores(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: score.as_json() for name, score in scores.items()}
