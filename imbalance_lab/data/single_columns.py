"""Single columns that tell a class almost perfectly: often they are known only after the class is.

An honest feature can do that too (the petals of iris setosa), so the sentences ask.
"""

from collections.abc import Collection, Iterator, Sequence
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.column_ranking import class_rates, number_auroc
from imbalance_lab.data.feature_rows import FeatureRows, drop_override, named
from imbalance_lab.metrics import auroc_interval, rank

ALMOST_PERFECT = 0.99
"""AUROC of one column, from which it is asked about."""

RARE, LOW_OF_RARE, LOW = 0.2, 0.9, 0.95
"""The low end of its 95 % interval must be at least 0.9 for a class with a share of up to 0.2 (from 30 examples on),
and 0.95 for others (from 60 on), which honest features separate more often."""

CHANCE = 14
"""−log of the probability, about 10⁻⁶, below which a coincidence is none."""

Members = list[tuple[str, NDArray[np.bool_]]]


def find_copies(rows: FeatureRows) -> list[str]:
    """Columns with so few values that each determines the class of every training row: the class in other words."""
    target = rows.label_codes[rows.training]
    n_classes = len(np.unique(target))
    counts = np.bincount(target)
    orders = lgamma(len(target) + 1) - sum(lgamma(n + 1) for n in counts.tolist())
    if orders < CHANCE or rows.labels.ndim == 2:
        return []
    found = []
    for at, column in enumerate(rows.columns):
        values = rows.inputs[rows.training, at]
        if len(np.unique(values[:1000])) > 2 * n_classes:
            continue
        codes = np.unique(values, return_inverse=True)[1]
        different, pairs = int(codes.max()) + 1, len(np.unique(codes * len(counts) + target))
        if n_classes <= different <= 2 * n_classes and pairs == different:
            found.append(column.source)
    return found


def find_rankers(rows: FeatureRows, skip: Collection[str]) -> dict[str, tuple[str, float]]:
    """By column, the class that it alone ranks almost perfectly, up or down, and the AUROC."""
    training = rows.training
    members = rows.one_vs_rest(training)
    table = np.stack([each for _, each in members], 1)
    found = {}
    for at, column in enumerate(rows.columns):
        if column.source in skip:
            continue
        best = _best_ranking(rows.inputs[training, at], table, column.kind == "category")
        if best is not None:
            found[column.source] = members[best[0]][0], best[1]
    return found


def _best_ranking(
    values: NDArray[np.float32], members: NDArray[np.bool_], is_category: bool
) -> tuple[int, float] | None:
    """The class that is told best, and its AUROC; None if no class is told almost perfectly, beyond doubt."""
    if is_category:
        rates = class_rates(values.astype(np.int64), members)
        area = rates.auroc()
    else:
        there = np.isfinite(values)
        values, members = values[there], members[there]
        area = number_auroc(values, members) if len(values) else np.full(members.shape[1], np.nan)
    area = np.nan_to_num(np.maximum(area, 1 - area), nan=0.5)
    for c in np.argsort(-area, kind="stable").tolist():
        if area[c] < ALMOST_PERFECT:
            return None
        of_class, share = members[:, c], float(members[:, c].mean())
        ranking = rates.ranking(c) if is_category else rank(*_up(values[of_class], values[~of_class]))
        interval = auroc_interval(ranking)
        if interval is not None and interval[0] >= (LOW_OF_RARE if min(share, 1 - share) <= RARE else LOW):
            return c, float(area[c])
    return None


def _up(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
    """Both with the sign that ranks positives above negatives."""
    sign = 1.0 if np.median(positive) >= np.median(negative) else -1.0
    return sign * positive.astype(np.float64), sign * negative.astype(np.float64)


def find_gaps(rows: FeatureRows, skip: Collection[str]) -> dict[str, tuple[str, str]]:
    """By column, the class in whose rows alone it is "missing", or alone "given", beyond coincidence."""
    training = rows.training
    members = rows.one_vs_rest(training)
    if len(rows.classes) == 2 and rows.labels.ndim == 1:
        ((name, of_class),) = members
        members = [(name, of_class), (next(each for each in rows.classes if each != name), ~of_class)]
    found: dict[str, tuple[str, str]] = {}
    for at, column in enumerate(rows.columns):
        values = rows.inputs[training, at]
        missing = values == 0 if column.kind == "category" else np.isnan(values)
        if column.source in skip or missing.all() or not missing.any():
            continue
        for what, of_kind in (("missing", missing), ("given", ~missing)):
            label = _only_class(members, of_kind)
            if label is not None:
                found[column.source] = label, what
    return found


def _only_class(members: Members, of_kind: NDArray[np.bool_]) -> str | None:
    """The class of which all rows of a kind are, if random rows of that number would not be so."""
    n, k = len(of_kind), int(of_kind.sum())
    for name, of_class in members:
        size = int(of_class.sum())
        if k <= size and bool(of_class[of_kind].all()) and _log_choose(n, k) - _log_choose(size, k) >= CHANCE:
            return name
    return None


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def describe_single_columns(rows: FeatureRows, skip: Collection[str]) -> Iterator[str]:
    """Sentences on columns that tell a class by themselves, except those to ``skip``."""
    copies = [name for name in find_copies(rows) if name not in skip]
    if copies:
        determine, it = ("each alone determine", "are they") if len(copies) > 1 else ("alone determines", "is it")
        yield f"{named(copies)} {determine} the class of every training row: {it} {_asked(copies)}"
    rankers = find_rankers(rows, {*skip, *copies})
    if rankers:
        names = sorted(rankers, key=lambda name: -rankers[name][1])
        label, area = rankers[names[0]]
        rank_it, it = ("each alone rank", "are they") if len(names) > 1 else ("alone ranks", "is it")
        best = f" for {names[0]!r}" if len(names) > 1 else ""
        yield (
            f"{named(names)} {rank_it} a class almost perfectly (class {label!r}: AUROC {area:.3f}{best}): {it} "
            f"{_asked(names)}"
        )
    gaps = find_gaps(rows, {*skip, *copies, *rankers})
    for what in ("missing", "given"):
        names = [name for name in gaps if gaps[name][1] == what]
        if names:
            are = "are" if len(names) > 1 else "is"
            label = gaps[names[0]][0]
            told = f"class {label!r}" if len({gaps[name][0] for name in names}) == 1 else "one class"
            yield (f"{named(names)} {are} {what} in training rows of {told} alone: is that {_asked(names)}")


def _asked(names: Sequence[str]) -> str:
    return f"known before the prediction? If not, pass {drop_override(names)}"
