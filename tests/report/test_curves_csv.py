import csv

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from imbalance_lab.report import curves_csv
from tests.helpers.rankings import seeded_rankings


@pytest.mark.parametrize("block", [curves_csv.BLOCK, 7])
def test_the_areas_can_be_computed_from_the_table(tmp_path, monkeypatch, block):
    monkeypatch.setattr(curves_csv, "BLOCK", block)
    scores, target, rankings = seeded_rankings(classes=5, absent=(3,))
    odd = ["a", 'b, "quoted"', "c\nd", "absent", "Größe"]
    curves_csv.write_curves(tmp_path / "curves.csv", odd, rankings)
    with (tmp_path / "curves.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["class"] for row in rows)) == [name for name in odd if name != "absent"]
    for c, name in enumerate(odd):
        if name == "absent":
            continue
        own = [row for row in rows if row["class"] == name]
        fpr, tpr, tp, fp = ([float(row[key]) for row in own] for key in ("fpr", "tpr", "tp", "fp"))
        assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(target == c, scores[:, c]))
        assert (tp[-1], tp[-1] + fp[-1]) == ((target == c).sum(), 300)
        precision = [float(row["precision"] or "nan") for row in own]
        assert np.isnan(precision[0])
        steps = np.diff(tpr, prepend=0) > 0
        area = (np.diff(tpr, prepend=0) * precision)[steps].sum()
        assert area == pytest.approx(average_precision_score(target == c, scores[:, c]))
        for row in own[2:-1:2]:  # after each distinct score of a positive
            flagged = scores[:, c] >= float(row["threshold"])
            assert int(row["tp"]) == (flagged & (target == c)).sum()
            assert int(row["fp"]) == (flagged & (target != c)).sum()
