"""What every text for the terminal is made of: consoles, tables that fit, numbers, paths.

A pipe is 100 columns wide and plain; a terminal is as wide as it is, and colored.
"""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from imbalance_lab.evaluation.scores import Score
from imbalance_lab.report.plain_table import PlainTable, plain_table
from imbalance_lab.text import visible

__all__ = [
    "PlainTable",
    "console",
    "interval",
    "number",
    "plain_table",
    "print_path",
    "print_sentence",
    "relative_path",
]

WIDTH = 100


class PlainConsole(Console):
    """A console on which text from data is only text: no markup ("[red]" may be a class), no control characters."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__(width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Called by rich for every string that it prints, in a table or outside."""
        return super().render_str(visible(text, keep="\n"), **options)


def console() -> Console:
    """The console for results: stdout, 100 columns wide unless it is a terminal."""
    out = PlainConsole()
    return out if out.is_terminal else PlainConsole(WIDTH)


def relative_path(path: Path) -> str:
    """A path as text, relative to the working directory if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def print_path(path: Path, opens: Path | None = None) -> None:
    """Print a path on one line, however long it is; in a terminal that can, a link.

    Args:
        path: what is printed, relative to the working directory if it is below.
        opens: the file that the link opens, if not ``path`` itself.
    """
    out = console()
    link = (opens or path).absolute().as_uri() if out.is_terminal else None
    out.print(Text(visible(relative_path(path.absolute())), Style(link=link)), soft_wrap=True)


def print_sentence(sentence: str, style: str | None = None) -> None:
    """Print a sentence: on one line in a pipe, in a terminal broken between words."""
    out = console()
    out.print(sentence, style=style, soft_wrap=not out.is_terminal)


def number(value: float, digits: int = 3) -> str:
    """A number with fixed digits, or a dash for undefined."""
    return "–" if value != value else f"{value:.{digits}f}"


def interval(score: Score) -> str:
    """A score with its interval, three digits each."""
    if score.interval is None:
        return number(score.value)
    low, high = score.interval
    return f"{score.value:.3f} [{low:.3f}, {high:.3f}]"
