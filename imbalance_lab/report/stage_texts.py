"""Both stages of a training in words and in the terminal."""

from rich.table import Table

from imbalance_lab.evaluation.stages import StageReport, StageScores
from imbalance_lab.report.baseline_table import p_value
from imbalance_lab.report.baseline_texts import signed_interval
from imbalance_lab.report.decision_text import quoted
from imbalance_lab.report.terminal import number, plain_table

TITLES = {
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "average_precision": "average precision",
}
"""The scores of both stages."""


def stage_table(report: StageReport | None) -> Table | None:
    """A row a score: stage 1, stage 2, and their difference, on test; None for a run of one stage."""
    if report is None:
        return None
    first, second = report.stage_1, report.stage_2
    table = plain_table("Both stages on test, before post-processing", "tables/stages.csv")
    table.add_name_column("score")
    table.add_number_columns((f"stage 1{_epoch(first)}", 2), (f"stage 2{_epoch(second)}", 1))
    table.add_number_columns(("stage 2 − stage 1 [95 % CI]", 0), ("p", 3))
    for name, title in TITLES.items():
        compared = report.differences[name]
        difference = signed_interval(compared), p_value(compared.adjusted_p)
        table.add_row(title, number(first.test[name].value), number(second.test[name].value), *difference)
    for group in second.recall if len(second.recall) > 1 else ():
        table.add_row(f"recall, {group}", number(first.recall[group]), number(second.recall[group]), "", "")
    return table


def stage_sentences(report: StageReport | None) -> list[str]:
    """One sentence: whether stage 2 has changed the balanced accuracy; none for a run of one stage."""
    if report is None:
        return []
    compared = report.differences["balanced_accuracy"]
    if not compared.is_distinguishable:
        return [f"Stage 2 does not distinguishably change the balanced accuracy: {signed_interval(compared)}."]
    verb = "raises" if compared.comparison.difference > 0 else "lowers"
    return [f"Stage 2 {verb} the balanced accuracy: {signed_interval(compared)}."]


def stage_note(report: StageReport) -> str:
    """What the section of the page says about its table."""
    of = "" if report.of_class is None else f"; AUROC and average precision are of {quoted(report.of_class)}"
    return (
        f"Stage 1 trains the whole net (its best model: {_named(report.stage_1)}), stage 2 the head alone "
        f"({_named(report.stage_2)}). Scores on test are before post-processing{of}; differences are in pairs."
    )


def _epoch(stage: StageScores) -> str:
    return "" if stage.epoch is None else f", epoch {stage.epoch}"


def _named(stage: StageScores) -> str:
    return "its last epoch" if stage.epoch is None else f"epoch {stage.epoch}"
