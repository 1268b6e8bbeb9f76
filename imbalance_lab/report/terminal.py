"""Tables for the terminal: 100 columns, colors only in a terminal, plain text in a pipe."""

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imbalance_lab.evaluation.evaluation import FEW_POSITIVES, ClassScores, Evaluation, Score
from imbalance_lab.text import visible

WIDTH = 100


class PlainConsole(Console):
    """A console on which text from data is only text: no markup ("[red]" may be a class), no control characters."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__(width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Called by rich for every string that it prints, in a table or outside."""
        return super().render_str(visible(text, keep="\n"), **options)


class PlainTable(Table):
    """A table whose cells have one line each, whatever they contain."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row; a line end in a cell is shown as an escape."""
        super().add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in cells), **options)

    def add_column(self, header: Any = "", **options: Any) -> None:  # type: ignore[override]
        """Add a column; a line end in its heading is shown as an escape."""
        super().add_column(visible(header) if isinstance(header, str) else header, **options)


def console() -> Console:
    """The console for results: stdout, 100 columns wide unless it is a terminal."""
    out = PlainConsole()
    return out if out.is_terminal else PlainConsole(WIDTH)


def relative_path(path: Path) -> str:
    """A path as text, relative to the working directory if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def plain_table(title: str) -> Table:
    """An empty table without frame or margins, to leave the width to numbers."""
    return PlainTable(
        title=visible(title),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
    )


def evaluation_table(evaluation: Evaluation, title: str) -> Table:
    """Per class: training count, group, positives, AUROC and AP with intervals, recall."""
    table = plain_table(title)
    table.add_column("class", overflow="ellipsis", max_width=22, no_wrap=True)
    for heading in ("train n", "group", "test n", "AUROC [95 % CI]", "AP [95 % CI]", "recall"):
        table.add_column(heading, justify="left" if heading == "group" else "right", no_wrap=True)
    for scores in evaluation.classes:
        table.add_row(*_row(scores), style="yellow" if scores.has_few_positives else None)
    return table


def summary_lines(evaluation: Evaluation) -> list[str]:
    """The headline scores, a line each."""
    of = f"{evaluation.n_defined} of {len(evaluation.classes)} classes"
    lines = [
        f"macro AUROC        {interval(evaluation.macro_auroc)}  over {of}",
        f"balanced accuracy  {interval(evaluation.balanced_accuracy)}",
    ]
    groups = evaluation.shot_group_recall()
    if len(groups) > 1:
        lines.append("recall by group    " + "  ".join(f"{g} {number(v)}" for g, v in groups.items()))
    rare = sum(scores.has_few_positives for scores in evaluation.classes)
    if rare:
        share = f"{rare} of {len(evaluation.classes)} classes"
        lines.append(f"* fewer than {FEW_POSITIVES} positives in the split ({share}): interpret with care")
    return lines


def number(value: float) -> str:
    """Three digits, or a dash for undefined."""
    return "–" if value != value else f"{value:.3f}"


def interval(score: Score) -> str:
    """A score with its interval, three digits each."""
    if score.interval is None:
        return number(score.value)
    low, high = score.interval
    return f"{score.value:.3f} [{low:.3f}, {high:.3f}]"


def _row(scores: ClassScores) -> list[str]:
    flag = "*" if scores.has_few_positives else ""
    return [
        scores.name,
        f"{scores.train_count:,}",
        scores.group,
        f"{scores.n_positive:,}{flag}",
        interval(scores.auroc),
        interval(scores.average_precision),
        number(scores.recall.value),
    ]
