"""Split examples into training, validation, test and calibration: stratified, by seed, with groups kept together.

Or in the order of time, the latest for test: then nothing that is trained on is later than what it is tested on.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imbalance_lab.validation import MAX_SEED, check_integer, check_number

if TYPE_CHECKING:
    from imbalance_lab.data.folds import Fold

NOTHING = torch.empty(0, dtype=torch.long)


class SplitIndices(NamedTuple):
    """Positions (n,) int64, ascending, of each split."""

    train: Tensor
    val: Tensor
    test: Tensor
    calibration: Tensor = NOTHING


def stratified_split(
    targets: Tensor,
    *,
    val_fraction: float,
    test_fraction: float,
    calibration_fraction: float = 0.0,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> SplitIndices:
    """Give every class its share in every split.

    A group counts for the rarest of its classes (or labels), and goes whole into one split; without groups each
    example is its own. Of each class the groups are shuffled and dealt out by their numbers of examples. Three groups
    of a class or more give one to each split, two give training and test one; the largest is for training. Calibration
    is taken, in the same way, from what would be for training without it: validation and test do not depend on it.

    Args:
        targets: class numbers (N,), or 0/1 labels (N, L).
        val_fraction, test_fraction, calibration_fraction: shares of the examples, ≥ 0; what is left is for training. 0
            leaves a split empty.
        seed: decides which examples are in which split.
        groups: (N,) of anything that can be sorted, equal for examples that belong together: a patient, a device.

    Raises:
        ValueError: if the fractions leave nothing for training, or nothing for calibration where that is asked for.
    """
    fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction}
    if calibration_fraction != 0:
        fractions["calibration_fraction"] = calibration_fraction
    for name, value in fractions.items():
        check_number(name, value, minimum=0, below=1)
    if sum(fractions.values()) >= 1:
        given = " and ".join(f"{name}={value}" for name, value in fractions.items())
        raise ValueError(f"{given} leave nothing for training: choose fractions that sum to less than 1")
    check_integer("split_seed", seed, minimum=0, maximum=MAX_SEED)
    labels = targets.numpy()
    group = np.arange(len(labels)) if groups is None else np.asarray(groups)
    test, val, train = _positions(labels, group, (test_fraction, val_fraction), seed)
    calibration = np.empty(0, np.int64)
    if calibration_fraction:
        share = calibration_fraction * len(labels) / max(len(train), 1)
        _, calibration, rest = (train[part] for part in _positions(labels[train], group[train], (0.0, share), seed))
        train = rest
        if not len(calibration):
            raise ValueError(f"calibration_fraction={calibration_fraction} of {len(labels)} examples is none: raise it")
    return SplitIndices(*map(torch.from_numpy, (train, val, test, calibration)))


def fill_missing_splits(
    given: SplitIndices,
    targets: Tensor,
    *,
    val_fraction: float,
    test_fraction: float,
    calibration_fraction: float = 0.0,
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
    order: NDArray[np.int64] | None = None,
    fold: "Fold | None" = None,
    classes: Sequence[str] = (),
) -> SplitIndices:
    """Fill the splits that ``given`` leaves empty from its training examples.

    Args:
        given: the splits that the data have.
        order: (N,) the place of each example in time, to split by it; None for stratified splits.
        fold: of a cross-validation: what it tests is the test split, instead of any that is given.
        classes: the names of the classes, for errors.

    The other arguments are those of `stratified_split`.
    """
    if fold is not None:
        given = fold.split(given, targets, seed=seed, groups=groups, order=order, classes=classes)
    elif order is not None and groups is not None:
        raise ValueError("data.time and data.group cannot both decide the splits: choose one")
    fractions = {
        "val_fraction": 0.0 if len(given.val) else val_fraction,
        "test_fraction": 0.0 if len(given.test) else test_fraction,
        "calibration_fraction": 0.0 if len(given.calibration) else calibration_fraction,
    }
    if len(given.val) and len(given.test) and fractions["calibration_fraction"] == 0:
        return given
    if order is None:
        own = None if groups is None else groups[given.train.numpy()]
        further = stratified_split(targets[given.train], seed=seed, groups=own, **fractions)
    else:
        further = temporal_split(order[given.train.numpy()], **fractions)
    filled = (there if len(there) else given.train[new] for there, new in zip(given[1:], further[1:], strict=True))
    return SplitIndices(given.train[further.train], *filled)


def temporal_split(
    order: NDArray[np.int64], *, val_fraction: float, test_fraction: float, calibration_fraction: float = 0.0
) -> SplitIndices:
    """Split in the order of time: training, calibration, validation, and the latest for test.

    Args:
        order: (N,) the place of each example in time; examples of the same time stay together.
        val_fraction, test_fraction, calibration_fraction: shares of the examples, ≥ 0.

    Raises:
        ValueError: if the fractions leave nothing for training.
    """
    shares = {
        "test_fraction": test_fraction,
        "val_fraction": val_fraction,
        "calibration_fraction": calibration_fraction,
    }
    for name, value in shares.items():
        check_number(name, value, minimum=0, below=1)
    if sum(shares.values()) >= 1:
        given = " and ".join(f"{name}={value}" for name, value in shares.items())
        raise ValueError(f"{given} leave nothing for training: choose fractions that sum to less than 1")
    number, counts = np.unique(order, return_inverse=True, return_counts=True)[1:]
    later = (len(order) - counts.cumsum() + counts / 2)[number] / max(len(order), 1)  # the share that is later
    ends = np.cumsum(list(shares.values()))
    part = np.searchsorted(ends, later, "right")  # 0 test, 1 validation, 2 calibration, 3 training
    test, val, calibration, train = (torch.from_numpy(np.flatnonzero(part == each)) for each in range(4))
    return SplitIndices(train, val, test, calibration)


def _positions(
    targets: NDArray[np.int64], group: NDArray[Any], fractions: tuple[float, float], seed: int
) -> tuple[NDArray[np.int64], ...]:
    """The positions of the examples in each of the splits of `_dealt`."""
    number = np.unique(group, return_inverse=True)[1]
    split = _dealt(rarest(targets), number, fractions, seed)[number]
    return tuple(np.flatnonzero(split == part) for part in range(3))


def rarest(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each example, the place of its class, or rarest label, in the order from rare to common."""
    counts = np.bincount(targets) if targets.ndim == 1 else targets.sum(0)
    places: NDArray[np.int64]
    order = counts.argsort(kind="stable")
    if targets.ndim == 1:
        places = order.argsort()[targets]
        return places
    by_rarity = targets[:, order]
    places = np.where(by_rarity.any(1), by_rarity.argmax(1), targets.shape[1])
    return places


