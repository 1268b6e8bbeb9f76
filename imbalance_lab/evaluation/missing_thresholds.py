"""Why classes have no threshold, each reason once, with the classes that it holds for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SHORTAGE = re.compile(r"(?P<reason>.* needs \d+ \w+ on validation), the class has (?P<n>\d+)", re.DOTALL)
_BEST = re.compile(r"(?P<reason>.*); the best has \d+ true positives among \d+ flagged", re.DOTALL)
"""How the rules of `imbalance_lab.posthoc` say it: what differs from class to class comes last."""


@dataclass(frozen=True)
class MissingThresholds:
    """Classes without a threshold for the same reason.

    Args:
        reason: what it lacks, as the rule says it, without what is of one class alone.
        classes: their indices.
        fewest, most: examples that they have of those that the rule needs; None where it is not examples that lack.
    """

    reason: str
    classes: tuple[int, ...]
    fewest: int | None = None
    most: int | None = None


def group_reasons(reasons: Iterable[tuple[int, str]]) -> tuple[MissingThresholds, ...]:
    """Group (class index, reason) by what the reasons have in common, the most frequent first.

    >>> group_reasons([(3, "max F1 needs 20 positives on validation, the class has 7"), (5, "none given")])[0]
    MissingThresholds(reason='max F1 needs 20 positives on validation', classes=(3,), fewest=7, most=7)
    """
    groups: dict[str, list[tuple[int, int | None]]] = {}
    for c, text in reasons:
        shortage, best = _SHORTAGE.fullmatch(text), _BEST.fullmatch(text)
        match = shortage or best
        reason = match["reason"] if match else text
        groups.setdefault(reason, []).append((c, int(shortage["n"]) if shortage else None))
    found = [_group(reason, members) for reason, members in groups.items()]
    return tuple(sorted(found, key=lambda each: -len(each.classes)))


def _group(reason: str, members: list[tuple[int, int | None]]) -> MissingThresholds:
    numbers = [n for _, n in members if n is not None]
    ends = (min(numbers), max(numbers)) if numbers else (None, None)
    return MissingThresholds(reason, tuple(c for c, _ in members), *ends)
