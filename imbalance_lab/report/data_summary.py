"""The data summary in the terminal."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.data.summary import DataSummary
from imbalance_lab.report.terminal import console, plain_table

MAX_ROWS, MAX_LINES = 40, 8
"""Classes in the table, and warnings in the short form."""


def print_summary(summary: DataSummary, *, full: bool) -> None:
    """Print the totals, errors and warnings; ``full`` adds the table of classes and every warning."""
    out = console()
    if full:
        out.print(summary_table(summary))
    out.print(_totals(summary), soft_wrap=True)
    for each in summary.errors[:MAX_LINES]:
        out.print(f"error: {each}", style="red", soft_wrap=True)
    warnings = summary.warnings if full else summary.warnings[:MAX_LINES]
    for each in warnings:
        out.print(f"warning: {each}", style="yellow", soft_wrap=True)
    if len(warnings) < len(summary.warnings):
        out.print(f"and {len(summary.warnings) - len(warnings)} more warnings, in data_summary.json", soft_wrap=True)


def print_notes(notes: Sequence[str]) -> None:
    """Print remarks on the data, a line each."""
    for each in notes:
        console().print(f"warning: {each}", style="yellow", soft_wrap=True)


def _totals(summary: DataSummary) -> str:
    groups = [each.group for each in summary.classes]
    sizes = ", ".join(f"{groups.count(group)} {group}" for group in ("many", "medium", "few") if group in groups)
    counts = " + ".join(f"{n:,} {split}" for split, n in summary.examples.items())
    factor = "" if summary.imbalance_factor is None else f", imbalance factor {summary.imbalance_factor:.3g}"
    return f"{counts} examples of {len(summary.classes)} classes ({sizes}){factor}"


def summary_table(summary: DataSummary) -> Table:
    """Per class: examples, group, expected number in a batch, half width of the AUROC interval on validation."""
    table = plain_table("The data, before training")
    table.add_column("class", overflow="ellipsis", max_width=26, no_wrap=True)
    splits = list(summary.examples)
    for heading in (*splits, "group", "a batch", "AUROC ±"):
        table.add_column(heading, justify="left" if heading == "group" else "right", no_wrap=True)
    rarest = sorted(range(len(summary.classes)), key=lambda c: summary.classes[c].train)[:MAX_ROWS]
    for each in (summary.classes[c] for c in sorted(rarest)):
        half = "–" if each.auroc_width is None else f"{each.auroc_width / 2:.3f}"
        counts = (f"{getattr(each, split):,}" for split in splits)
        table.add_row(each.name, *counts, each.group, f"{each.per_batch:.1f}", half)
    if len(summary.classes) > MAX_ROWS:
        table.caption = f"the {MAX_ROWS} rarest of {len(summary.classes)} classes; all of them in data_summary.json"
    return table