def _dealt(
    stratum: NDArray[np.int64], group: NDArray[np.int64], fractions: tuple[float, float], seed: int
) -> NDArray[np.int64]:
    """For each group the number of its split: 0 and 1 get the two fractions, 2 the rest."""
    n_groups = int(group.max(initial=-1)) + 1
    size = np.bincount(group, minlength=n_groups)
    of_group = np.full(n_groups, np.iinfo(np.int64).max)
    np.minimum.at(of_group, group, stratum)
    shuffled = np.random.default_rng(seed).permutation(n_groups)
    order = shuffled[of_group[shuffled].argsort(kind="stable")]  # group by group of a stratum, shuffled within
    split = np.full(n_groups, 2)
    first, second = fractions
    ends = np.flatnonzero(np.diff(of_group[order], append=-1)) + 1
    for start, end in zip(np.r_[0, ends[:-1]], ends, strict=True):
        members = order[start:end]
        members = np.r_[np.delete(members, largest := size[members].argmax()), members[largest]]
        reached = (size[members].cumsum() - size[members] / 2) / size[members].sum()
        part = np.where(reached < first, 0, np.where(reached < first + second, 1, 2))
        part[-1] = 2
        if first and len(members) > 1:
            part[0] = 0
        if second and len(members) > 2 and not (part == 1).any():
            part[-2] = 1  # it is for training, or the last of several for test
        split[members] = part
    return split
