"""Tables that fit into the terminal: whole columns are left out, never a digit; names are shortened in the middle."""

from collections.abc import Iterable, Sequence
from copy import copy
from itertools import accumulate
from typing import Any

from rich import box
from rich.cells import cell_len, split_graphemes
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

from imbalance_lab.text import visible

NAME_WIDTH, SHORT_NAME = 40, 16
"""Cells that a name has at most, and that it keeps as long as another column can be left out."""

FOLDED = 8
"""Cells that a column which is folded keeps."""


class PlainTable(Table):
    """A table whose cells have one line each, whatever they contain, and that is as wide as the terminal at most.

    What does not fit is left out column by column, the one with the highest ``rank`` first; the caption says which, and
    where the whole table is. Columns without a rank always stay; those with a ``max_width`` hold names.

    Args:
        title: above the table.
        more: where all columns and rows are, as "tables/classes.csv".
    """

    def __init__(self, title: str, more: str | None = None) -> None:
        super().__init__(
            title=title,
            title_justify="left",
            caption_justify="left",
            box=box.SIMPLE_HEAD,
            collapse_padding=True,
            pad_edge=False,
            show_edge=False,
        )
        self.more = more
        self.ranks: list[int] = []

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row; a line end in a cell is shown as an escape."""
        super().add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in cells), **options)

    def add_column(self, header: Any = "", *, rank: int = 0, **options: Any) -> None:  # type: ignore[override]
        """Add a column; a line end in its heading is shown as an escape.

        ``rank`` says when it is left out: the highest first, 0 never.
        """
        super().add_column(visible(header) if isinstance(header, str) else header, **options)
        self.ranks.append(rank)

    def add_name_column(self, header: str = "class") -> None:
        """Add a column of names, which are shortened in the middle to the width that the other columns leave."""
        self.add_column(header, max_width=NAME_WIDTH, no_wrap=True)

    def add_number_columns(self, *headings: tuple[str, int]) -> None:
        """Add columns of numbers, given as (heading, rank)."""
        for heading, rank in headings:
            self.add_column(heading, rank=rank, justify="right", no_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what fits, and say what is left out."""
        shown = self._fitting(options.max_width)
        left_out = [str(column.header) for column in self.columns if column not in shown]
        table = copy(self)
        table.title = table.caption = None
        table.columns = _with_short_names(shown, options.max_width)
        for place, column in enumerate(table.columns):
            column._index = place
        if self.title:
            yield _annotation(self.title, self.title_style or "table.title")
        yield from Table.__rich_console__(table, console, options)
        if caption := self._caption(left_out):
            yield _annotation(caption, self.caption_style or "table.caption")

    def _fitting(self, width: int) -> list[Column]:
        """The columns that have room beside names of `SHORT_NAME` cells."""
        shown, ranks = list(self.columns), list(self.ranks)
        while _total(map(_least, shown)) > width and any(ranks):
            last = max(range(len(ranks)), key=lambda place: (ranks[place], place))
            del shown[last], ranks[last]
        return shown

    def _caption(self, left_out: list[str]) -> str:
        where = f"; more in {self.more}" if self.more else ""
        parts = [str(self.caption)] if self.caption else []
        if left_out:
            parts.append(f"not shown at this width: {', '.join(left_out)}")
        return "; ".join(parts) + where if parts else ""


def plain_table(title: str, more: str | None = None) -> PlainTable:
    """An empty table without frame or margins, to leave the width to numbers."""
    return PlainTable(visible(title), more)


def shorten_cells(text: str, most: int, start: float = 0.5) -> str:
    """``text`` in at most ``most`` cells of a terminal: its middle is left out, since names often differ at the end.

    Chinese characters and emoji take two cells; what belongs to one character is not taken apart.

    Args:
        text: a name.
        most: cells.
        start: the share of the cells that shows its start.

    >>> shorten_cells("Larus argentatus argenteus", 16), shorten_cells("日本語の名前", 7)
    ('Larus ar…genteus', '日…前')
    """
    spans, width = split_graphemes(text)
    if width <= most:
        return text
    head = _fitting_in([cells for *_, cells in spans], round(most * start))
    tail = _fitting_in([cells for *_, cells in reversed(spans)], most - 1 - sum(cells for *_, cells in spans[:head]))
    return f"{text[: spans[head][0]]}…{text[spans[len(spans) - 1 - tail][1] :]}"


def shorten_names(names: Sequence[str], most: int) -> list[str]:
    """Names in at most ``most`` cells each, with as few as possible alike: more of their ends, if they differ there."""
    tries = [[shorten_cells(name, most, start) for name in names] for start in (0.5, 0.25, 0.75, 0.1)]
    return max(tries, key=lambda short: len(set(short)))


def _fitting_in(cells: Sequence[int], room: int) -> int:
    """How many of the first numbers have a sum of at most ``room``."""
    return sum(total <= room for total in accumulate(cells))


def _is_name(column: Column) -> bool:
    return column.max_width is not None


def _natural(column: Column) -> int:
    """The cells that the longest of heading and cells takes."""
    return max(cell_len(str(cell)) for cell in (column.header, *column._cells))


def _least(column: Column) -> int:
    """The cells that a column needs: numbers all of theirs, names and what is folded some."""
    least = SHORT_NAME if _is_name(column) else _natural(column) if column.no_wrap else FOLDED
    return min(least, _natural(column))


def _total(widths: Iterable[int]) -> int:
    """With two cells between columns."""
    return sum(width + 2 for width in widths) - 2


def _with_short_names(columns: list[Column], width: int) -> list[Column]:
    """Copies of the columns, in which names have the cells that the others leave."""
    names = sum(map(_is_name, columns))
    room = width - _total(0 if _is_name(column) else _least(column) for column in columns)
    most = min(NAME_WIDTH, max(room // names if names else 0, 4))
    short = [copy(column) for column in columns]
    for column in filter(_is_name, short):
        column._cells = list(shorten_names([str(cell) for cell in column._cells], most))
    return short


def _annotation(text: Any, style: StyleType) -> Text:
    return text if isinstance(text, Text) else Text(visible(str(text), keep="\n"), style)
