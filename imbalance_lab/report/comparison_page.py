"""`comparison.html`: several runs side by side, ranked on validation and compared on test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imbalance_lab.evaluation.comparison import RunComparison
from imbalance_lab.evaluation.comparison_data import ComparedRuns, ComparisonData
from imbalance_lab.evaluation.sweep import SCORES, Run
from imbalance_lab.files import atomic_write
from imbalance_lab.report.comparison_table import failure_lines, seed_lines
from imbalance_lab.report.html import render_page
from imbalance_lab.report.payload import curve

MAX_RUNS, MAX_CLASSES = 8, 12
"""Curves are drawn of the best runs and the rarest classes."""


def write_comparison(path: Path, data: ComparisonData) -> Path:
    """Write the page whole or not at all; returns its path."""
    text = render_page("comparison", build_comparison_texts(data), build_comparison_payload(data))
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return path


def build_comparison_texts(data: ComparisonData) -> dict[str, Any]:
    """What the page's template shows."""
    return {
        "title": f"{len(data.runs)} runs",
        "verdict": " ".join(_verdict(data)),
        "failures": failure_lines(data),
        "seeds": seed_lines(data),
    }


def build_comparison_payload(data: ComparisonData) -> dict[str, Any]:
    """What the page's script draws, as plain values."""
    epochs = [{"run": run, "epoch": each.epoch, "auroc": each.auroc} for run, each in data.histories.items()]
    return {
        "score": data.score,
        "scores": SCORES,
        "varied": data.varied,
        "runs": [_run(run, data.varied, data.score) for run in data.runs],
        "differences": [_difference(each) for each in data.comparisons],
        "curves": [_curves(group) for group in data.groups],
        "epochs": epochs,
    }


def _verdict(data: ComparisonData) -> list[str]:
    best, against = data.best, data.comparisons_of_best
    if best is None:
        return ["No run has scores."]
    sentences = [f"Run {best.name} is best on validation, with {SCORES[data.score]} {best.val(data.score):.3f}."]
    equal = [each for each in against if not each.scores[data.score].is_distinguishable]
    if len(against) == 1:
        sentences.append(f"On test, {against[0].describe(data.score)}.")
    elif equal:
        sentences.append(f"On test, {len(equal)} of the {len(against)} other runs are not distinguishable from it.")
    elif against:
        sentences.append(f"On test, all {len(against)} other runs are distinguishable from it.")
    if len(data.groups) > 1:
        sentences.append(
            f"The runs were tested on {len(data.groups)} different sets of examples; runs are compared only within "
            "the same set."
        )
    return sentences


def _run(run: Run, varied: Sequence[str], score: str) -> dict[str, Any]:
    val, tested = run.score("val", score), {name: run.score("test", name) for name in SCORES}
    return {
        "name": run.name,
        "overrides": {key: run.overrides.get(key, "") for key in varied},
        "val": None if val is None else val.value,
        "test": {name: None if each is None else each.as_json() for name, each in tested.items()},
    }


def _difference(each: RunComparison) -> dict[str, Any]:
    return {
        "a": each.a,
        "b": each.b,
        "words": {name: each.describe(name) for name in SCORES},
        "classes": [{"name": name, **compared.as_json()} for name, compared in each.classes.items()],
    }


def _curves(group: ComparedRuns) -> dict[str, Any]:
    """The curves of the best runs and the rarest classes, and how many of each are left out."""
    selected = list(group.evaluations.items())[:MAX_RUNS]
    ranked = group.rarest_ranked
    classes = ranked[:MAX_CLASSES]
    return {
        "classes": [(c, selected[0][1].predictions.classes[c]) for c in classes],
        "curves": [
            {"run": name, "class": c, **curve(evaluation.rankings[c])} for name, evaluation in selected for c in classes
        ],
        "runs_left_out": len(group.runs) - len(selected),
        "classes_left_out": len(ranked) - len(classes),
    }
