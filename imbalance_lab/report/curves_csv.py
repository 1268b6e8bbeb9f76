"""`curves.csv`: the exact curves of every class."""

import csv
from collections.abc import Sequence
from pathlib import Path

from imbalance_lab.files import atomic_write
from imbalance_lab.metrics import Ranking
from imbalance_lab.text import csv_cell

BLOCK = 2**14
"""Vertices that are written at once."""


def write_curves(path: Path, names: Sequence[str], rankings: Sequence[Ranking]) -> None:
    """Write every vertex of every class's curves; thresholds are log-odds, tpr is recall; names as `csv_cell`."""
    with atomic_write(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "threshold", "tp", "fp", "tpr", "fpr", "precision"])
        for name, ranking in zip(names, rankings, strict=True):
            if not ranking.is_defined:
                continue
            curve, cell = ranking.curve(), csv_cell(name)
            tpr, fpr = curve.tp / ranking.n_positive, curve.fp / ranking.n_negative
            for start in range(0, len(tpr), BLOCK):  # as Python's numbers, a million vertices would take 200 MB
                part = slice(start, start + BLOCK)
                columns = (each[part].tolist() for each in (curve.threshold, curve.tp, curve.fp, tpr, fpr))
                rows = zip(*columns, strict=True)
                writer.writerows((cell, *row, row[1] / (row[1] + row[2]) if row[1] + row[2] else "") for row in rows)
