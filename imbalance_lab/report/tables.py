"""The tables of the report as CSV files, every row of the full data.

Text that a spreadsheet would calculate begins with an apostrophe: `imbalance_lab.text.csv_cell`.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imbalance_lab.evaluation.baselines import BaselineReport
from imbalance_lab.evaluation.decision_curve import DecisionCurve
from imbalance_lab.evaluation.operating_point import ThresholdResult
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.stages import StageReport
from imbalance_lab.files import atomic_write
from imbalance_lab.text import csv_cell

Rows = Iterable[Mapping[str, Any]]


def write_tables(directory: Path, scores: Mapping[str, Any], data: ReportData) -> None:
    """Write ``directory/NAME.csv``: scores, classes, confusion, reliability, histograms, operating_point.

    And prediction_sets, slices, baselines and stages, if there are any; of a binary task decision_curve and enrichment.

    Args:
        directory: the folder, created if absent.
        scores: the content of `metrics.json`.
        data: all data of the report.
    """
    splits = {split: each for split in ("val", "test", "test_adjusted") if (each := scores[split])}
    tables: dict[str, Rows] = {
        "scores": _scores(splits),
        "classes": [{"split": split, **row} for split, each in splits.items() for row in each["classes"]],
        **({} if data.test.confusion is None else {"confusion": _confusion(data.test.confusion, data.classes)}),
        "reliability": _reliability(data),
        "histograms": _histograms(data),
        "operating_point": [_threshold(each) for each in data.operating_point.thresholds],
    }
    if data.benefit is not None:
        tables["decision_curve"] = _decision_curve(data.benefit.decision_curve)
        tables["enrichment"] = [each.as_json() for each in data.benefit.gains.enrichments]
    if data.prediction_sets is not None:
        tables["prediction_sets"] = [each.as_json() for each in data.prediction_sets.classes]
    if data.baselines is not None:
        tables["baselines"] = _baselines(data.baselines)
    if data.stages is not None:
        tables["stages"] = _stages(data.stages)
    if data.slices is not None:
        tables["slices"] = [
            {"class": data.classes[each.class_index], **result.as_json()}
            for each in data.slices.classes
            for result in each.results
        ]
    for name, rows in tables.items():
        _write(directory / f"{name}.csv", [_flatten(row) for row in rows])


def _threshold(result: ThresholdResult) -> Mapping[str, Any]:
    """What a class's threshold does on validation and on test; without one the reason."""
    row: dict[str, Any] = {"class": result.name, "threshold": result.threshold}
    for prefix, counts in (("", result.on_test), ("val_", result.on_val)):
        row |= {f"{prefix}{key}": value for key, value in ({} if counts is None else counts.as_json()).items()}
    return {**row, "reason": result.reason or None}


def _scores(splits: Mapping[str, Mapping[str, Any]]) -> Rows:
    for split, scores in splits.items():
        for score, value in scores.items():
            if score not in ("classes", "n") and not score.endswith("_by_shot_group"):
                yield {"split": split, "score": score, **(value if isinstance(value, dict) else {"value": value})}


def _baselines(report: BaselineReport) -> Rows:
    """The run first; then each baseline with the run's differences to it."""
    yield {"model": "this run", "about": None, **{name: score.as_json() for name, score in report.run.items()}}
    for each in report.baselines:
        row: dict[str, Any] = {"model": each.name, "about": each.about}
        row |= {name: score.as_json() for name, score in each.scores.items()}
        for name, compared in each.differences.items():
            found = compared.as_json()
            row[f"{name}_difference"] = {"value": found["difference"], "ci95": found["ci95"]}
            row |= {f"{name}_p": found["p"], f"{name}_p_holm": found["p_holm"]}
        yield row


def _stages(report: StageReport) -> Rows:
    """A score of both stages a row, on validation and on test, there with their difference."""
    stages = {"stage_1": report.stage_1, "stage_2": report.stage_2}
    for name, compared in report.differences.items():
        yield {"split": "val", "score": name, **{key: each.val[name].as_json() for key, each in stages.items()}}
        found = compared.as_json()
        yield {
            "split": "test",
            "score": name,
            **{key: each.test[name].as_json() for key, each in stages.items()},
            "difference": {"value": found["difference"], "ci95": found["ci95"]},
            "p": found["p"],
        }


def _confusion(matrix: np.ndarray, classes: Sequence[str]) -> Rows:
    """The cells that are not zero."""
    for i, j in np.argwhere(matrix).tolist():
        yield {"true": classes[i], "predicted": classes[j], "n": matrix[i, j]}


def _reliability(data: ReportData) -> Rows:
    for curve in data.reliability:
        c = curve.class_index
        of = {"curve": "predicted class" if c is None else "class", "class": None if c is None else data.classes[c]}
        for each in curve.bins:
            share = {"value": each.positive_share, "ci95": each.interval}
            yield {**of, "n": each.n, "mean_probability": each.mean_probability, "positive_share": share}


def _histograms(data: ReportData) -> Rows:
    for each in data.histograms:
        ends = zip(each.edges, each.edges[1:], each.positive, each.negative, strict=False)
        for low, high, positive, negative in ends:
            yield {
                "class": data.classes[each.class_index],
                "log_odds_from": low,
                "log_odds_to": high,
                "positives": positive,
                "negatives": negative,
            }


def _decision_curve(curve: DecisionCurve) -> Rows:
    columns = ("threshold", "net_benefit", "low", "high", "flag_all", "gain_low", "gain_high", "flagged")
    for values in zip(*(getattr(curve, name) for name in columns), strict=True):
        yield dict(zip(columns, values, strict=True))


def _flatten(row: Mapping[str, Any]) -> dict[str, Any]:
    """``{"auroc": {"value": …, "ci95": […]}}`` → ``auroc``, ``auroc_low``, ``auroc_high``; the like without a name."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat[key] = value["value"]
            flat[f"{key}_low"], flat[f"{key}_high"] = value["ci95"] or (None, None)
        elif key == "ci95":
            flat["low"], flat["high"] = value or (None, None)
        else:
            flat[key] = value
    return flat


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with atomic_write(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({key: csv_cell(value) for key, value in row.items()} for row in rows)
