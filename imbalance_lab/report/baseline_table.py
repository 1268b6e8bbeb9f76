"""The baselines in the terminal, and the log loss and Brier score of the run."""

from collections.abc import Mapping

from rich.table import Table

from imbalance_lab.evaluation.baselines import BaselineReport
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.report.baseline_texts import baseline_sentences, left_out_lines, signed_interval
from imbalance_lab.report.terminal import interval, number, plain_table


def baseline_table(report: BaselineReport | None) -> Table | None:
    """The run and its baselines, a row each; None without baselines."""
    if report is None or not report.baselines:
        return None
    table = plain_table("Baselines, trained on the same rows", "tables/baselines.csv")
    table.add_name_column("model")
    table.add_number_columns(("AUROC [95 % CI]", 1), ("AP", 4), ("log loss", 5), ("Brier", 6))
    table.add_number_columns(("AUROC, run − it [CI]", 0), ("p", 2))
    table.add_row("this run", *_scores(report.run), "", "")
    for each in report.baselines:
        compared = each.differences["auroc"]
        table.add_row(each.name, *_scores(each.scores), signed_interval(compared), p_value(compared.adjusted_p))
    table.caption = "log loss, Brier: after calibration; p, CI: after Holm"
    return table


def baseline_lines(report: BaselineReport | None) -> list[str]:
    """Whether the run beats the baselines, and which could not be trained."""
    return [*baseline_sentences(report), *left_out_lines(report)]


def probability_lines(data: ReportData) -> list[str]:
    """Log loss and Brier score on test, a line each: after post-processing, and before."""
    scores = data.probability_scores
    if scores is None:
        return []
    word = "calibrated" if data.test_adjusted is None else "post-processed"
    lines = []
    for label, name in (("log loss", "log_loss"), ("Brier score", "brier_score")):
        raw, processed = number(scores.raw[name], 4), number(scores.processed[name], 4)
        lines.append(
            f"{label:18} {raw}" if scores.raw == scores.processed else f"{label:18} {processed} {word}, {raw} raw"
        )
    return lines


def p_value(p: float) -> str:
    """A p-value, never 0."""
    return "–" if p != p else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _scores(scores: Mapping[str, Score]) -> list[str]:
    losses = [number(scores[name].value, 4) for name in ("log_loss", "brier_score")]
    return [interval(scores["auroc"]), number(scores["average_precision"].value), *losses]
