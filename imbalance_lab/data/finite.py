"""Whether the examples of a split can be computed with: finite inputs, targets in range."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from imbalance_lab.data.arrays import Source

PART = 1 << 22
"""Values that are looked at in one go: a mask of them all could be as large as the inputs."""


def first_non_finite(values: Tensor, *, allow_nan: bool = False) -> tuple[int, ...] | None:
    """Where ``values`` (N, …) first have an infinite number, or NaN unless that is allowed; None if nowhere."""
    if not values.is_floating_point() or not values.numel():
        return None
    rows = max(1, PART // max(1, values[0].numel()))
    for start in range(0, len(values), rows):
        part = values[start : start + rows]
        wrong = part.isinf() if allow_nan else ~part.isfinite()
        if bool(wrong.any()):
            example, *place = wrong.nonzero()[0].tolist()
            return start + example, *place
    return None


def check_inputs(split: str, source: "Source", inputs: Tensor, columns: Sequence[str] = ()) -> None:
    """Refuse inputs (N, …) in memory that are not finite.

    Args:
        split: what they are called.
        source: knows the names of the examples.
        inputs: of the source, in its order.
        columns: the names of the columns of a table, in which NaN is a missing value and is imputed.

    Raises:
        ValueError: naming the split, the example and the place in it.
    """
    at = first_non_finite(inputs, allow_nan=bool(columns))
    if at is None:
        return
    example, *place = at
    where = f"column {columns[place[0]]!r}" if columns else f"input {place}" if place else "its input"
    raise ValueError(
        f"{source.names(torch.tensor([example]))[0]} of the {split} split has {inputs[at]:g} in {where}: correct it, "
        "or leave the example out"
    )


def check_targets(split: str, source: "Source", n_classes: int) -> None:
    """Refuse targets that are not class indices (N,) or 0/1 labels (N, C).

    Raises:
        ValueError: naming the split and the example.
    """
    targets = source.targets
    is_label = targets.ndim == 2
    for start in range(0, len(targets), PART):
        part = targets[start : start + PART]
        wrong = (part < 0) | (part > (1 if is_label else n_classes - 1))
        if part.is_floating_point():
            wrong |= part != part.round()  # NaN differs from itself
        if bool(wrong.any()):
            at = start + int(wrong.reshape(len(part), -1).any(1).int().argmax())
            raise ValueError(
                f"{source.names(torch.tensor([at]))[0]} of the {split} split has target {targets[at].tolist()}: "
                f"targets are {'0 or 1' if is_label else f'0 … {n_classes - 1}'}"
            )
    if targets.is_floating_point() or targets.is_complex() or targets.ndim not in (1, 2):
        raise ValueError(
            f"the targets of the {split} split are {str(targets.dtype).removeprefix('torch.')} of shape "
            f"{tuple(targets.shape)}: give class indices (N,) or 0/1 labels (N, {n_classes}) as int64"
        )
