"""`report.html`: everything about one run on one page."""

import base64
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from imbalance_lab.evaluation.evaluation import FEW_POSITIVES, Score
from imbalance_lab.evaluation.mistakes import Mistake
from imbalance_lab.evaluation.report_data import OperatingPoint, ReportData, RunRecord
from imbalance_lab.evaluation.set_coverage import SetCoverage
from imbalance_lab.files import atomic_write
from imbalance_lab.report.curve_payload import curves_about
from imbalance_lab.report.html import render_page
from imbalance_lab.report.payload import plots, threshold_row
from imbalance_lab.report.set_table import set_note
from imbalance_lab.report.verdict import verdict


def write_page(path: Path, data: ReportData) -> None:
    """Write the page whole or not at all."""
    text = render_page("report", build_texts(data), build_payload(data))
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def build_texts(data: ReportData) -> dict[str, Any]:
    """What the page's template shows."""
    on_its_own = " Each label is predicted on its own, at probability ½." * data.test.predictions.task.is_multilabel
    return {
        "title": data.run.name,
        "verdict": " ".join(verdict(data.test, data.rare_classes)),
        "classes_note": f"On {data.n_test:,} test examples. Click a heading to sort. × prevalence is average precision "
        f"over the class's share in test; classes with fewer than {FEW_POSITIVES} positives are marked." + on_its_own,
        "curves_about": curves_about(data),
        "mistakes": _mistakes(data.run.mistakes, data.classes),
        "about": [{"title": title, "text": text, "is_folded": folded} for title, text, folded in _about(data.run)],
        "footer": f"Imbalance Lab {data.run.metadata['versions']['imbalance-lab']}. All numbers are computed on the "
        "full data; curves leave out only vertices that make no visible difference.",
    }


def build_payload(data: ReportData) -> dict[str, Any]:
    """What the page's script draws, as plain values; what is left out is said in the notes beside it."""
    return {
        "headline": _headline(data),
        "few_positives": FEW_POSITIVES,
        "classes": [{**each.as_json(), "lift": data.lift(each)} for each in data.test.classes],
        **plots(data),
        "point": _operating_point(data.operating_point),
        "sets": _prediction_sets(data.prediction_sets),
    }


def _headline(data: ReportData) -> list[dict[str, Any]]:
    """The scores at the top, on test."""
    test = data.test
    scores = [
        ("macro AUROC", test.macro_auroc),
        ("macro average precision", test.macro_average_precision),
        ("balanced accuracy", test.balanced_accuracy),
        ("subset accuracy (every label correct)" if test.predictions.task.is_multilabel else "accuracy", test.accuracy),
    ]
    rows = [_scored(name, score) for name, score in scores]
    if test.n_defined < len(test.classes):
        rows[0]["note"] = f"over {test.n_defined} of {len(test.classes)} classes"
    if data.test_adjusted is not None:
        rows.append(_scored("balanced accuracy at the requested class priors", data.test_adjusted.balanced_accuracy))
    return rows


def _scored(name: str, score: Score) -> dict[str, Any]:
    return {"name": name, **score.as_json()}


def _operating_point(point: OperatingPoint) -> dict[str, Any]:
    note = f"Thresholds by {point.rule}, chosen on validation." if point.rule else "No threshold could be chosen."
    if point.temperature is not None:
        note += f" Calibration: temperature {point.temperature:.3g}."
    if point.prior is not None:
        note += f" Probabilities are for the class priors {', '.join(f'{share:.3g}' for share in point.prior)}."
    return {"note": f"{note} Counts are on test.", "rows": [threshold_row(each) for each in point.thresholds]}


def _prediction_sets(sets: SetCoverage | None) -> dict[str, Any] | None:
    if sets is None:
        return None
    return {"note": set_note(sets), **sets.as_json()}


def _mistakes(mistakes: Sequence[Mistake], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Thumbnails or names, by class and kind."""
    groups = groupby(mistakes, lambda mistake: (mistake.of_class, mistake.kind))
    return [_mistake_group([*group], classes) for _, group in groups]


def _mistake_group(group: Sequence[Mistake], classes: Sequence[str]) -> dict[str, Any]:
    first = group[0]
    name = classes[first.of_class] or "(no name)"
    if first.kind == "false alarm":
        title = f"false positives for {name}"
    else:
        title = f"{name} not found" if first.predicted is None else f"{name} predicted as another class"
    examples = [
        {
            "label": _mistake_label(each, classes),
            "probability": each.probability,
            "name": each.name,
            "image": each.png and f"data:image/png;base64,{base64.b64encode(each.png).decode()}",
        }
        for each in group
    ]
    return {"title": title, "examples": examples}


def _mistake_label(mistake: Mistake, classes: Sequence[str]) -> str:
    """The wrong prediction of a positive, or the true class of a false positive; of a label, the prediction."""
    if mistake.target is None or mistake.predicted is None:
        return f"→ {'not ' * (mistake.kind == 'missed')}{classes[mistake.of_class]}"
    return f"→ {classes[mistake.predicted]}" if mistake.kind == "missed" else f"is {classes[mistake.target]}"


def _about(run: RunRecord) -> list[tuple[str, str, bool]]:
    """(title, text, whether it is folded away)."""
    metadata = run.metadata
    versions = "\n".join(f"{name} {version}" for name, version in metadata["versions"].items())
    lines = [f"seed {metadata['seed']}", f"checkpoint {metadata['checkpoint']}"]
    if run.started is not None and run.seconds is not None:
        lines += [f"started {run.started}", f"duration {_duration(run.seconds)}"]
    blocks = [("command", metadata["command"], False), ("run", "\n".join(lines), False), ("versions", versions, True)]
    return blocks if run.config is None else [*blocks, ("configuration", run.config, True)]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
