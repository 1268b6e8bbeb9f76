"""The table of thresholds."""

from io import StringIO

from rich.console import Console

from imbalance_lab.posthoc import Threshold
from imbalance_lab.report.threshold_table import threshold_table


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
