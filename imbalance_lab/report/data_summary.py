"""The data summary in the terminal."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.data.summary import DataSummary
from imbalance_lab.report.evaluation_table import listed_classes, rarest_caption
from imbalance_lab.report.terminal import console, plain_table, print_sentence

MAX_LINES, MAX_FULL_LINES = 8, 20
"""Errors and warnings in the short and in the full form."""


def print_summary(summary: DataSummary, file: str, *, full: bool) -> None:
    """Print the totals, guesses, errors and warnings.

    Args:
        summary: of the data.
        file: where all of it is.
        full: with the table of classes, and more warnings.
    """
    if full:
        console().print(summary_table(summary, file))
    print_sentence(_totals(summary))
    most = MAX_FULL_LINES if full else MAX_LINES
    kinds = (("note", summary.guesses, None), ("error", summary.errors, "red"), ("warning", summary.warnings, "yellow"))
    for what, sentences, style in kinds:
        for each in sentences[:most]:
            print_sentence(f"{what}: {each}", style)
        if len(sentences) > most:
            print_sentence(f"and {len(sentences) - most} more {what}s, in {file}")


def print_notes(notes: Sequence[str], guesses: Sequence[str] = ()) -> None:
    """Print remarks on the data, and what was taken for granted in reading them, a line each."""
    for each in guesses:
        print_sentence(f"note: {each}")
    for each in notes:
        print_sentence(f"warning: {each}", "yellow")


def _totals(summary: DataSummary) -> str:
    groups = [each.group for each in summary.classes]
    sizes = ", ".join(f"{groups.count(group)} {group}" for group in ("many", "medium", "few") if group in groups)
    counts = " + ".join(f"{n:,} {split}" for split, n in summary.examples.items())
    factor = "" if summary.imbalance_factor is None else f", imbalance factor {summary.imbalance_factor:.3g}"
    return f"{counts} examples of {len(summary.classes)} classes ({sizes}){factor}"


def summary_table(summary: DataSummary, file: str) -> Table:
    """Per class: examples, group, expected number in a batch, half width of the AUROC interval on validation."""
    table = plain_table("The data, before training", file)
    table.add_name_column()
    splits = list(summary.examples)
    table.add_number_columns(*((split, 0 if split == "train" else 1) for split in splits))
    table.add_number_columns(("group", 4), ("a batch", 3), ("AUROC ±", 2))
    table.columns[1 + len(splits)].justify = "left"
    shown = listed_classes([each.train for each in summary.classes])
    for each in (summary.classes[c] for c in shown):
        half = "–" if each.auroc_width is None else f"{each.auroc_width / 2:.3f}"
        counts = (f"{getattr(each, split):,}" for split in splits)
        table.add_row(each.name, *counts, each.group, f"{each.per_batch:.{1 if each.per_batch >= 1 else 2}f}", half)
    table.caption = rarest_caption(shown, len(summary.classes))
    return table
