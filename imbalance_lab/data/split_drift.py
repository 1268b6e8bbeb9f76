"""Features that are distributed otherwise in a given test or validation split than in training.

Splits that this program draws differ by chance alone; those of files or of a column may be of another time or place.
The training rows have the class shares of the other split, so that a test file with more positives is no finding.
Numbers are compared by the two-sample Kolmogorov–Smirnov test, categories and missing values by χ², with Holm's
correction over all features and splits; small differences are not told, however significant.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.feature_rows import FeatureRows, drop_override, evenly_spaced, named
from imbalance_lab.data.labels import SPLITS
from imbalance_lab.metrics import holm
from imbalance_lab.metrics.distributions import chi_square_p_value, kolmogorov_p_value

LEVEL = 0.001
"""The share of files without a difference that are remarked on, at most."""

MIN_EFFECT = 0.1
"""The largest difference of the distribution functions, or of the probabilities of any set of categories."""

MIN_ROWS, MAX_ROWS = 20, 20_000
"""Of a split, to be compared at all, and that are looked at."""

MIN_COUNT = 10
"""Categories with fewer rows in both splits together count as one."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """How one feature differs: ``effect`` in [0, 1], its p-value alone, what differs in words."""

    split: str
    column: str
    effect: float
    p_value: float
    what: str


def find_drift(
    rows: FeatureRows, given: Collection[str], skip: Collection[str], groups: NDArray[np.int64] | None = None
) -> list[Drift]:
    """Features that differ, split by split, those that do most first.

    Args:
        rows: of the table.
        given: the splits to compare with the training rows.
        skip: features that are not compared.
        groups: (N,) of the rows; of each one row is taken, as rows of a group are not independent.
    """
    train = _some(rows.parts.train.numpy(), groups)
    tests: list[Drift] = []
    for split, part in zip(SPLITS, rows.parts, strict=True):
        other = _some(part.numpy(), groups)
        if split not in given or min(len(train), len(other)) < MIN_ROWS:
            continue
        weights = _share_weights(rows, train, other)
        for at, column in enumerate(rows.columns):
            if column.source not in skip:
                tests += _compare(rows, at, split, train, other, weights)
    adjusted = holm([test.p_value for test in tests])
    found = [test for test, p in zip(tests, adjusted, strict=True) if p <= LEVEL and test.effect >= MIN_EFFECT]
    return sorted(found, key=lambda each: (SPLITS.index(each.split), -each.effect))


def describe_drift(drifts: Sequence[Drift]) -> Iterator[str]:
    """A sentence for each split, or one for several in which the same features differ."""
    splits: dict[frozenset[str], list[str]] = {}
    for split in dict.fromkeys(each.split for each in drifts):
        splits.setdefault(frozenset(each.column for each in drifts if each.split == split), []).append(split)
    for equal in splits.values():
        of_split = [each for each in drifts if each.split == equal[-1]]
        names = list(dict.fromkeys(each.column for each in of_split))
        are, most = ("are", " most of all") if len(names) > 1 else ("is", "")
        strongest = f"{names[0]!r}{most}: {of_split[0].what} in {equal[-1]}"
        yield (
            f"{named(names)} {are} distributed otherwise in {' and '.join(equal)} than in training ({strongest}), also "
            "at equal class shares: is it another time or place? If a column only tells the splits apart, as a date "
            f"does, pass {drop_override(names[:1])}"
        )


def _some(part: NDArray[np.int64], groups: NDArray[np.int64] | None) -> NDArray[np.int64]:
    if groups is not None:
        shuffled = np.random.default_rng(0).permutation(part)
        part = shuffled[np.unique(groups[shuffled], return_index=True)[1]]
    return evenly_spaced(part, MAX_ROWS)


def _share_weights(rows: FeatureRows, train: NDArray[np.int64], other: NDArray[np.int64]) -> Array:
    """Weights (n,) of the training rows, with which they have the class shares of the others; 1 for several labels."""
    if rows.labels.ndim == 2:
        return np.ones(len(train))
    n_classes = len(rows.classes)
    here, there = (np.bincount(rows.labels[each], minlength=n_classes) / len(each) for each in (train, other))
    return np.asarray((there / np.maximum(here, 1e-12))[rows.labels[train]])


def _compare(
    rows: FeatureRows, at: int, split: str, train: NDArray[np.int64], other: NDArray[np.int64], weights: Array
) -> Iterator[Drift]:
    """The tests of one feature: of its categories, or of its numbers and of which are missing."""
    column = rows.columns[at]
    if column.kind == "category":
        encoded = rows.data[column.source].take(np.r_[train, other]).combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        names = [*map(str, encoded.dictionary.to_pylist()), "missing"]
        found = _categories(codes[: len(train)], codes[len(train) :], weights, names)
        if found is not None:
            yield Drift(split, column.source, *found)
        return
    old, new = rows.inputs[train, at], rows.inputs[other, at]
    gaps, new_gaps = np.isnan(old), np.isnan(new)
    if gaps.any() or new_gaps.any():
        found = _categories(gaps.astype(np.int64), new_gaps.astype(np.int64), weights, ["given", "missing"])
        if found is not None:
            yield Drift(split, column.source, *found)
    if min((~gaps).sum(), (~new_gaps).sum()) >= MIN_ROWS and weights[~gaps].sum() > 0:
        yield Drift(split, column.source, *_numbers(old[~gaps], new[~new_gaps], weights[~gaps]))


def _numbers(old: NDArray[np.float32], new: NDArray[np.float32], weights: Array) -> tuple[float, float, str]:
    """The Kolmogorov–Smirnov distance, its p-value, and both medians."""
    order, ascending = np.argsort(old), np.sort(new)
    old, mass = old[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    mass /= mass[-1]
    points = np.concatenate([old, ascending])
    before = mass[np.searchsorted(old, points, "right")]
    after = np.searchsorted(ascending, points, "right") / len(new)
    distance = float(np.abs(before - after).max())
    medians = float(old[max(int(np.searchsorted(mass, 0.5)) - 1, 0)]), float(ascending[len(new) // 2])
    n_old = weights.sum() ** 2 / np.square(weights).sum()
    p_value = kolmogorov_p_value(distance, n_old * len(new) / (n_old + len(new)))
    return distance, p_value, f"median {medians[0]:.4g} in training, {medians[1]:.4g}"


def _categories(
    old: NDArray[np.int64], new: NDArray[np.int64], weights: Array, names: Sequence[str]
) -> tuple[float, float, str] | None:
    """The total variation distance, the p-value of χ², and the share of the category that differs most."""
    n_old = weights.sum() ** 2 / np.square(weights).sum()
    counts = np.stack(
        [np.bincount(old, weights * (n_old / weights.sum()), len(names)), np.bincount(new, minlength=len(names))]
    )
    shares = counts / counts.sum(1, keepdims=True)
    few = counts.sum(0) < MIN_COUNT
    pooled = np.concatenate([counts[:, ~few], counts[:, few].sum(1, keepdims=True)], 1)
    pooled = pooled[:, pooled.sum(0) > 0]
    if pooled.shape[1] < 2:
        return None
    expected = pooled.sum(1, keepdims=True) * pooled.sum(0) / pooled.sum()
    p_value = chi_square_p_value(float((np.square(pooled - expected) / expected).sum()), pooled.shape[1] - 1)
    effect = float(np.abs(np.diff(pooled / pooled.sum(1, keepdims=True), axis=0)).sum() / 2)
    most = int(np.abs(np.diff(shares, axis=0)).argmax())
    return effect, p_value, f"{names[most]!r} {shares[0, most]:.0%} in training, {shares[1, most]:.0%}"
