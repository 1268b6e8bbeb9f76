"""What the section on both stages of a training draws, as plain values."""

from typing import Any

from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.evaluation.stages import StageReport
from imbalance_lab.report.stage_texts import TITLES, stage_note


def stages_payload(report: StageReport | None) -> dict[str, Any] | None:
    """A row a score and a row a group of classes; None for a run of one stage."""
    if report is None:
        return None
    first, second = report.stage_1, report.stage_2
    scores = [
        {
            "score": title,
            "val": [first.val[name].as_json(), second.val[name].as_json()],
            "test": [first.test[name].as_json(), second.test[name].as_json()],
            "difference": report.differences[name].as_json(),
        }
        for name, title in TITLES.items()
    ]
    groups = [
        {
            "score": f"mean recall, {group}",
            "val": [Score(float("nan")).as_json()] * 2,
            "test": [{"value": defined(each.recall[group]), "ci95": None} for each in (first, second)],
            "difference": None,
        }
        for group in (second.recall if len(second.recall) > 1 else ())
    ]
    return {"note": stage_note(report), "rows": [*scores, *groups]}
