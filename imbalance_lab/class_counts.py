"""Facts about classes that follow from their training counts.

Throughout, ``counts`` is (C,): how many training examples each class has *after* any long-tail subsampling.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

PART = 1 << 20
"""Targets that are counted in one go."""

Weighting = Literal["inverse", "sqrt_inverse", "effective"]
ShotGroup = Literal["many", "medium", "few"]


class ShotLimits(NamedTuple):
    """A class is *many* above ``many`` training examples, *few* below ``few``, else *medium*.

    100 and 20 are those of Liu et al. 2019 (arXiv 1904.05160); other papers have others.
    """

    many: int = 100
    few: int = 20

    @classmethod
    def checked(cls, many: object, few: object) -> "ShotLimits":
        """The limits, checked.

        Raises:
            TypeError, ValueError: unless 0 ≤ few ≤ many.
        """
        for name, value in (("many", many), ("few", few)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an integer ≥ 0, got {value!r}")
            if value < 0:
                raise ValueError(f"{name} must be an integer ≥ 0, got {value}")
        limits = cls(*(value for value in (many, few) if isinstance(value, int)))
        if limits.few > limits.many:
            raise ValueError(f"few={few} is above many={many}, so that a class could be both: choose few ≤ many")
        return limits


SHOT_LIMITS = ShotLimits()
"""The usual ones."""

EFFECTIVE_BETA = 0.9999
"""β of the effective number of samples (Cui et al. 2019, arXiv 1901.05555)."""


def count_classes(target: Tensor, num_classes: int) -> Tensor:
    """Count the examples of each class.

    Args:
        target: class indices, (N,), each in [0, num_classes).
        num_classes: C.

    Returns:
        counts (C,), int64.
    """
    if len(target) <= PART:
        return torch.bincount(target, minlength=num_classes)
    parts = target.split(PART)  # type: ignore[no-untyped-call]  # torch makes eight bytes of every smaller integer
    n = max(num_classes, 1 + max(int(part.max()) for part in parts))
    return torch.stack([torch.bincount(part, minlength=n) for part in parts]).sum(0)


def validate_counts(counts: Tensor | Sequence[float]) -> Tensor:
    """Return the counts as float64 (C,); raise a ValueError that names the classes without a training example."""
    counts = torch.as_tensor(counts, dtype=torch.float64)
    if counts.ndim != 1 or not bool(torch.isfinite(counts).all()):
        raise ValueError(f"class counts must be one finite number per class, got {counts.tolist()}")
    empty = (counts <= 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"every class needs a training example, but class {_listed(empty)} has none")
    return counts


def class_priors(counts: Tensor | Sequence[float]) -> Tensor:
    """π_c = n_c / Σ n, the share of each class; float64 (C,)."""
    counts = validate_counts(counts)
    return counts / counts.sum()


def effective_number(counts: Tensor | Sequence[float], beta: float = EFFECTIVE_BETA) -> Tensor:
    """E_c = (1 − β^n_c) / (1 − β), the effective number of samples; float64 (C,).

    Source: Cui et al. 2019, arXiv 1901.05555, eq. 2. β = 0 gives 1 for every class, β → 1 gives n_c.
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must lie in [0, 1), got {beta}")
    counts = validate_counts(counts)
    if beta == 0:
        return torch.ones_like(counts)
    # expm1 keeps the digits that 1 − β^n would lose for β close to 1 and few examples.
    return -torch.expm1(counts * math.log(beta)) / (1 - beta)


def class_weights(counts: Tensor | Sequence[float], weighting: Weighting, *, beta: float = EFFECTIVE_BETA) -> Tensor:
    """Class weights from class counts; float64 (C,), normalized to Σ w = C.

    ``inverse``: w ∝ 1 / n. ``sqrt_inverse``: w ∝ 1 / √n. ``effective``: w ∝ 1 / E (see `effective_number`).
    Equal counts give w = 1 for every class.

    Raises:
        ValueError: naming a class without an example, or an unknown weighting.
    """
    if weighting == "inverse":
        amount = validate_counts(counts)
    elif weighting == "sqrt_inverse":
        amount = validate_counts(counts).sqrt()
    elif weighting == "effective":
        amount = effective_number(counts, beta)
    else:
        raise ValueError(f"no class weighting {weighting!r}: choose inverse, sqrt_inverse or effective")
    weights = 1 / amount
    return weights * (len(weights) / weights.sum())


def shot_group(count: int, limits: ShotLimits = SHOT_LIMITS) -> ShotGroup:
    """The long-tail group of a class with ``count`` training examples: many, medium or few."""
    return "many" if count > limits.many else "few" if count < limits.few else "medium"


def _listed(classes: list[int]) -> str:
    first = ", ".join(map(str, classes[:10]))
    return first if len(classes) <= 10 else f"{first} and {len(classes) - 10} more"
