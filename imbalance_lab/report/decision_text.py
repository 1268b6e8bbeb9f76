"""Sentences on decisions, for the page and the terminal: names, shares, and why there are no thresholds."""

import math
from collections.abc import Sequence

from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.missing_thresholds import MissingThresholds
from imbalance_lab.evaluation.operating_point import OperatingPoint
from imbalance_lab.report.terminal import interval
from imbalance_lab.text import shorten_middle

MAX_NAME = 40
"""Characters of a class name in a sentence."""

MAX_NAMED = 3
"""Classes that a sentence names."""


def quoted(name: str) -> str:
    """The name of a class in a sentence, whatever the name: in quotation marks, its middle left out if it is long."""
    return f"“{shorten_middle(name, MAX_NAME)}”" if name else "(no name)"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: “a”, “b” and “c”; of many the first ones and how many there are more."""
    shown = [quoted(name) for name in names[:MAX_NAMED]]
    if len(names) > MAX_NAMED:
        shown = [*shown[:-1], f"{len(names) - MAX_NAMED + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def percent(share: float | None) -> str:
    """A share as a percentage of two digits; below 100 never "100 %", above 0 never "0 %"."""
    if share is None or math.isnan(share):
        return "–"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if share < 0.001:
        return "less than 0.1 %"
    if share >= 0.995:
        return "more than 99 %"
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"


def alarms(value: float | None) -> str:
    """Alarms for each true positive: with a digit behind the point while that says something."""
    return "–" if value is None else f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def count_found(name: str, counts: DecisionCounts) -> str:
    """How many were found: 70 of 73 “fraud” (recall 0.959 [0.886, 0.986])."""
    return f"{counts.tp:,} of {counts.n_positive:,} {quoted(name)} (recall {interval(counts.recall)})"


def missing_threshold_lines(point: OperatingPoint) -> list[str]:
    """Why classes have no threshold: each reason once."""
    return [_missing_line(each, point) for each in point.missing]


def _missing_line(group: MissingThresholds, point: OperatingPoint) -> str:
    names = [point.thresholds[c].name for c in group.classes]
    n, of = len(names), len(point.reported)
    if n <= MAX_NAMED:
        whom = f"{listed(names)} {'has' if n == 1 else 'have'}"
    else:
        whom = f"All {of} classes have" if n == of else f"{n} of {of} classes have"
    text = f"{whom} no threshold: {group.reason or 'no reason is known'}"
    if group.fewest is None:
        return f"{text}."
    has = f"{group.fewest:,}" if group.fewest == group.most else f"{group.fewest:,} to {group.most:,}"
    return f"{text} ({'it has' if n == 1 else 'they have'} {has})."
