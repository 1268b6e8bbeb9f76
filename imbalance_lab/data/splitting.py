"""Split examples into training, validation and test: stratified by class, by seed, with groups kept together."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imbalance_lab.validation import MAX_SEED, check_integer, check_number


class SplitIndices(NamedTuple):
    """Positions (n,) int64, ascending, of each split."""

    train: Tensor
    val: Tensor
    test: Tensor


def stratified_split(
    targets: Tensor, *, val_fraction: float, test_fraction: float, seed: int = 0, groups: ArrayLike | None = None
) -> SplitIndices:
    """Give every class its share in every split.

    A group counts for the rarest of its classes (or labels), and goes whole into one split; without groups each
    example is its own. Of each class the groups are shuffled and dealt out by their numbers of examples. Three groups
    of a class or more give one to each split, two give training and test one; the largest is for training.

    Args:
        targets: class numbers (N,), or 0/1 labels (N, L).
        val_fraction, test_fraction: shares of the examples, ≥ 0; what is left is for training. 0 leaves a split empty.
        seed: decides which examples are in which split.
        groups: (N,) of anything that can be sorted, equal for examples that belong together: a patient, a device.

    Raises:
        ValueError: if the fractions leave nothing for training.
    """
    for name, value in {"val_fraction": val_fraction, "test_fraction": test_fraction}.items():
        check_number(name, value, minimum=0, below=1)
    if val_fraction + test_fraction >= 1:
        raise ValueError(
            f"val_fraction={val_fraction} and test_fraction={test_fraction} leave nothing for training: "
            "choose fractions that sum to less than 1"
        )
    check_integer("split_seed", seed, minimum=0, maximum=MAX_SEED)
    group = np.arange(len(targets)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    split = _dealt(_rarest(targets.numpy()), group, (test_fraction, val_fraction), seed)[group]
    test, val, train = (torch.from_numpy(np.flatnonzero(split == number)) for number in range(3))
    return SplitIndices(train, val, test)


def fill_missing_splits(
    given: SplitIndices,
    targets: Tensor,
    *,
    val_fraction: float,
    test_fraction: float,
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
) -> SplitIndices:
    """Fill the splits that ``given`` leaves empty from its training examples; arguments as for `stratified_split`."""
    fractions = {
        "val_fraction": 0.0 if len(given.val) else val_fraction,
        "test_fraction": 0.0 if len(given.test) else test_fraction,
    }
    if len(given.val) and len(given.test):
        return given
    own = None if groups is None else groups[given.train.numpy()]
    further = stratified_split(targets[given.train], seed=seed, groups=own, **fractions)
    val, test = (there if len(there) else given.train[new] for there, new in zip(given[1:], further[1:], strict=True))
    return SplitIndices(given.train[further.train], val, test)


def _rarest(targets: NDArray[np.int64]) -> NDArray[np.int64]:
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
