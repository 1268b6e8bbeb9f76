"""`report.html`: everything about one run on one page, from the files of its directory."""

import base64
import csv
import json
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.evaluation.evaluation import FEW_POSITIVES, Evaluation, defined
from imbalance_lab.evaluation.mistakes import Mistake, read_mistakes
from imbalance_lab.files import atomic_write
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import PostProcessor, Threshold
from imbalance_lab.posthoc.activation import one_hot
from imbalance_lab.posthoc.threshold import Scores
from imbalance_lab.report.html import render_page
from imbalance_lab.report.simplify_curve import simplify_curve
from imbalance_lab.report.verdict import verdict
from imbalance_lab.tags import MONITOR, score_tag

MOST_CURVES, MOST_IN_MATRIX, BINS = 40, 40, 10


def write_page(directory: Path, told: dict[str, Any]) -> Path:
    """Write ``directory/report.html``, which shows what `build_report_data` collected."""
    page = directory / "report.html"
    text = render_page("report", directory.name, told)
    with atomic_write(page) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return page


def build_report_data(
    directory: Path, val: Evaluation, test: Evaluation, postprocessor: PostProcessor, on_test: Sequence[Threshold | str]
) -> dict[str, Any]:
    """What the page's script draws, as plain values.

    Args:
        directory: a run's, with `metrics.json` and `run.json`; what else is there is shown too.
        val, test: the scores of its stored predictions.
        postprocessor: its operating point, with the thresholds' counts on test in ``on_test``.
    """
    about = _read(directory / "run.json")
    scores = _read(directory / "metrics.json")
    ranked = _rarest(test)
    shown = ranked[:MOST_CURVES]
    log_odds = postprocessor.log_odds(test.predictions.logits)
    positive = one_hot(test.predictions.target, len(test.predictions.classes))
    note = "Each label is decided by itself, at probability ½." if test.predictions.is_multilabel else ""
    return {
        "kind": "Imbalance Lab · one run",
        "title": directory.name,
        "verdict": verdict(test),
        "headline": _headline(scores, test),
        "classes_note": f"On {scores['test']['n']:,} test examples. Click a heading to sort. × prevalence is average "
        f"precision over the class's share in test; classes with fewer than {FEW_POSITIVES} positives are marked. "
        + note,
        "classes": [{**each, "lift": _lift(each, scores["test"]["n"])} for each in scores["test"]["classes"]],
        "curves": [_curve(test, c) for c in shown],
        "curves_note": f"The {len(shown)} rarest of {len(ranked)} classes are drawn."
        if len(ranked) > len(shown)
        else "",
        "confusion": _confusion(test),
        "reliability": _reliability(test, postprocessor, positive, shown),
        "scores": [_distribution(c, log_odds[:, c], positive[:, c], postprocessor.thresholds[c]) for c in shown],
        "epochs": _epochs(directory / "metrics.csv"),
        "counts": [
            {"split": "train", "counts": [each.train_count for each in test.classes]},
            {"split": "val", "counts": [each.n_positive for each in val.classes]},
            {"split": "test", "counts": [each.n_positive for each in test.classes]},
        ],
        "point": _operating_point(postprocessor, on_test),
        "mistakes": _mistakes(directory / "predictions" / "mistakes.parquet", test.predictions.classes),
        "about": _about(directory, about),
        "footer": f"Imbalance Lab {about['versions']['imbalance-lab']}. All numbers are of the full data; curves leave "
        "out only vertices that no eye could tell.",
    }


def _rarest(test: Evaluation) -> list[int]:
    """Classes that have a curve, the rarest in training first."""
    order = np.argsort(test.train_counts, kind="stable").tolist()
    return [c for c in order if test.rankings[c].is_defined]


def _headline(scores: dict[str, Any], test: Evaluation) -> list[dict[str, Any]]:
    """The scores at the top, on test."""
    names = {
        "auroc": "macro AUROC",
        "average_precision": "macro average precision",
        "balanced_accuracy": "balanced accuracy",
        "accuracy": "every label right" if test.predictions.is_multilabel else "accuracy",
    }
    told = [{"name": name, **_valued(scores["test"][key])} for key, name in names.items() if scores["test"].get(key)]
    if test.n_defined < len(test.classes):
        told[0]["note"] = f"over {test.n_defined} of {len(test.classes)} classes"
    if scores["test_adjusted"]:
        adjusted = scores["test_adjusted"]["balanced_accuracy"]
        told.append({"name": "balanced accuracy for the class shares asked for", **_valued(adjusted)})
    return told


