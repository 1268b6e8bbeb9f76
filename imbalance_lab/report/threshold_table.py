"""The thresholds of a run with recall and precision on validation, where they were chosen, and on test."""

from collections.abc import Sequence

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.scores import FEW_POSITIVES, Score
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import Threshold
from imbalance_lab.report.evaluation_table import LISTED, MAX_CLASSES
from imbalance_lab.report.terminal import PlainTable, interval, number, plain_table


def threshold_table(
    classes: Sequence[str], chosen: Sequence[Threshold | str], tested: Sequence[Threshold | str]
) -> PlainTable:
    """Per class: the threshold on its probability, recall and precision on validation and, with intervals, on test."""
    rule = next((threshold.rule for threshold in chosen if isinstance(threshold, Threshold)), "none could be chosen")
    table = plain_table(f"Thresholds chosen on validation: {rule}")
    table.add_name_column()
    table.add_number_columns(("threshold", 0), ("val recall", 3), ("val precision", 4))
    table.add_number_columns(("test recall [95 % CI]", 1), ("precision [95 % CI]", 2))
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


def listed_thresholds(
    test: Evaluation,
    chosen: Sequence[Threshold | str],
    tested: Sequence[Threshold | str],
    more: str | None = "tables/operating_point.csv",
) -> PlainTable | None:
    """`threshold_table` of the reported classes; of many, the rarest that have a threshold. None if none has.

    Args:
        test: the evaluation of the split on which the thresholds are tested.
        chosen, tested: the thresholds on validation and there, (C,).
        more: where those of all classes are.
    """
    task = test.predictions.task
    shown, is_long = list(task.reported_classes), len(task.reported_classes) > MAX_CLASSES
    if is_long:
        having = [c for c in shown if isinstance(chosen[c], Threshold)]
        shown = sorted(having, key=lambda c: test.train_counts[c])[:LISTED]
    if not any(isinstance(chosen[c], Threshold) for c in shown):
        return None
    table = threshold_table([task.classes[c] for c in shown], [chosen[c] for c in shown], [tested[c] for c in shown])
    table.caption = f"the {len(shown)} rarest classes that have a threshold" if is_long else None
    table.more = more
    return table
