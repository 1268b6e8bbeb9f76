"""Whether the texts of a column are dates, and of which format; the order of day and month is never guessed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from imbalance_lab.data.date_text import DateFormat

SAMPLE = 300
"""Different texts, evenly spaced, by which other columns are told from dates."""

MOSTLY = 0.9
"""Share of the sample that are dates in a column of dates."""

SEPARATORS = "-/."
NUMERIC = [[f"%Y{mark}%m{mark}%d"] for mark in SEPARATORS] + [
    [f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y"] for mark in SEPARATORS
]
NAMED = [
    ["%d-%b-%Y"],
    ["%d %b %Y"],
    ["%d. %b %Y"],
    ["%d/%b/%Y"],
    ["%b %d, %Y"],
    ["%b %d %Y"],
    ["%Y-%b-%d"],
    ["%Y %b %d"],
]
SHORT = [[f"%d{mark}%m{mark}%y", f"%m{mark}%d{mark}%y", f"%y{mark}%m{mark}%d"] for mark in SEPARATORS[:2]] + [
    ["%d-%b-%y"],
    ["%d %b %y"],
    ["%b %d, %y"],
]
"""Formats that look alike, side by side; those with years of two digits are only recognized, to be refused."""


@dataclass(frozen=True)
class FoundDates:
    """Dates in a column of text.

    Args:
        format: of them.
        evidence: the text that shows which of day and month comes first; None if the format alone does.
        strangers: texts that are no such dates, the first ones.
        n_rows: with a date.
    """

    format: DateFormat
    evidence: str | None
    strangers: Sequence[str]


class AmbiguousDatesError(ValueError):
    """Dates that can be read in several ways; the sentence goes on after the column's name.

    Args:
        sentence: with the remedy but for the formats.
        patterns: those that fit.
    """

    def __init__(self, example: str, patterns: Sequence[str]) -> None:
        super().__init__(example, patterns)
        self.example, self.patterns = example, patterns


def find_dates(column: pa.ChunkedArray) -> FoundDates | None:
    """The dates of a text column; None if it holds something else.

    Raises:
        AmbiguousDatesError: if several formats fit, and give other dates.
    """
    texts = [text for text in column.drop_null().unique().to_pylist() if text.strip()]
    sample = [texts[at] for at in np.linspace(0, len(texts) - 1, min(SAMPLE, len(texts))).astype(int)]
    if sum(any(char.isdigit() for char in text) for text in sample) < MOSTLY * max(1, len(sample)):
        return None
    for alike in [*NUMERIC, *NAMED, *SHORT]:
        read = {pattern: [DateFormat(pattern).read(text) for text in sample] for pattern in alike}
        if max(sum(each is not None for each in dates) for dates in read.values()) >= MOSTLY * len(sample):
            return _decide(alike, texts)
    return None


def _decide(alike: Sequence[str], texts: Sequence[str]) -> FoundDates:
    """Which of some formats reads all texts, or most."""
    read = {pattern: [DateFormat(pattern).read(text) for text in texts] for pattern in alike}
    wrong = {pattern: [at for at, date in enumerate(dates) if date is None] for pattern, dates in read.items()}
    least = min(map(len, wrong.values()))
    best = [pattern for pattern in alike if len(wrong[pattern]) == least]
    different = [
        texts[at] for at, dates in enumerate(zip(*(read[each] for each in best), strict=True)) if len({*dates}) > 1
    ]
    if different or any("%y" in pattern for pattern in best):
        raise AmbiguousDatesError((different or texts)[0], best)
    others = [at for pattern in alike if pattern not in best for at in wrong[pattern] if read[best[0]][at] is not None]
    evidence = texts[min(others)] if others else None
    return FoundDates(DateFormat(best[0]), evidence, [texts[at] for at in wrong[best[0]]])
