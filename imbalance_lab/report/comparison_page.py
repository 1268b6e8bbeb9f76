"""`comparison.html`: several runs side by side, ranked on validation and told apart on test."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imbalance_lab.evaluation.comparison import RunComparison
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.files import atomic_write
from imbalance_lab.report.html import render_page
from imbalance_lab.report.simplify_curve import simplify_curve
from imbalance_lab.report.sweep import (
    SCORES,
    Run,
    compared,
    comparison_lines,
    failure_lines,
    same_examples,
    seed_lines,
    sweep_table,
    varied_keys,
)
from imbalance_lab.report.terminal import console
from imbalance_lab.tags import MONITOR

MOST_RUNS, MOST_CLASSES = 8, 12
"""Of so many runs, the best, and so many classes, the rarest, the curves are drawn."""


def print_comparison(runs: Sequence[Run], score: str = "auroc", baseline: str | None = None) -> None:
    """Print the table of the runs, means over seeds, differences in words, and which runs have no scores."""
    out = console()
    out.print(sweep_table(runs, score))
    with out.status(f"comparing {len(runs)} runs"):
        differences = comparison_lines(runs, score, baseline)
    for line in (*seed_lines(runs, score), *differences):
        out.print(line, soft_wrap=True)
    for line in failure_lines(runs):
        out.print(line, style="red", soft_wrap=True)


def write_comparison(path: Path, runs: Sequence[Run], score: str = "auroc", baseline: str | None = None) -> Path:
    """Write the page of ``runs``, which come best first; differences are told by ``score``, from ``baseline``."""
    with console().status("drawing their curves"):
        told = render_page("comparison", f"{len(runs)} runs", build_comparison_data(runs, score, baseline))
    with atomic_write(path) as unfinished:
        unfinished.write_text(told, encoding="utf-8")
    return path


def build_comparison_data(runs: Sequence[Run], score: str, baseline: str | None) -> dict[str, Any]:
    """What the page's script draws, as plain values."""
    varied = varied_keys(runs)
    groups = same_examples(runs)
    comparisons = [compared(stored, baseline) for stored in groups]
    by_name = {run.name: run for run in runs}
    best = next((run for run in runs if run.metrics), None)
    return {
        "title": f"{len(runs)} runs",
        "score": score,
        "scores": SCORES,
        "verdict": _verdict(best, score, comparisons),
        "varied": varied,
        "runs": [_run(run, varied, score) for run in runs],
        "failures": failure_lines(runs),
        "seeds": seed_lines(runs, score),
        "groups": [list(stored) for stored in groups],
        "differences": [_difference(each, score) for group in comparisons for each in group],
        "curves": [_curves(stored, by_name) for stored in groups],
        "epochs": [{"run": run.name, **epochs} for run in runs if (epochs := _epochs(run.directory / "metrics.csv"))],
    }


def _verdict(best: Run | None, score: str, comparisons: Sequence[Sequence[RunComparison]]) -> list[str]:
    if best is None:
        return ["No run has scores."]
    told = [f"Run {best.name} is best on validation, with {SCORES[score]} {best.val(score):.3f}."]
    against = [each for group in comparisons for each in group if f"run {best.name}" in (each.a, each.b)]
    equal = [each for each in against if not each.scores[score].is_distinguishable]
    if len(against) == 1:
        told.append(f"On test, {against[0].in_words(score)}.")
    elif against:
        how_many = f"{len(equal)} of the {len(against)} others cannot" if equal else f"all {len(against)} others can"
        told.append(f"On test, {how_many} be told apart from it.")
    if len(comparisons) > 1:
        told.append(
            f"The runs were tested on {len(comparisons)} different sets of examples; across those no run is "
            "compared with another."
        )
    return told


def _run(run: Run, varied: Sequence[str], score: str) -> dict[str, Any]:
    metrics = run.metrics
    return {
        "name": run.name,
        "overrides": {key: run.overrides.get(key, "") for key in varied},
        "val": None if metrics is None else metrics["val"][score]["value"],
        "test": {each: None if metrics is None else _valued(metrics["test"][each]) for each in SCORES},
    }


def _valued(score: dict[str, Any]) -> dict[str, Any]:
    return {"value": score["value"], "ci95": score["ci95"]}


def _difference(each: RunComparison, score: str) -> dict[str, Any]:
    plain = each.as_json()
    return {
        "a": each.a,
        "b": each.b,
        "words": {name: each.in_words(name) for name in SCORES},
        "better": each.scores[score].is_distinguishable,
        "classes": [{"name": name, **told} for name, told in plain["classes"].items()],
    }


def _curves(stored: Mapping[str, Predictions], by_name: Mapping[str, Run]) -> dict[str, Any]:
    """Of the best runs and the rarest classes, the vertices that can be seen."""
    shown = [name for name in stored if by_name[name].metrics][:MOST_RUNS]
    classes: dict[int, str] = {}
    curves = []
    for name in shown:
        metrics = by_name[name].metrics
        assert metrics is not None
        counts = [each["train_count"] for each in metrics["test"]["classes"]]
        test = Evaluation(stored[name], counts)
        if not classes:
            rarest = np.argsort(counts, kind="stable").tolist()
            drawn = [c for c in rarest if test.rankings[c].is_defined][:MOST_CLASSES]
            classes = {c: test.predictions.classes[c] for c in drawn}
        for c in classes:
            ranking = test.rankings[c]
            curve = simplify_curve(ranking)
            curves.append(
                {
                    "run": name,
                    "class": c,
                    "n_positive": ranking.n_positive,
                    "n_negative": ranking.n_negative,
                    "fp": curve.fp.tolist(),
                    "tp": curve.tp.tolist(),
                }
            )
    left_out = len(stored) - len(shown)
    return {"classes": list(classes.items()), "curves": curves, "left_out": left_out}


def _epochs(path: Path) -> dict[str, Any] | None:
    """The validation AUROC of every epoch; None where nothing was logged."""
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("epoch") and row.get(MONITOR)]
    return {
        "epoch": [int(float(row["epoch"])) + 1 for row in rows],
        "auroc": [float(row[MONITOR]) for row in rows],
    }
