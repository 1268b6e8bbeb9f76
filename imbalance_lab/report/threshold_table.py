"""The thresholds of a run with recall and precision on validation, where they were chosen, and on test."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.evaluation.evaluation import FEW_POSITIVES, Score
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import Threshold
from imbalance_lab.report.terminal import interval, number, plain_table


def threshold_table(
    classes: Sequence[str], chosen: Sequence[Threshold | str], tested: Sequence[Threshold | str]
) -> Table:
    """Per class: the threshold on its probability, recall and precision on validation and, with intervals, on test."""
    rule = next((threshold.rule for threshold in chosen if isinstance(threshold, Threshold)), "none could be chosen")
    table = plain_table(f"Thresholds chosen on validation: {rule}")
    table.add_column("class", overflow="ellipsis", max_width=22, no_wrap=True)
    for heading in ("threshold", "val recall", "precision", "test recall [95 % CI]", "precision [95 % CI]"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, on_val, on_test in zip(classes, chosen, tested, strict=True):
        if isinstance(on_val, Threshold) and isinstance(on_test, Threshold):
            recall = Score(on_test.recall, wilson_interval(on_test.tp, on_test.n_positive))
            precision = Score(on_test.precision, wilson_interval(on_test.tp, on_test.tp + on_test.fp))
            cells = [f"{on_val.threshold:.4f}", number(on_val.recall), number(on_val.precision)]
            flag = "*" if 0 < on_test.n_positive < FEW_POSITIVES else ""
            table.add_row(name, *cells, interval(recall) + flag, interval(precision) + flag)
        else:
            table.add_row(name, *"–––––")
    return table
