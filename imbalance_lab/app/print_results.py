"""What a run prints at its end: its decisions, classes, thresholds and prediction sets."""

from typing import TYPE_CHECKING

from rich.table import Table

from imbalance_lab.report import terminal
from imbalance_lab.report.baseline_table import baseline_lines, baseline_table, probability_lines
from imbalance_lab.report.decision_lines import decision_lines
from imbalance_lab.report.decision_text import missing_threshold_lines
from imbalance_lab.report.evaluation_table import evaluation_table, prior_words, shown_classes, summary_lines
from imbalance_lab.report.set_table import set_lines, set_table
from imbalance_lab.report.slice_texts import slice_lines
from imbalance_lab.report.stage_texts import stage_sentences, stage_table
from imbalance_lab.report.terminal import print_sentence
from imbalance_lab.report.threshold_table import listed_thresholds
from imbalance_lab.report.verdict import selection_sentence

if TYPE_CHECKING:
    from imbalance_lab.app.evaluate import RunResults


def print_results(results: "RunResults", title: str) -> None:
    """Print the tables of an evaluation."""
    data, postprocessor = results
    test, after, point = data.test, data.test_adjusted, data.operating_point
    _print_block(selection_sentence(data) or None)
    decision = decision_lines(point)
    is_decided = bool(decision) and point.binary is not None
    if decision:
        _print_block(title, *decision)
    _print_block(evaluation_table(test, "" if decision else title, "tables/classes.csv", is_decided=is_decided))
    _print_block(*summary_lines(test, is_decided=is_decided), *probability_lines(data))
    if after is not None and postprocessor.prior_correction is not None:
        prior, method = postprocessor.prior, postprocessor.prior_correction.method
        _print_block(f"after {method}:" if prior is None else f"for {prior_words(prior)}:", *summary_lines(after))
    thresholds = listed_thresholds(test, postprocessor.thresholds, data.thresholds_on_test)
    _print_block(None if is_decided else thresholds, *missing_threshold_lines(point))
    if data.prediction_sets is not None:
        table = set_table(data.prediction_sets, shown_classes(test), "tables/prediction_sets.csv")
        _print_block(table, *set_lines(data.prediction_sets))
    _print_block(*slice_lines(data.slices))
    _print_block(stage_table(data.stages), *stage_sentences(data.stages))
    _print_block(baseline_table(data.baselines), *baseline_lines(data.baselines))


def _print_block(*parts: Table | str | None) -> None:
    """Print tables and sentences, and an empty line behind them; nothing if there are none."""
    printed = [part for part in parts if part is not None]
    for part in printed:
        if isinstance(part, str):
            print_sentence(part)
        else:
            terminal.console().print(part)
    if printed:
        terminal.console().print()
