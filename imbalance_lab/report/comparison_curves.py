"""The curves of `comparison.html` as plain values: of the best settings and the rarest classes, and the epochs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imbalance_lab.evaluation.comparison_curves import MeanCurve, class_curves, mean_auroc_history
from imbalance_lab.evaluation.comparison_data import ComparedRuns, ComparisonData
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.report.simplify_curve import needed_vertices

MAX_SETTINGS, MAX_CLASSES, MAX_EPOCH_SETTINGS = 6, 12, 8
"""Curves are drawn of the best settings and the rarest classes."""

DIGITS = 5
"""A hundred-thousandth of the plot's width or height cannot be seen."""


def curves(group: ComparedRuns, data: ComparisonData) -> dict[str, Any]:
    """The mean curves of the settings tested on the same examples, and how much is left out."""
    replicates = [
        (place, [group.evaluations[run.name] for run in setting.runs if run.name in group.evaluations])
        for place, setting in enumerate(data.settings)
    ]
    settings = [(place, evaluations) for place, evaluations in replicates if evaluations]
    if not settings:
        return {"classes": [], "curves": [], "settings_left_out": 0, "classes_left_out": 0}
    task = settings[0][1][0].predictions.task
    ranked = [c for c in group.rarest_ranked if c in task.reported_classes]
    return {
        "classes": [(c, task.classes[c]) for c in ranked[:MAX_CLASSES]],
        "curves": [
            _curves_of_class(place, evaluations, c)
            for c in ranked[:MAX_CLASSES]
            for place, evaluations in settings[:MAX_SETTINGS]
        ],
        "of_folds": any(run.folds is not None for setting in data.settings for run in setting.runs),
        "settings_left_out": max(len(settings) - MAX_SETTINGS, 0),
        "classes_left_out": max(len(ranked) - MAX_CLASSES, 0),
    }


def epochs(data: ComparisonData) -> list[dict[str, Any]]:
    """The mean validation AUROC over the epochs of the best settings that logged any."""
    found = []
    for place, setting in enumerate(data.settings):
        histories = [data.histories[run.name] for run in setting.runs if run.name in data.histories]
        mean = mean_auroc_history(histories)
        if len(mean.x):
            found.append({"setting": place, "n": mean.n, **_values(mean)})
    return found[:MAX_EPOCH_SETTINGS]


def _curves_of_class(place: int, evaluations: Sequence[Evaluation], c: int) -> dict[str, Any]:
    found = class_curves([each.rankings[c] for each in evaluations])
    decades = np.log10(max(found.n_negative, 10))
    on_log_axis = 1 + np.log10(np.maximum(found.roc.x, 0.5 / found.n_negative)) / decades
    return {
        "setting": place,
        "class": c,
        "n": len(evaluations),
        "n_positive": found.n_positive,
        "n_negative": found.n_negative,
        "auroc": found.auroc,
        "average_precision": found.average_precision,
        "roc": _values(found.roc, found.roc.x, on_log_axis),
        "pr": _values(found.pr, found.pr.x),
    }


def _values(curve: MeanCurve, *axes: np.ndarray) -> dict[str, Any]:
    """The vertices that the mean and the range need for the eye over any of ``axes``, each (V,); all without one."""
    lines = [curve.mean] if curve.n == 1 else [curve.mean, curve.low, curve.high]
    kept = np.full(len(curve.x), not axes)
    for x in axes:
        for y in lines:
            kept |= needed_vertices(np.stack([x, y], 1))
    x, mean, low, high = (
        values[kept].round(DIGITS).tolist() for values in (curve.x, curve.mean, curve.low, curve.high)
    )
    return {"x": x, "mean": mean, "low": None if curve.n == 1 else low, "high": None if curve.n == 1 else high}
