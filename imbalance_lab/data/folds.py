"""The folds of a cross-validation: stratified, with groups kept together, or in the order of time.

Every example is tested once a repeat (in the order of time, all but the first part). What a fold does not test is for
training, and its validation split is taken from that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.splitting import SplitIndices, rarest
from imbalance_lab.seeding import hash_seeds
from imbalance_lab.validation import check_integer

MAX_FOLDS, MAX_REPEATS = 1000, 1000


@dataclass(frozen=True)
class Fold:
    """One fold of a cross-validation.

    Args:
        number: of all, 0 … folds · repeats − 1; those of one repeat come together.
        folds: parts that the examples are dealt into, ≥ 2.
        repeats: how often they are dealt anew.

    Raises:
        TypeError, ValueError: for a number out of range.
    """

    number: int
    folds: int
    repeats: int = 1

    def __post_init__(self) -> None:
        check_integer("cv.folds", self.folds, minimum=2, maximum=MAX_FOLDS)
        check_integer("cv.repeats", self.repeats, minimum=1, maximum=MAX_REPEATS)
        check_integer("cv.fold", self.number, minimum=0, maximum=self.folds * self.repeats - 1)

    @property
    def repeat(self) -> int:
        """Which dealing of the examples it belongs to."""
        return self.number // self.folds

    @property
    def part(self) -> int:
        """Which part of that dealing it tests."""
        return self.number % self.folds

    def split(
        self,
        given: SplitIndices,
        targets: Tensor,
        *,
        seed: int = 0,
        groups: NDArray[np.int64] | None = None,
        order: NDArray[np.int64] | None = None,
        classes: Sequence[str] = (),
    ) -> SplitIndices:
        """Deal the training examples of ``given`` into this fold's training and test examples.

        A test split that is given stays out: it is neither trained on nor tested. A validation split that is given is
        that of every fold; without one it is empty, to be taken from the training examples.

        Args:
            given: the splits that the data have.
            targets: class numbers (N,), or 0/1 labels (N, L), of all examples.
            seed: decides the dealing; each repeat has another.
            groups: (N,), equal for examples that belong together.
            order: (N,) the place in time, equal for what is of the same time. Fold k of K then trains on the first k
                of K + 1 parts and tests the next one.
            classes: the names of the classes, for errors.

        Raises:
            ValueError: for a class with fewer examples, or groups, than folds; for time with groups or repeats.
        """
        pool = given.train.numpy()
        if order is None:
            own = None if groups is None else groups[pool]
            part = deal(targets[given.train].numpy(), self.folds, self._seed(seed), own, classes)
            trained, tested = part != self.part, part == self.part
        else:
            if groups is not None:
                raise ValueError("data.time and data.group cannot both decide the folds: choose one")
            if self.repeats > 1:
                raise ValueError(f"cv.repeats={self.repeats} would repeat the same folds, as data.time decides them")
            part = consecutive_parts(order[pool], self.folds + 1)
            trained, tested = part <= self.part, part == self.part + 1
        train, test = (torch.from_numpy(pool[rows]) for rows in (trained, tested))
        return SplitIndices(train, given.val, test, given.calibration)

    def _seed(self, seed: int) -> int:
        return hash_seeds(seed, self.repeat) if self.repeat else seed


def describe_left_out(fold: Fold | None, given: SplitIndices) -> list[str]:
    """A sentence on a test split that the data have, which a cross-validation leaves alone."""
    n = 0 if fold is None else len(given.test)
    what = f"cross-validation leaves out the test split that the data have, {n:,} examples: it remains for a last test"
    return [what] if n else []


def deal(
    targets: NDArray[np.int64],
    folds: int,
    seed: int,
    groups: NDArray[np.int64] | None = None,
    classes: Sequence[str] = (),
) -> NDArray[np.int64]:
    """The fold of each example (N,): every class is shared out as evenly as its groups allow.

    Class by class, the rarest first, the shuffled groups go, the largest first, each to the fold with the fewest
    examples of that class, and among these to the one with the fewest of all. A group (an example, if there are none)
    counts for the rarest of its classes or labels. Without groups the folds of a class differ by one example at most.

    Raises:
        ValueError: for a class with fewer groups than folds.
    """
    number = np.arange(len(targets)) if groups is None else np.unique(groups, return_inverse=True)[1]
    _check_counts(targets, number, folds, classes, "examples" if groups is None else "groups")
    n_groups = int(number.max(initial=-1)) + 1
    size = np.bincount(number, minlength=n_groups)
    stratum = np.full(n_groups, np.iinfo(np.int64).max)
    np.minimum.at(stratum, number, rarest(targets))
    shuffled = np.random.default_rng(seed).permutation(n_groups)
    order = shuffled[np.lexsort((-size[shuffled], stratum[shuffled]))]
    fold, total = np.empty(n_groups, np.int64), np.zeros(folds, np.int64)
    ends = np.flatnonzero(np.diff(stratum[order], append=-1)) + 1
    for start, end in zip(np.r_[0, ends[:-1]], ends, strict=True):
        members = order[start:end]
        fold[members] = _deal_class(size[members], total)
        total += np.bincount(fold[members], size[members], minlength=folds).astype(np.int64)
    return fold[number]


def _deal_class(size: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fold of each group of one class, of descending ``size``; ``total`` (K,) are the examples that folds have."""
    if size.max() == 1:  # what the loop below comes to
        return total.argsort(kind="stable")[np.arange(len(size)) % len(total)]
    counts, found = np.zeros_like(total), np.empty(len(size), np.int64)
    for place, examples in enumerate(size.tolist()):
        found[place] = np.lexsort((total + counts, counts))[0]
        counts[found[place]] += examples
    return found


def consecutive_parts(order: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """The part (N,) of each example: of about equal size, earlier ones first; what is of the same time stays together.

    Raises:
        ValueError: if there are fewer different times than parts.
    """
    times, number, counts = np.unique(order, return_inverse=True, return_counts=True)
    middle = counts.cumsum() - counts / 2
    of_time = np.minimum((middle * parts / max(len(order), 1)).astype(np.int64), parts - 1)
    if len(np.unique(of_time)) < parts:
        raise ValueError(
            f"data.time has {len(times)} different values, too few or too unevenly used for {parts} parts in the order "
            "of time: choose fewer folds"
        )
    found: NDArray[np.int64] = of_time[number]
    return found


def _check_counts(
    targets: NDArray[np.int64], number: NDArray[np.int64], folds: int, classes: Sequence[str], unit: str
) -> None:
    """Refuse a class that some fold would not test.

    Raises:
        ValueError: naming the class, how many it has, and a number of folds that it suffices for.
    """
    n_classes = targets.shape[1] if targets.ndim == 2 else int(targets.max(initial=-1)) + 1
    for c in range(n_classes):
        members = targets[:, c] == 1 if targets.ndim == 2 else targets == c
        found = len(np.unique(number[members]))
        if found < folds:
            name = classes[c] if c < len(classes) else str(c)
            remedy = f"choose cv={found}, or leave the class out" if found > 1 else "leave the class out"
            raise ValueError(
                f"class {name!r} has {found} {unit if found != 1 else unit[:-1]}, fewer than cv.folds={folds}: {remedy}"
            )