def _valued(score: dict[str, Any]) -> dict[str, Any]:
    return {"value": score["value"], "ci95": score["ci95"]}


def _lift(scores: dict[str, Any], n: int) -> float | None:
    value = scores["average_precision"]["value"]
    return None if value is None or not scores["n_positive"] else value * n / scores["n_positive"]


def _curve(test: Evaluation, c: int) -> dict[str, Any]:
    ranking = test.rankings[c]
    curve = simplify_curve(ranking)
    return {
        "class": c,
        "n_positive": ranking.n_positive,
        "n_negative": ranking.n_negative,
        "fp": curve.fp.tolist(),
        "tp": curve.tp.tolist(),
        "threshold": [round(float(t), 5) if math.isfinite(t) else None for t in curve.threshold],
    }


def _confusion(test: Evaluation) -> dict[str, Any] | None:
    """The matrix, or of many classes that of those which are confused most; None of labels."""
    matrix = test.confusion
    if matrix is None:
        return None
    wrong = matrix.sum(1) + matrix.sum(0) - 2 * matrix.diagonal()
    shown = sorted(np.argsort(-wrong, kind="stable")[:MOST_IN_MATRIX].tolist())
    left_out = len(matrix) - len(shown)
    return {
        "classes": shown,
        "counts": matrix[np.ix_(shown, shown)].tolist(),
        "totals": matrix.sum(1)[shown].tolist(),
        "note": f" The {len(shown)} most confused of {len(matrix)} classes." if left_out else "",
    }


def _reliability(
    test: Evaluation, postprocessor: PostProcessor, positive: NDArray[np.bool_], shown: Sequence[int]
) -> list[dict[str, Any]]:
    """Of the decision, if it is one, and of each class: bins of equally many examples by the calibrated probability."""
    shares = postprocessor.probability(test.predictions.logits)
    of_classes = [{"class": c, "bins": _bins(shares[:, c], positive[:, c])} for c in shown]
    if test.predictions.is_multilabel:
        return of_classes
    return [{"class": None, "bins": _bins(shares.max(1), shares.argmax(1) == test.predictions.target)}, *of_classes]


def _bins(p: Any, one_hot: Any) -> list[dict[str, Any]]:
    edges = np.unique(np.quantile(p, np.linspace(0, 1, BINS + 1)[1:-1])) if len(p) else np.empty(0)
    where = np.searchsorted(edges, p, "left")
    bins = []
    for each in np.unique(where):
        inside = where == each
        n, hits = int(inside.sum()), int(one_hot[inside].sum())
        ends = wilson_interval(hits, n)
        assert ends is not None
        low, high = ends
        bins.append({"n": n, "mean": float(p[inside].mean()), "share": hits / n, "low": low, "high": high})
    return bins


def _distribution(c: int, scores: Scores, positive: NDArray[np.bool_], threshold: Threshold | str) -> dict[str, Any]:
    """Histograms of the class's log-odds, as the thresholds see them."""
    low, high = np.quantile(scores, [0.001, 0.999])
    edges = np.linspace(min(low, scores[positive].min()), max(high, scores[positive].max()) + 1e-6, 49)
    inside = np.clip(scores, edges[0], edges[-1])
    return {
        "class": c,
        "edges": [round(float(edge), 4) for edge in edges],
        "positive": np.histogram(inside[positive], edges)[0].tolist(),
        "negative": np.histogram(inside[~positive], edges)[0].tolist(),
        "cut": threshold.log_odds if isinstance(threshold, Threshold) and math.isfinite(threshold.log_odds) else None,
    }


def _epochs(path: Path) -> dict[str, Any] | None:
    """Validation AUROC and losses of every epoch; None where nothing was logged."""
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("epoch") and row.get(MONITOR)]
    if not rows:
        return None

    def column(name: str) -> list[float | None]:
        return [defined(float(row[name])) if row.get(name) else None for row in rows]

    auroc = column(MONITOR)
    return {
        "epoch": [int(float(row["epoch"])) + 1 for row in rows],  # people count from one
        "auroc": auroc,
        "val_loss": column(score_tag("val", "loss")),
        "train_loss": column(score_tag("train", "loss")),
        "kept": int(np.argmax([-math.inf if value is None else value for value in auroc])),
    }


