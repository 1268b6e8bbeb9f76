"""What the data look like before training: class counts, what validation can measure, leaks, unreadable files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.class_counts import ShotGroup, count_classes, shot_group
from imbalance_lab.data.arrays import Source, Splits
from imbalance_lab.data.copies import describe_copies, label_conflicts, read_contents
from imbalance_lab.data.labels import group_ids
from imbalance_lab.metrics import planned_auroc_interval
from imbalance_lab.samplers import Sampler
from imbalance_lab.samplers.windows import is_windowed, part_of

MAX_NAMED = 5
"""Examples or classes that a sentence names."""


MAX_DRAWN = 1 << 20
"""Draws of an epoch that is too large to be drawn whole."""


@dataclass(frozen=True)
class ClassSummary:
    """One class, or label: its examples in each split, the expected number in a training batch.

    ``auroc_width`` is the planned width of the 95 % interval of its AUROC on validation; None if validation lacks
    positives or negatives, or there is none.
    """

    name: str
    group: ShotGroup
    train: int
    test: int
    per_batch: float
    auroc_width: float | None
    val: int = 0
    calibration: int = 0


@dataclass(frozen=True)
class DataSummary:
    """The classes, the examples of each split, and what is wrong or unusual; errors forbid training.

    ``guesses`` are what was taken for granted in reading the data.
    """

    classes: Sequence[ClassSummary]
    examples: dict[str, int]
    imbalance_factor: float | None
    errors: Sequence[str]
    warnings: Sequence[str]
    guesses: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def summarize(
    splits: Splits, sampler: Sampler, batch_size: int, *, thorough: bool, auroc: float = 0.9, width: float = 0.2
) -> DataSummary:
    """Summarize the splits.

    Args:
        splits: the data.
        sampler: of the training split; the examples of its first epoch, or the first `MAX_DRAWN`, are counted.
        batch_size: over all processes.
        thorough: decode every file and compare all contents, even if that takes long.
        auroc, width: warn if validation would measure an AUROC of ``auroc`` with an interval wider than ``width``.
    """
    parts = splits.parts
    examples = {split: len(source) for split, source in parts.items()}
    classes = _summarize_classes(splits, sampler, batch_size, auroc)
    warnings = [*splits.notes, *_class_warnings(classes, examples, auroc, width)]
    errors = list(_group_leaks(parts))
    contents = read_contents(parts, thorough=thorough)
    errors += [*contents.faults, *label_conflicts(splits, contents)]
    warnings += describe_copies(parts, contents, thorough=thorough)
    smallest = min(each.train for each in classes)
    factor = max(each.train for each in classes) / smallest if smallest else None
    return DataSummary(classes, examples, factor, errors, warnings, list(splits.guesses))


def _summarize_classes(splits: Splits, sampler: Sampler, batch_size: int, auroc: float) -> list[ClassSummary]:
    n_classes = len(splits.classes)
    counts = {split: _counts(source.targets, n_classes) for split, source in splits.parts.items()}
    n_drawn = min(len(splits.train), MAX_DRAWN)
    drawn = part_of(sampler, 0, 0, n_drawn) if is_windowed(sampler) else sampler.order(0)
    on_val = counts.get("val", np.zeros(n_classes, np.int64))
    n_val = 0 if splits.val is None else len(splits.val)
    per_batch = _counts(splits.train.targets[drawn], n_classes) * (min(batch_size, len(drawn)) / len(drawn))
    return [
        ClassSummary(
            name,
            shot_group(int(counts["train"][c]), splits.limits),
            per_batch=float(per_batch[c]),
            auroc_width=_width(auroc, int(on_val[c]), n_val - int(on_val[c])),
            **{split: int(each[c]) for split, each in counts.items()},
        )
        for c, name in enumerate(splits.classes)
    ]


def _counts(targets: Tensor, n_classes: int) -> NDArray[np.int64]:
    counts = targets.sum(0) if targets.ndim == 2 else count_classes(targets, n_classes)
    array: NDArray[np.int64] = counts.numpy()
    return array


def _width(auroc: float, n_positive: int, n_negative: int) -> float | None:
    if not n_positive or not n_negative:
        return None
    low, high = planned_auroc_interval(auroc, n_positive, n_negative)
    return high - low


EFFECT = {
    "train": "it cannot be learned",
    "val": "its scores there are undefined",
    "test": "its scores there are undefined",
    "calibration": "no prediction set can be promised to hold it",
}
"""What it means that a split has no example of a class."""


def _class_warnings(
    classes: Sequence[ClassSummary], examples: Mapping[str, int], auroc: float, width: float
) -> Iterator[str]:
    n_val = examples.get("val", 0)
    for split in examples:
        if absent := [each.name for each in classes if not getattr(each, split)]:
            yield f"there is no {split} example of {_listed(absent)}: {EFFECT[split]}"
    rare = [each.name for each in classes if each.train and each.per_batch < 1]
    if rare:
        yield f"a batch has on average less than one example of {_listed(rare)}: see batch_size and sampler"
    wide = [each for each in classes if each.auroc_width is not None and each.auroc_width > width]
    if wide:
        widest = max(wide, key=lambda each: each.auroc_width or 0)
        needed = _positives_for(auroc, width, n_val)
        names = _listed([each.name for each in wide])
        takes = f"{needed} positives" if needed else f"more than {n_val:,} validation examples"
        yield (
            f"validation cannot measure an AUROC of {auroc:g} within {width:g} for {names}: with {widest.val} "
            f"examples of {widest.name} its 95 % interval is {widest.auroc_width:.2f} wide; {width:g} takes {takes}"
        )


def _positives_for(auroc: float, width: float, n: int) -> int | None:
    """The smallest number of positives among ``n`` examples whose interval is narrow enough."""
    too_few, enough = 0, n // 2
    if enough < 1 or (_width(auroc, enough, n - enough) or 1) > width:
        return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        is_enough = (_width(auroc, middle, n - middle) or 1) <= width
        too_few, enough = (too_few, middle) if is_enough else (middle, enough)
    return enough


def _group_leaks(parts: Mapping[str, Source]) -> Iterator[str]:
    """Groups in two splits: a column or folders gave the split, and did not keep groups together."""
    values = {split: getattr(source, "groups", None) for split, source in parts.items()}
    known = {split: pa.array(each) for split, each in values.items() if each is not None}
    ends = np.cumsum([len(each) for each in known.values()])[:-1]
    codes = np.split(group_ids(pa.chunked_array(list(known.values()))), ends) if known else []
    groups = dict(zip(known, codes, strict=True))
    for a, b in combinations(known, 2):
        one, other = groups[a], groups[b]
        at = np.flatnonzero(np.isin(other, one))
        if len(at):
            twin = int(np.flatnonzero(one == other[at[0]])[0])
            names = parts[a].names(torch.tensor([twin]))[0], parts[b].names(torch.tensor([int(at[0])]))[0]
            yield (
                f"{len(np.unique(other[at])):,} groups are in {a} and in {b}, such as that of {names[0]} and "
                f"{names[1]}: assign whole groups, or remove the split column or folders"
            )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED} more"
