"""What is to be known about the data before training: counts, what validation can resolve, leaks, broken files."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.class_counts import ShotGroup, shot_group
from imbalance_lab.data.arrays import Arrays, Source, Splits
from imbalance_lab.metrics import planned_auroc_interval
from imbalance_lab.progress import progress
from imbalance_lab.samplers import Sampler

MAX_NAMED = 5
"""Examples or classes that a sentence names."""


@dataclass(frozen=True)
class ClassSummary:
    """One class, or label: its examples in each split, how many a training batch has, what validation can tell.

    ``auroc_width`` is how wide the 95 % interval of its AUROC on validation will be; None without both kinds there.
    """

    name: str
    group: ShotGroup
    train: int
    val: int
    test: int
    per_batch: float
    auroc_width: float | None


@dataclass(frozen=True)
class DataSummary:
    """What a look at the data gave; errors forbid to train."""

    classes: Sequence[ClassSummary]
    examples: dict[str, int]
    imbalance_factor: float | None
    errors: Sequence[str]
    warnings: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def summarize(
    splits: Splits, sampler: Sampler, batch_size: int, *, thorough: bool, auroc: float = 0.9, width: float = 0.2
) -> DataSummary:
    """Look at the splits.

    Args:
        splits: the data.
        sampler: of the training split; what it draws in the first epoch is counted.
        batch_size: over all processes.
        thorough: decode every file and compare all contents, also where that takes long.
        auroc, width: validation should tell an AUROC of ``auroc`` with an interval no wider than ``width``.
    """
    parts = {"train": splits.train, "val": splits.val, "test": splits.test}
    n_classes = len(splits.classes)
    errors = list(_strange_targets(parts, n_classes))
    if errors:
        return DataSummary([], {split: len(source) for split, source in parts.items()}, None, errors, splits.notes)
    counts = {split: _counts(source.targets, n_classes) for split, source in parts.items()}
    drawn = sampler.order(0)
    share = _counts(splits.train.targets[drawn], n_classes) / len(drawn)
    n_val = len(splits.val)
    classes = [
        ClassSummary(
            name,
            shot_group(int(counts["train"][c])),
            train=int(counts["train"][c]),
            val=int(counts["val"][c]),
            test=int(counts["test"][c]),
            per_batch=float(share[c] * min(batch_size, len(drawn))),
            auroc_width=_width(auroc, int(counts["val"][c]), n_val - int(counts["val"][c])),
        )
        for c, name in enumerate(splits.classes)
    ]
    smallest = min(each.train for each in classes)
    warnings = [*splits.notes, *_about_classes(classes, n_val, auroc, width)]
    errors += _group_leaks(parts)
    if thorough:
        errors += _broken(parts)
    if thorough or isinstance(splits.train, Arrays):
        warnings += _copies(parts, thorough)
    return DataSummary(
        classes=classes,
        examples={split: len(source) for split, source in parts.items()},
        imbalance_factor=max(each.train for each in classes) / smallest if smallest else None,
        errors=errors,
        warnings=warnings,
    )


def _counts(targets: Tensor, n_classes: int) -> NDArray[np.int64]:
    counts = targets.sum(0) if targets.ndim == 2 else torch.bincount(targets, minlength=n_classes)
    array: NDArray[np.int64] = counts.numpy()
    return array


def _strange_targets(parts: dict[str, Source], n_classes: int) -> Iterator[str]:
    for split, source in parts.items():
        targets = source.targets
        least, most = (0, 1) if targets.ndim == 2 else (0, n_classes - 1)
        wrong = (targets < least) | (targets > most)
        if bool(wrong.any()):
            at = int(wrong.flatten().int().argmax()) // (targets.shape[1] if targets.ndim == 2 else 1)
            yield (
                f"{source.names(torch.tensor([at]))[0]} of the {split} split has target {targets[at].tolist()}: "
                f"targets are {least} … {most}"
            )


def _width(auroc: float, n_positive: int, n_negative: int) -> float | None:
    if not n_positive or not n_negative:
        return None
    low, high = planned_auroc_interval(auroc, n_positive, n_negative)
    return high - low


def _about_classes(classes: Sequence[ClassSummary], n_val: int, auroc: float, width: float) -> Iterator[str]:
    for split in ("train", "val", "test"):
        if absent := [each.name for each in classes if not getattr(each, split)]:
            told = "nothing is learnt of it" if split == "train" else "it has no score there"
            yield f"there is no {split} example of {_listed(absent)}: {told}"
    seldom = [each.name for each in classes if each.train and each.per_batch < 1]
    if seldom:
        yield f"a batch has less than one example, in the mean, of {_listed(seldom)}: see batch_size and sampler"
    unsure = [each for each in classes if each.auroc_width is not None and each.auroc_width > width]
    if unsure:
        widest = max(unsure, key=lambda each: each.auroc_width or 0)
        needed = _positives_for(auroc, width, n_val)
        names = _listed([each.name for each in unsure])
        takes = f"{needed} positives" if needed else f"more than {n_val:,} validation examples"
        yield (
            f"validation cannot tell an AUROC of {auroc:g} within {width:g} for {names}: "
            f"with {widest.val} of {widest.name} its 95 % interval is {widest.auroc_width:.2f} wide; that takes {takes}"
        )


def _positives_for(auroc: float, width: float, n: int) -> int | None:
    """The fewest positives among ``n`` examples whose interval is narrow enough."""
    few, enough = 0, n // 2
    if enough < 1 or (_width(auroc, enough, n - enough) or 1) > width:
        return None
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if (_width(auroc, middle, n - middle) or 1) <= width else (middle, enough)
    return enough


def _group_leaks(parts: dict[str, Source]) -> Iterator[str]:
    """Groups on two sides: a column or folders told the split, and did not keep to the groups."""
    groups = {split: getattr(source, "groups", None) for split, source in parts.items()}
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        one, other = groups[a], groups[b]
        if one is None or other is None:
            continue
        at = np.flatnonzero(np.isin(other, one))
        if len(at):
            twin = int(np.flatnonzero(one == other[at[0]])[0])
            names = parts[a].names(torch.tensor([twin]))[0], parts[b].names(torch.tensor([int(at[0])]))[0]
            yield (
                f"{len(np.unique(other[at])):,} groups are in {a} and in {b}, as that of {names[0]} and {names[1]}: "
                "assign whole groups, or let the split be cut"
            )


def _broken(parts: dict[str, Source]) -> list[str]:
    found: list[str] = []
    for split, source in parts.items():
        verify = getattr(source, "verify", None)
        if verify is not None:
            with progress(f"decoding the {split} images") as step:
                found += verify(step)
    return found


def _copies(parts: dict[str, Source], thorough: bool) -> Iterator[str]:
    """The same content on two sides; within a split only where all is looked at."""
    hashes = {}
    for split, source in parts.items():
        with progress(f"comparing the {split} examples"):
            hashes[split] = source.content_hashes()
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        at = np.flatnonzero(np.isin(hashes[b], hashes[a]))
        if len(at):
            twins = [int(np.flatnonzero(hashes[a] == hashes[b][i])[0]) for i in at[:MAX_NAMED]]
            left, right = parts[a].names(torch.tensor(twins)), parts[b].names(torch.from_numpy(at[:MAX_NAMED]))
            pairs = ", ".join(f"{one} = {other}" for one, other in zip(left, right, strict=True))
            yield f"{len(at):,} {b} examples are copies of {a} ones: {pairs}{' …' * (len(at) > MAX_NAMED)}"
    if thorough:
        for split, numbers in hashes.items():
            if repeated := len(numbers) - len(np.unique(numbers)):
                yield f"{repeated:,} {split} examples are copies of others in that split"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED} more"
