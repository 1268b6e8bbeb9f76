"""`report.html`: everything about one run on one page."""

import base64
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from imbalance_lab.evaluation.mistakes import Mistake
from imbalance_lab.evaluation.report_data import ReportData, RunRecord
from imbalance_lab.evaluation.scores import FEW_POSITIVES
from imbalance_lab.evaluation.set_coverage import SetCoverage
from imbalance_lab.files import atomic_write
from imbalance_lab.report.baselines_payload import baselines_payload
from imbalance_lab.report.benefit_payload import benefit_payload, probability_payload
from imbalance_lab.report.checklist import checklist
from imbalance_lab.report.curve_payload import curves_about
from imbalance_lab.report.decision_payload import decision, headline, thresholds
from imbalance_lab.report.feature_words import feature_words
from imbalance_lab.report.html import render_page
from imbalance_lab.report.payload import plots
from imbalance_lab.report.samples_payload import sample_rows
from imbalance_lab.report.set_table import set_note
from imbalance_lab.report.shot_groups_payload import shot_group_rows
from imbalance_lab.report.slices_payload import slices_payload
from imbalance_lab.report.stages_payload import stages_payload
from imbalance_lab.report.title import page_title
from imbalance_lab.report.verdict import selection_sentence, verdict


def write_page(path: Path, data: ReportData) -> None:
    """Write the page whole or not at all."""
    text = render_page("report", build_texts(data), build_payload(data))
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def build_texts(data: ReportData) -> dict[str, Any]:
    """What the page's template shows."""
    decided = ""
    if data.test.predictions.task.is_multilabel:
        decided = " Each label is predicted on its own, at probability ½."
    elif data.operating_point.is_by_thresholds:
        decided = " Recall and precision are of the most probable class, not of the thresholds."
    return {
        **page_title(data.run),
        "verdict": _unbroken(" ".join(verdict(data.test, data.rare_classes, data.operating_point, data.baselines))),
        "selection": selection_sentence(data),
        "classes_note": f"On {data.n_test:,} test examples, with 95 % intervals; the rarest class first, "
        "a click on a heading sorts. "
        "Lift is average precision over the class's share in test; classes with fewer than "
        f"{FEW_POSITIVES} positives are marked.{decided}",
        "curves_about": curves_about(data),
        "mistakes": _mistakes(data.run.mistakes, data.classes),
        "samples": sample_rows(data.run.samples, data.classes),
        "n_classes": len(data.classes),
        "about": [{"title": title, "text": text, "is_folded": folded} for title, text, folded in _about(data.run)],
        "checklist": checklist(data),
        "footer": f"Imbalance Lab {data.run.metadata['versions']['imbalance-lab']}. All numbers are computed on the "
        "full data; curves leave out only vertices that make no visible difference.",
    }


def _unbroken(text: str) -> str:
    """Text whose intervals and percentages stay on one line."""
    return re.sub(r"(?<=\d,) (?=[\d+−])|(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def build_payload(data: ReportData) -> dict[str, Any]:
    """What the page's script draws, as plain values; what is left out is said in the notes beside it."""
    return {
        "headline": headline(data),
        "decision": decision(data.operating_point),
        "few_positives": FEW_POSITIVES,
        "shot_groups": shot_group_rows(data),
        "reported": list(data.test.predictions.task.reported_classes),
        "classes": [{**each.as_json(), "lift": data.lift(each)} for each in data.test.classes],
        **plots(data),
        "point": thresholds(data.operating_point),
        "sets": _prediction_sets(data.prediction_sets),
        "slices": slices_payload(data.slices),
        "benefit": benefit_payload(data),
        "baselines": baselines_payload(data.baselines),
        "stages": stages_payload(data.stages),
        "probability_scores": probability_payload(data.probability_scores),
    }


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
            "features": [feature_words(feature, _true_class(each, classes)) for feature in each.features],
            "image": each.png and f"data:image/png;base64,{base64.b64encode(each.png).decode()}",
        }
        for each in group
    ]
    return {"title": title, "examples": examples, "has_features": any(each.features for each in group)}


def _true_class(mistake: Mistake, classes: Sequence[str]) -> str:
    """The class that the features of a mistake are unusual for."""
    if mistake.target is not None:
        return classes[mistake.target] or "(no name)"
    name = classes[mistake.of_class] or "(no name)"
    return name if mistake.kind == "missed" else f"not {name}"


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
