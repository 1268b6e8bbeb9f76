"""What the section on slices draws, as plain values."""

from itertools import groupby
from typing import Any

from imbalance_lab.evaluation.slices import ClassSlices, SliceReport
from imbalance_lab.report.slice_texts import slice_note, slice_value_name, slice_verdict


def slices_payload(report: SliceReport | None) -> dict[str, Any] | None:
    """The verdict, the note, and the slices by class and column; None without slices."""
    if report is None or not report.classes:
        return None
    return {
        "verdict": " ".join(slice_verdict(report)),
        "note": slice_note(report),
        "classes": [
            {
                "name": report.class_names[each.class_index] if len(report.classes) > 1 else None,
                "recall": each.recall.value,
                "columns": _columns(each),
            }
            for each in report.classes
        ],
    }


def _columns(of_class: ClassSlices) -> list[dict[str, Any]]:
    return [
        {"name": name, "rows": [{**each.as_json(), "value": slice_value_name(each)} for each in results]}
        for name, results in groupby(of_class.results, lambda each: each.column)
    ]
