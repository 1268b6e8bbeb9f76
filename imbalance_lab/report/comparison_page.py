"""`comparison.html`: the settings that were tried side by side, ranked on validation and compared on test."""

from pathlib import Path
from typing import Any

from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.score_keys import heading, is_lower_better
from imbalance_lab.evaluation.setting_differences import setting_differences
from imbalance_lab.files import atomic_write
from imbalance_lab.report.comparison_curves import curves, epochs
from imbalance_lab.report.comparison_table import BASELINES_DIFFER, failure_lines
from imbalance_lab.report.comparison_verdict import comparison_title, comparison_verdict
from imbalance_lab.report.html import render_page
from imbalance_lab.report.setting_payload import (
    baseline_rows,
    difference_rows,
    further_columns,
    run_rows,
    run_scores,
    score_columns,
    setting_rows,
    swept_keys,
)
from imbalance_lab.report.study_payload import study_note, study_payload
from imbalance_lab.report.study_texts import pruned_line
from imbalance_lab.text import visible

UNITS = (
    ("seeds", "over the same seeds"),
    ("folds", "over the same folds (corrected resampled t)"),
    ("examples", "on the same test examples"),
)
OVER_FOLDS = (
    "Each setting is cross-validated: dots are means over the folds, with 95 % intervals of the corrected resampled t."
)


def write_comparison(path: Path, data: ComparisonData) -> Path:
    """Write the page whole or not at all; returns its path."""
    text = render_page("comparison", build_comparison_texts(data), build_comparison_payload(data))
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return path


def build_comparison_texts(data: ComparisonData) -> dict[str, Any]:
    """What the page's template shows."""
    is_repeated = any(each.n > 1 for each in data.settings)
    return {
        "title": comparison_title(data),
        "verdict": " ".join(comparison_verdict(data)),
        "failures": failure_lines(data),
        "settings_note": _settings_note(data, is_repeated),
        "swept_note": "Means over the replicates with 95 % intervals." if is_repeated else "",
        "epochs_note": "Means over the replicates; bands run from the lowest to the highest." if is_repeated else "",
        "differences_note": _differences_note(data),
        "study_note": study_note(data.study),
    }


def build_comparison_payload(data: ComparisonData) -> dict[str, Any]:
    """What the page's script draws, as plain values."""
    keys = swept_keys([dict(each.overrides) for each in data.settings])
    varied = [{key: run.overrides[key] for key in data.varied if key in run.overrides} for run in data.runs]
    run_keys = swept_keys(varied)
    shown = run_scores(data.score)
    further = further_columns(data)
    differences = setting_differences(data, [*shown, *(each["key"] for each in further)])
    return {
        "score_title": visible(heading(data.score)),
        "lower_is_better": is_lower_better(data.score),
        "keys": keys.as_json(),
        "further": further,
        "settings": setting_rows(data),
        "baselines": baseline_rows(data),
        "run_keys": run_keys.as_json(),
        "scores": score_columns(shown),
        "runs": run_rows(data, run_keys),
        "differences": difference_rows(differences, data),
        "curves": [curves(group, data) for group in data.groups],
        "epochs": epochs(data),
        "study": study_payload(data.study),
    }


def _settings_note(data: ComparisonData, is_repeated: bool) -> str:
    sentences = [f"The best {heading(data.score)} on validation first; all other columns are on test."]
    if data.nested is not None:
        sentences.append(OVER_FOLDS)
    elif is_repeated:
        sentences.append("Dots are means over replicates with 95 % intervals (Student's t), small dots single runs.")
    else:
        sentences.append("Each setting is one run; its 95 % interval is over test examples.")
    comparisons = (*data.setting_comparisons, *data.baseline_comparisons)
    if any(each.compared.comparison.interval is not None for each in comparisons):
        sentences.append("Blue is not distinguishable from the setting at the dotted line, gray worse, green better.")
    if data.baselines:
        sentences.append("Below the settings are the baselines that were trained on the same rows.")
    if data.baselines_differ:
        sentences.append(f"{BASELINES_DIFFER[0].upper()}{BASELINES_DIFFER[1:]}.")
    sentences += [pruned] if (pruned := pruned_line(data.runs)) else []
    return visible(" ".join(sentences))


def _differences_note(data: ComparisonData) -> str:
    if not data.setting_comparisons:
        return ""
    units = {each.unit for each in data.setting_comparisons}
    pairing = " or ".join(text for unit, text in UNITS if unit in units)
    reference = data.setting_comparisons[0].b
    return visible(f"Each setting minus {reference}, in pairs {pairing}, with intervals and p after Holm's correction.")
