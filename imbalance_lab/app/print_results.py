"""What a run prints at its end: its decisions, classes, thresholds and prediction sets."""

from typing import TYPE_CHECKING

from imbalance_lab.report import terminal
from imbalance_lab.report.decision_lines import decision_lines
from imbalance_lab.report.decision_text import missing_threshold_lines
from imbalance_lab.report.evaluation_table import evaluation_table, prior_words, shown_classes, summary_lines
from imbalance_lab.report.set_table import set_lines, set_table
from imbalance_lab.report.slice_texts import slice_lines
from imbalance_lab.report.terminal import print_sentence
from imbalance_lab.report.threshold_table import listed_thresholds

if TYPE_CHECKING:
    from imbalance_lab.app.evaluate import RunResults


def print_results(results: "RunResults", title: str) -> None:
    """Print the tables of an evaluation."""
    data, postprocessor = results
    test, after, point, out = data.test, data.test_adjusted, data.operating_point, terminal.console()
    if decision := decision_lines(point):
        for line in (*decision, ""):
            print_sentence(line)
    out.print(evaluation_table(test, title, "tables/classes.csv"))
    for line in ("", *summary_lines(test)):
        print_sentence(line)
    if after is not None and postprocessor.prior is not None:
        for line in (f"\nfor {prior_words(postprocessor.prior)}:", *summary_lines(after)):
            print_sentence(line)
    out.print()
    thresholds = listed_thresholds(test, postprocessor.thresholds, data.thresholds_on_test)
    if thresholds is not None and not (decision and point.binary):  # of a binary task the decision has said it
        out.print(thresholds)
    for line in missing_threshold_lines(point):
        print_sentence(line)
    if data.prediction_sets is not None:
        out.print()
        out.print(set_table(data.prediction_sets, shown_classes(test), "tables/prediction_sets.csv"))
        for line in set_lines(data.prediction_sets):
            print_sentence(line)
    for line in slice_lines(data.slices):
        print_sentence(line)
