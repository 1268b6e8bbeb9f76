"""`report.html` of a cross-validation: the folds side by side, their spread, and their curves."""

from pathlib import Path
from typing import Any

import numpy as np

from imbalance_lab.evaluation.comparison_curves import mean_roc
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.join_folds import JoinedFolds
from imbalance_lab.evaluation.score_keys import is_lower_better, stored_scores
from imbalance_lab.files import atomic_write
from imbalance_lab.metrics import Ranking
from imbalance_lab.report.fold_table import fold_lines, is_of_sums, notes, short_heading, shown_scores
from imbalance_lab.report.html import render_page
from imbalance_lab.report.simplify_curve import needed_vertices
from imbalance_lab.text import visible

MAX_CLASSES, MAX_FOLDS, DIGITS = 12, 30, 5
"""Curves are drawn of the rarest classes and the first folds, to a hundred-thousandth."""


def write_cross_validation_page(path: Path, joined: JoinedFolds, command: str, config: str) -> None:
    """Write the page whole or not at all.

    Args:
        path: of the page.
        joined: the cross-validation.
        command: the command line of the run.
        config: its configuration, as text.
    """
    texts = build_fold_texts(joined) | {"command": visible(command), "config": visible(config, keep="\n")}
    text = render_page("cross_validation", texts, build_fold_payload(joined))
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def build_fold_texts(joined: JoinedFolds) -> dict[str, Any]:
    """What the page's template shows."""
    folds = joined.folds
    n = sum(each.n_test for each in folds.scores[: folds.folds])
    repeats = f" × {folds.repeats} repeats" if folds.repeats > 1 else ""
    keys = shown_scores(joined)
    first = joined.evaluations[0]
    task = first.predictions.task
    of_class = "" if task.positive is None else f"Of the class “{visible(task.classes[task.positive])}”. "
    classes = len(task.classes)
    return {
        "title": f"{folds.folds}-fold cross-validation{repeats}: {n:,} examples, {classes} classes",
        "verdict": fold_lines(joined),
        "scores_note": f"{of_class}{'. '.join(_sentence(each) for each in notes(folds, keys))}.",
        "curves_note": "One class against the rest: thin lines are folds, the thick one is their mean. Models of "
        "different folds score on different scales, so that no curve is drawn of all their scores together.",
    }


def build_fold_payload(joined: JoinedFolds) -> dict[str, Any]:
    """What the page's script draws, as plain values."""
    folds, keys = joined.folds, shown_scores(joined)
    known = stored_scores(joined.scores, "test")
    scores = [
        {
            "key": key,
            "title": visible(short_heading(key)),
            "lower_is_better": is_lower_better(key),
            **known[key].as_json(),
            "summed": is_of_sums(key),
            "values": [each.test.get(key) for each in folds.scores],
        }
        for key in keys
    ]
    rows = [
        {
            "fold": each.number,
            "repeat": each.number // folds.folds,
            "n": each.n_test,
            "scores": {key: each.test.get(key) for key in keys},
        }
        for each in folds.scores
    ]
    return {"scores": scores, "folds": rows, "repeats": folds.repeats, "curves": _curves(joined.evaluations)}


def _curves(evaluations: tuple[Evaluation, ...]) -> list[dict[str, Any]]:
    """The curves of the rarest classes, of each fold and their mean."""
    first = evaluations[0]
    task = first.predictions.task
    order = [c for c in np.argsort(first.train_counts, kind="stable").tolist() if c in task.reported_classes]
    found = []
    for c in order[:MAX_CLASSES]:
        rankings = {number: each.rankings[c] for number, each in enumerate(evaluations) if each.rankings[c].is_defined}
        if rankings:
            mean = mean_roc(list(rankings.values()))
            shown = list(rankings.items())[:MAX_FOLDS]
            found.append(
                {
                    "name": visible(task.classes[c]),
                    "folds": [{"fold": number, "roc": _roc(r), "pr": _pr(r)} for number, r in shown],
                    "mean": {"roc": _line(mean.x, mean.mean), "pr": _mean_pr(list(rankings.values()))},
                    "auroc": float(np.mean([each.auroc for each in rankings.values()])),
                    "average_precision": float(np.mean([each.average_precision for each in rankings.values()])),
                    "undefined": len(evaluations) - len(rankings),
                }
            )
    return found


def _roc(ranking: Ranking) -> dict[str, list[float]]:
    curve = ranking.curve()
    return _line(curve.fp / ranking.n_negative, curve.tp / ranking.n_positive)


def _pr(ranking: Ranking) -> dict[str, list[float]]:
    return _line(ranking.tp / ranking.n_positive, ranking.tp / (ranking.tp + ranking.fp))


def _mean_pr(rankings: list[Ranking]) -> dict[str, list[float]]:
    """The mean precision at each hundredth of recall: of the highest threshold that reaches it in each fold."""
    recall = np.arange(1, 101) / 100
    precision = [
        (each.tp / (each.tp + each.fp))[np.searchsorted(each.tp, np.ceil(recall * each.n_positive - 1e-9))]
        for each in rankings
    ]
    return _line(recall, np.mean(precision, 0))


def _line(x: Any, y: Any) -> dict[str, list[float]]:
    kept = needed_vertices(np.stack([x, y], 1))
    return {"x": np.round(x[kept], DIGITS).tolist(), "y": np.round(y[kept], DIGITS).tolist()}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
