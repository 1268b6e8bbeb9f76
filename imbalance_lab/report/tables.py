"""The tables of the report as CSV files, every row of the full data."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.files import atomic_write


def write_tables(directory: Path, scores: Mapping[str, Any], test: Evaluation, told: Mapping[str, Any]) -> None:
    """Write ``directory/NAME.csv``: scores, classes, confusion, reliability, histograms, operating_point.

    Args:
        directory: where to; made if it is not there.
        scores: what `metrics.json` holds.
        test: the scores on test, for the confusion matrix.
        told: what the page's script draws (see `imbalance_lab.report.page.build_report_data`).
    """
    for name, rows in _tables(scores, test, told):
        _write(directory / f"{name}.csv", [_flat(row) for row in rows])


def _tables(
    scores: Mapping[str, Any], test: Evaluation, told: Mapping[str, Any]
) -> Iterable[tuple[str, Iterable[Mapping[str, Any]]]]:
    names = test.predictions.classes
    splits = {split: each for split in ("val", "test", "test_adjusted") if (each := scores[split])}
    yield (
        "scores",
        [
            {"split": split, "score": score, **(value if isinstance(value, dict) else {"value": value})}
            for split, each in splits.items()
            for score, value in each.items()
            if score not in ("classes", "n", "recall_by_shot_group")
        ],
    )
    yield "classes", [{"split": split, **row} for split, each in splits.items() for row in each["classes"]]
    if test.confusion is not None:
        true, decided = np.nonzero(test.confusion)
        yield (
            "confusion",
            [
                {"true": names[i], "decided": names[j], "n": test.confusion[i, j]}
                for i, j in zip(true, decided, strict=True)
            ],
        )
    yield (
        "reliability",
        [
            # In columns of their own: a class may be called "decision".
            {"of": "decision", "class": None, **each} if c is None else {"of": "class", "class": names[c], **each}
            for group in told["reliability"]
            for c in [group["class"]]
            for each in group["bins"]
        ],
    )
    yield "histograms", [row for group in told["scores"] for row in _histogram(names[group["class"]], group)]
    yield "operating_point", [{**row, "class": names[row["class"]]} for row in told["point"]["rows"]]


def _histogram(name: str, group: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    ends = zip(group["edges"], group["edges"][1:], group["positive"], group["negative"], strict=False)
    for low, high, positive, negative in ends:
        yield {"class": name, "log_odds_from": low, "log_odds_to": high, "positives": positive, "negatives": negative}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
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
        writer.writerows(rows)
