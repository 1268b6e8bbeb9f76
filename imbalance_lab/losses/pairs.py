"""Pairs of a positive and any other example, whose order the losses of rankings judge."""

from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses.checks import can_read_values
from imbalance_lab.losses.targets import binary_targets
from imbalance_lab.validation import check_choice

Surrogate = Literal["squared_hinge", "logistic"]


class Pairs(NamedTuple):
    """The losses of pairs, L labels each on its own.

    Attributes:
        rows: the examples that may be positive, (P,): positions in the batch.
        losses: ℓ(h_i − h_j) ≥ 0 of row i and every example j, (P, N, L).
        is_positive: which rows have the label, (P, L).
        positive: which examples have the label, (N, L).
        negative: which do not, (N, L); unknown ones are neither.
    """

    rows: Tensor
    losses: Tensor
    is_positive: Tensor
    positive: Tensor
    negative: Tensor


def check_surrogate(surrogate: Surrogate) -> Surrogate:
    """Return ``surrogate``, or raise a ValueError that names the choices."""
    check_choice("surrogate", surrogate, get_args(Surrogate))
    return surrogate


def pair_losses(logits: Tensor, target: Tensor, surrogate: Surrogate, margin: float, ignore_index: int) -> Pairs:
    """Compare every positive with every example.

    Args:
        logits: z, (N, L), at least float32.
        target: 0 or 1, (N, L), or class indices (N,), taken one against the rest.
        surrogate: "squared_hinge": max(0, m − (h_i − h_j))² with h = σ(z); or "logistic": log(1 + e^(m − (z_i − z_j))).
        margin: m.
        ignore_index: a target value that is neither positive nor negative.

    Raises:
        ValueError: as `members`.
    """
    positive, negative = members(logits, target, ignore_index)
    every = torch.arange(len(logits), device=logits.device)
    # To find the rows, a GPU would have to be waited for.
    rows = every[positive.any(1)] if can_read_values(positive) else every
    scores = logits.sigmoid() if surrogate == "squared_hinge" else logits
    lag = margin - (scores[rows].unsqueeze(1) - scores.unsqueeze(0))
    losses = lag.clamp(min=0).square() if surrogate == "squared_hinge" else F.softplus(lag)
    return Pairs(rows, losses, positive[rows], positive, negative)


def members(logits: Tensor, target: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Which examples have each label, and which have it not, (N, L) each; unknown ones are neither.

    Raises:
        ValueError: for a label between 0 and 1, which has no place in an order.
    """
    y, ignored = binary_targets(logits, target, ignore_index)
    if y.is_floating_point() and can_read_values(y) and bool(((y > 0) & (y < 1)).any()):
        raise ValueError(
            "a loss of rankings needs labels of 0 and 1, got one in between: leave out mixing and smoothing"
        )
    known = torch.ones_like(y, dtype=torch.bool) if ignored is None else ~ignored
    return (y == 1) & known, (y == 0) & known


def mean_of(values: Tensor, members: Tensor, dim: int) -> Tensor:
    """The mean over the members along ``dim``, 0 if there are none; ``members`` is broadcast to the values."""
    count = members.sum(dim)
    return values.masked_fill(~members, 0).sum(dim) / count.clamp(min=1)


def log_mean_exp(values: Tensor, members: Tensor, dim: int) -> Tensor:
    """Log of the mean exponential over the members along ``dim``, 0 if there are none."""
    count = members.expand_as(values).sum(dim)
    total = values.masked_fill(~members, torch.finfo(values.dtype).min / 4).logsumexp(dim)
    return torch.where(count > 0, total - count.clamp(min=1).to(values).log(), 0)


def batch_prior(positive: Tensor, negative: Tensor, like: Tensor) -> Tensor:
    """The share of positives among the labels that are known, (L,), of masks (N, L); in the dtype of ``like``."""
    positives = positive.sum(0).to(like)
    return positives / (positives + negative.sum(0)).clamp(min=1)