def _operating_point(postprocessor: PostProcessor, on_test: Sequence[Threshold | str]) -> dict[str, Any]:
    rule = next((threshold.rule for threshold in postprocessor.thresholds if isinstance(threshold, Threshold)), None)
    how = f"Thresholds by {rule}, chosen on validation." if rule else "No threshold could be chosen."
    calibration = postprocessor.calibration.as_json()
    told = f"{how} Calibration: temperature {calibration['temperature']:.3g}." if "temperature" in calibration else how
    if postprocessor.adjustment is not None and postprocessor.prior is not None:
        told += f" Probabilities are for the class shares {', '.join(f'{share:.3g}' for share in postprocessor.prior)}."
    return {
        "note": f"{told} Counts are on test.",
        "rows": [_threshold_row(c, threshold) for c, threshold in enumerate(on_test)],
    }


def _threshold_row(c: int, threshold: Threshold | str) -> dict[str, Any]:
    """What a threshold costs: who is missed, and how many alarms it takes for one that is true."""
    if isinstance(threshold, str):
        empty = ("threshold", "tp", "n_positive", "missed", "fp", "alarms_each", "recall", "precision")
        return {"class": c, **dict.fromkeys(empty), "refused": threshold}
    return {
        "class": c,
        "threshold": threshold.threshold,
        "tp": threshold.tp,
        "n_positive": threshold.n_positive,
        "missed": threshold.n_positive - threshold.tp,
        "fp": threshold.fp,
        "alarms_each": (threshold.tp + threshold.fp) / threshold.tp if threshold.tp else None,
        "recall": defined(threshold.recall),
        "precision": defined(threshold.precision),
        "refused": None,
    }


def _mistakes(path: Path, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Thumbnails or names, by class and kind."""
    groups: dict[tuple[int, str], list[Mistake]] = {}
    for mistake in read_mistakes(path) if path.is_file() else []:
        groups.setdefault((mistake.of_class, mistake.kind), []).append(mistake)
    titles = {"missed": "{} that were taken for something else", "false alarm": "taken for {}, but are not"}
    of_labels = {"missed": "{} that were not found", "false alarm": titles["false alarm"]}
    return [
        {
            "title": (of_labels if group[0].decided is None else titles)[kind].format(classes[of_class] or "(no name)"),
            "examples": [
                {
                    "told": _told(each, classes),
                    "probability": each.probability,
                    "name": each.name,
                    "image": each.png and f"data:image/png;base64,{base64.b64encode(each.png).decode()}",
                }
                for each in group
            ],
        }
        for (of_class, kind), group in groups.items()
    ]


def _told(mistake: Mistake, classes: Sequence[str]) -> str:
    """What was decided of someone who was missed; what someone is who was taken for another."""
    if mistake.target is None or mistake.decided is None:  # a label, which was told apart from nothing but its absence
        return f"→ {'not ' * (mistake.kind == 'missed')}{classes[mistake.of_class]}"
    return f"→ {classes[mistake.decided]}" if mistake.kind == "missed" else f"is {classes[mistake.target]}"


def _about(directory: Path, about: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(title, text, whether it is folded away)."""
    versions = "\n".join(f"{name} {version}" for name, version in about["versions"].items())
    told = [("command", about["command"], False)]
    run = f"seed {about['seed']}\ncheckpoint {about['checkpoint']}"
    status = directory / "status.json"
    if status.is_file():
        run += "".join(f"\n{key} {value}" for key, value in _duration(_read(status)).items())
    told += [("run", run, False), ("versions", versions, True)]
    config = directory / ".hydra" / "config.yaml"
    if config.is_file():
        told.append(("configuration", config.read_text(encoding="utf-8").rstrip(), True))
    return told


def _duration(status: dict[str, Any]) -> dict[str, str]:
    started = datetime.fromisoformat(status["started"])
    seconds = status.get("seconds") or (datetime.now().astimezone() - started).total_seconds()
    minutes, rest = divmod(round(seconds), 60)
    return {"started": status["started"], "duration": f"{minutes} min {rest} s" if minutes else f"{rest} s"}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
