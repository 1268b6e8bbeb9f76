"""The table of thresholds."""

from io import StringIO

import numpy as np
from rich.console import Console

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.posthoc import Threshold
from imbalance_lab.report.threshold_table import listed_thresholds, missing_threshold_lines, threshold_table


def printed(table):
    out = StringIO()
    Console(width=100, file=out).print(table)
    return out.getvalue()


def test_a_class_shows_both_splits_a_star_for_few_positives_and_dashes_without_a_threshold():
    chosen = [Threshold("max F1", 0.0, 45, 5, 50, 500), Threshold("max F1", 1.0, 9, 1, 10, 500), "too few positives"]
    tested = [Threshold("max F1", 0.0, 80, 20, 100, 900), Threshold("max F1", 1.0, 6, 6, 12, 900), "too few positives"]
    many, few, none = printed(threshold_table(["ant", "bee", "cat"], chosen, tested)).splitlines()[-3:]
    assert many.split()[:4] == ["ant", "0.5000", "0.900", "0.900"]
    assert many.count("0.800 [0.711, 0.867]") == 2
    assert few.count("]*") == 2
    assert none.split() == ["cat", "–", "–", "–", "–", "–"]
    assert missing_threshold_lines(["ant", "bee", "cat"], chosen) == ["no threshold for cat: too few positives"]


def evaluated(n_classes):
    target = np.arange(n_classes)
    logits = np.eye(n_classes, dtype=np.float32)
    predictions = Predictions.of(tuple(f"c{c}" for c in range(n_classes)), target, target, logits)
    return Evaluation(predictions, [100 + c for c in range(n_classes)][::-1])


def test_of_many_classes_the_rarest_that_have_a_threshold_are_listed():
    threshold = Threshold("max F1", 0.0, 45, 5, 50, 500)
    chosen = ["too few" if c % 2 else threshold for c in range(60)]
    lines = printed(listed_thresholds(evaluated(60), chosen, chosen)).splitlines()
    assert [line.split()[0] for line in lines if line.startswith("c") and "class" not in line] == [
        f"c{c}" for c in range(58, 28, -2)
    ]
    assert lines[-1] == "the 15 rarest classes that have a threshold; more in tables/operating_point.csv"


def test_without_any_threshold_there_is_no_table_and_of_a_binary_task_there_is_one_row():
    threshold = Threshold("max F1", 0.0, 45, 5, 50, 500)
    assert listed_thresholds(evaluated(60), ["too few"] * 60, ["too few"] * 60) is None
    assert listed_thresholds(evaluated(3), ["too few"] * 3, ["too few"] * 3) is None
    both = [threshold, threshold]
    rows = printed(listed_thresholds(evaluated(2), both, both)).splitlines()[3:]
    assert [row.split()[0] for row in rows] == ["c1"]
