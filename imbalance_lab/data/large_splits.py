"""The splits of very many rows: a byte for each, stratified exactly, in one pass over the classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab import seeding
from imbalance_lab.data.labels import SPLITS
from imbalance_lab.samplers.windows import apportion
from imbalance_lab.validation import check_number

TRAIN, VAL, TEST, CALIBRATION, UNUSED = range(5)
"""The numbers of the splits, as `SPLITS` has them, and of rows that are in none."""

PART = 1 << 20

FEW = 0.25
"""Share of a class up to which its chosen ranks are drawn one by one, not by a permutation of all."""

Codes = NDArray[np.uint8]
Targets = NDArray[np.integer]


def split_large(
    given: Codes, strata: Targets, fractions: Mapping[str, float], *, seed: int, max_evaluated: int | None
) -> tuple[Codes, list[str]]:
    """Fill the splits that ``given`` has no row of, in place, and leave out what would be evaluated beyond a limit.

    Every class gives its exact share, rounded; one row at least to test if it has two, and to validation if it has
    three. Which rows these are follows from the seed.

    Args:
        given: the split of each row, (N,); it becomes the result.
        strata: the class of each row, (N,), or what stands for it.
        fractions: of all rows, by ``val_fraction`` and so on.
        seed: decides which rows are in which split.
        max_evaluated: rows of a split other than training, at most; None for any number.

    Returns:
        The split of each row, (N,), and a sentence for each split that is smaller than asked for.

    Raises:
        ValueError: for fractions out of range, or that leave nothing for training.
    """
    for name, fraction in fractions.items():
        check_number(name, fraction, minimum=0, below=1)
    if sum(fractions.values()) >= 1:
        listed = " and ".join(f"{name}={fraction}" for name, fraction in fractions.items() if fraction)
        raise ValueError(f"{listed} leave nothing for training: choose fractions that sum to less than 1")
    split, told = given, []
    counts = count_pairs(given, strata)
    n_split = counts.sum(1)
    moves: list[tuple[int, int, NDArray[np.int64]]] = []
    left = (counts[TRAIN] - 1).clip(min=0)  # one stays for training
    for code in (TEST, VAL, CALIBRATION):
        name, fraction = SPLITS[code], fractions[f"{SPLITS[code]}_fraction"]
        asked = int(n_split[code]) or round(fraction * int(n_split[TRAIN]))
        n = asked if max_evaluated is None else min(asked, max_evaluated)
        if n < asked:
            told.append(
                f"the {name} split has {n:,} rows, data.max_evaluated, not {asked:,}: more would cost memory and tell "
                f"little{'; the others are left out' if n_split[code] else ''}"
            )
        if n_split[code] and n < asked:
            moves.append((code, UNUSED, counts[code] - _shares(n, counts[code])))
        elif not n_split[code] and n:
            amounts = np.maximum(_shares(n, counts[TRAIN]), counts[TRAIN] > (1 if code == TEST else 2))
            kept = counts[TRAIN] > 2 if code == TEST and fractions["val_fraction"] else 0  # one for validation
            moves.append((TRAIN, code, np.minimum(amounts, left - kept)))
            left = left - moves[-1][2]
    for source in (TRAIN, VAL, TEST, CALIBRATION):
        _move(split, strata, source, [(to, n) for at, to, n in moves if at == source], counts[source], seed)
    return split, told


def count_pairs(split: Codes, strata: Targets) -> NDArray[np.int64]:
    """The rows (5, C) of each split and class."""
    n_classes = 1 + max(int(strata[at : at + PART].max()) for at in range(0, len(strata), PART))
    counts = np.zeros((UNUSED + 1) * n_classes, np.int64)
    for at in range(0, len(strata), PART):
        pair = split[at : at + PART].astype(np.int64) * n_classes + strata[at : at + PART]
        counts += np.bincount(pair, minlength=len(counts))
    return counts.reshape(UNUSED + 1, n_classes)


def _shares(n: int, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    shares: NDArray[np.int64] = apportion(n, torch.from_numpy(counts)).numpy()
    return shares


def _move(
    split: Codes,
    strata: Targets,
    source: int,
    moves: Sequence[tuple[int, NDArray[np.int64]]],
    counts: NDArray[np.int64],
    seed: int,
) -> None:
    """Give rows of the split ``source`` to others: of class c ``moves[i][1][c]`` to the split ``moves[i][0]``."""
    if not moves:
        return
    chosen = []
    for c, n in enumerate(counts.tolist()):
        amounts = [int(amount[c]) for _, amount in moves]
        ranks = distinct(n, sum(amounts), seeding.hash_seeds(seed, source, c))
        to = np.repeat(np.array([code for code, _ in moves], np.uint8), amounts)
        order = ranks.argsort()
        chosen.append((ranks[order], to[order]))
    seen = np.zeros(len(counts), np.int64)
    for at in range(0, len(split), PART):
        part, of_part = split[at : at + PART], strata[at : at + PART]
        here = np.flatnonzero(part == source)
        by_class = here[of_part[here].argsort(kind="stable")]
        sizes = np.bincount(of_part[here], minlength=len(counts))
        for c, members in enumerate(np.split(by_class, sizes.cumsum()[:-1])):
            ranks, to = chosen[c]
            first, stop = np.searchsorted(ranks, [seen[c], seen[c] + len(members)])
            part[members[ranks[first:stop] - seen[c]]] = to[first:stop]
        seen += sizes


def distinct(n: int, k: int, seed: int) -> NDArray[np.int64]:
    """``k`` different numbers below ``n``, in random order, without memory for all ``n`` if they are few."""
    draws = np.random.default_rng(seed)
    if k > FEW * n:
        return draws.permutation(n)[:k]
    found = np.empty(0, np.int64)
    while len(found) < k:
        drawn = np.concatenate([found, draws.integers(0, n, k + k // 4 + 10)])
        found = drawn[np.sort(np.unique(drawn, return_index=True)[1])]
    return found[:k]
