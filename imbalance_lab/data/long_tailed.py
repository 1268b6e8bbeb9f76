"""Imbalanced versions of balanced datasets: long-tailed (Cui et al. 2019; Cao et al. 2019) and two-class.

The test set stays as it is. The validation set is taken from the training pool, the same share of every class, before
the tail is made: it is balanced, never overlaps with the test set, and does not change with the imbalance. So is a
calibration set, which changes neither. Without a validation set, as in most published tables, the whole pool is for
training.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor

from imbalance_lab.data.arrays import Arrays, Splits, check_array_schema
from imbalance_lab.data.datasets import Benchmark
from imbalance_lab.data.folds import Fold
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.splitting import NOTHING, SplitIndices
from imbalance_lab.validation import MAX_SEED, check_choice, check_integer, check_number

Profile = Literal["exp", "step"]


def long_tailed_counts(n_max: int, num_classes: int, factor: float, profile: Profile = "exp") -> list[int]:
    """How many examples each class keeps, in label order.

    "exp": n_max · factor^(−c / (C − 1)). "step": the first half of the classes keeps n_max, the rest n_max / factor.
    Truncated to whole examples, as in LDAM-DRW (arXiv 1906.07413).

    >>> long_tailed_counts(5000, 10, factor=100)
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    """
    if profile == "exp":
        # 1 / factor first, as the original does: 100 ** -1 truncates 5000 to 50, not 49.
        return [_whole(n_max * (1 / factor) ** (c / (num_classes - 1))) for c in range(num_classes)]
    head = (num_classes + 1) // 2
    return [n_max] * head + [_whole(n_max / factor)] * (num_classes - head)


def _whole(examples: float) -> int:
    # A little more first: 49 · (1 / 49) is just below 1, and no published list changes.
    return int(examples + 1e-9)


def long_tailed(
    dataset: Callable[..., Benchmark],
    *,
    factor: float = 100.0,
    profile: Profile = "exp",
    subset_seed: int = 0,
    val_fraction: float = 0.1,
    calibration_fraction: float = 0.0,
    root: str | None = None,
    schema: InputSchema | None = None,
    fold: Fold | None = None,
) -> Splits:
    """Subsample a balanced dataset to a long tail.

    Args:
        dataset: one of `imbalance_lab.data.datasets`.
        factor: imbalance factor ≥ 1, the largest class over the smallest.
        profile: "exp" or "step", see `long_tailed_counts`; n_max is the pool's smallest class without validation.
        subset_seed: which examples are kept. This alone changes accuracy by points: report several seeds.
        val_fraction: share of each class of the pool that becomes the validation set; 0 for none, see `Splits`.
        calibration_fraction: the same for calibration, taken from what validation leaves; 0 for no such set.
        root: the directory of the dataset, unless it is the default one.
        schema: of a trained model: classes go by name, in its order; other classes or inputs are refused.
        fold: of a cross-validation of the pool: its test part takes the place of the test set, which stays out.

    Raises:
        ValueError: if an argument is out of range, or a class would keep no example.
    """
    _check(val_fraction, calibration_fraction, subset_seed)
    check_number("factor", factor, minimum=1)
    check_choice("profile", profile, get_args(Profile))
    classes, pool, test = _in_order(_fold_of(_load(dataset, root), fold), schema)
    val, rest = _split_validation(pool, len(classes), val_fraction, subset_seed)
    calibration, rest = _split_calibration(pool, rest, calibration_fraction)
    n_max = min(len(members) for members in rest)
    kept = long_tailed_counts(n_max, len(classes), factor, profile)
    if min(kept) < 1:
        raise ValueError(
            f"factor={factor:g} leaves no training example of class {classes[kept.index(min(kept))]!r} "
            f"(the largest class has {n_max}): choose factor ≤ {n_max}"
        )
    train = torch.cat([members[:n] for members, n in zip(rest, kept, strict=True)]).sort().values
    if schema is not None:
        check_array_schema(schema, classes, pool)
    return Splits(classes, pool.subset(train), val, test, calibration=calibration, guesses=_told(fold))


def binary(
    dataset: Callable[..., Benchmark],
    *,
    positive_ratio: float = 0.1,
    subset_seed: int = 0,
    val_fraction: float = 0.1,
    calibration_fraction: float = 0.0,
    root: str | None = None,
    schema: InputSchema | None = None,
    fold: Fold | None = None,
) -> Splits:
    """Set the first half of a dataset's classes (negative) against the second half (positive), with few positives.

    Args:
        positive_ratio: share of positives among the training examples; all negatives are kept.

    The other arguments are `long_tailed`'s. (The protocol of Yuan et al. 2021, arXiv 2012.03173, section 4.)

    Raises:
        ValueError: if an argument is out of range, or the dataset has fewer positives than the ratio asks for.
    """
    _check(val_fraction, calibration_fraction, subset_seed)
    check_number("positive_ratio", positive_ratio, above=0, below=1)
    classes, pool, test = _fold_of(_load(dataset, root), fold)
    half = len(classes) // 2
    names = tuple(
        "|".join(part) if len(part) <= 5 else f"{part[0]} … {part[-1]}" for part in (classes[:half], classes[half:])
    )
    pool, test = _halved(pool, half), _halved(test, half)
    val, rest = _split_validation(pool, 2, val_fraction, subset_seed)
    calibration, (negatives, positives) = _split_calibration(pool, rest, calibration_fraction)
    n_positive = round(positive_ratio / (1 - positive_ratio) * len(negatives))
    if not 1 <= n_positive <= len(positives):
        natural = len(positives) / (len(positives) + len(negatives))
        raise ValueError(
            f"positive_ratio={positive_ratio} asks for {n_positive} positives beside {len(negatives)} negatives, "
            f"but there are {len(positives)}: choose a ratio between {1 / (1 + len(negatives)):.2g} and {natural:.2g}"
        )
    train = torch.cat([negatives, positives[:n_positive]]).sort().values
    if schema is not None:
        check_array_schema(schema, names, pool)
    return Splits(names, pool.subset(train), val, test, calibration=calibration, guesses=_told(fold))


def _load(dataset: Callable[..., Benchmark], root: str | None) -> Benchmark:
    if not callable(dataset):
        raise TypeError(
            f"dataset must be a function of imbalance_lab.data with _partial_: true, got a {type(dataset).__name__}"
        )
    return dataset() if root is None else dataset(root)


def _fold_of(benchmark: Benchmark, fold: Fold | None) -> Benchmark:
    """What a fold of the pool trains on and tests; the same whatever subset of it is kept."""
    if fold is None:
        return benchmark
    classes, pool, _ = benchmark
    given = SplitIndices(torch.arange(len(pool)), NOTHING, NOTHING)
    dealt = fold.split(given, pool.targets, classes=classes)
    return Benchmark(classes, pool.subset(dealt.train), pool.subset(dealt.test))


def _told(fold: Fold | None) -> list[str]:
    """What a user should know about the test set in a cross-validation."""
    told = "cross-validation is over the training pool of the set: its own test set is left out, for a last test"
    return [] if fold is None else [told]


def _in_order(benchmark: Benchmark, schema: InputSchema | None) -> Benchmark:
    """The classes in the order of a trained model, if they are the same ones."""
    if schema is None or set(schema.classes) != set(benchmark.classes):
        return benchmark
    number = torch.tensor([schema.classes.index(name) for name in benchmark.classes])
    pool, test = (replace(part, targets=number[part.targets]) for part in (benchmark.pool, benchmark.test))
    return Benchmark(schema.classes, pool, test)


def _halved(arrays: Arrays, half: int) -> Arrays:
    return Arrays(arrays.inputs, (arrays.targets >= half).long(), arrays.index)


def _split_validation(pool: Arrays, num_classes: int, fraction: float, seed: int) -> tuple[Arrays | None, list[Tensor]]:
    """The validation set, and the positions of each class's remaining examples in the order in which they are kept."""
    generator = torch.Generator().manual_seed(seed)
    members = [(pool.targets == c).nonzero().flatten() for c in range(num_classes)]
    members = [m[torch.randperm(len(m), generator=generator)] for m in members]
    if not fraction:
        return None, members
    n_val = [max(1, round(fraction * len(m))) for m in members]
    val = torch.cat([m[:n] for m, n in zip(members, n_val, strict=True)]).sort().values
    if any(len(m) == n for m, n in zip(members, n_val, strict=True)):
        raise ValueError(f"val_fraction={fraction} leaves a class without a training example: choose a smaller one")
    return pool.subset(val), [m[n:] for m, n in zip(members, n_val, strict=True)]


def _split_calibration(pool: Arrays, rest: list[Tensor], fraction: float) -> tuple[Arrays | None, list[Tensor]]:
    """The calibration set, and what it leaves of each class: it takes those that would be kept last."""
    if not fraction:
        return None, rest
    sizes = torch.bincount(pool.targets, minlength=len(rest)).tolist()
    left = [len(m) - max(1, round(fraction * n)) for m, n in zip(rest, sizes, strict=True)]
    if min(left) < 1:
        raise ValueError(
            f"calibration_fraction={fraction} leaves a class without a training example: choose a smaller one"
        )
    chosen = torch.cat([m[n:] for m, n in zip(rest, left, strict=True)]).sort().values
    return pool.subset(chosen), [m[:n] for m, n in zip(rest, left, strict=True)]


def _check(val_fraction: float, calibration_fraction: float, subset_seed: int) -> None:
    check_number("val_fraction", val_fraction, minimum=0, below=1)
    check_number("calibration_fraction", calibration_fraction, minimum=0, below=1)
    check_integer("subset_seed", subset_seed, minimum=0, maximum=MAX_SEED)
