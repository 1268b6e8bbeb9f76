"""How well a score ranks positives above negatives: everything ROC and PR curves say, exactly, from one sort.

A `Ranking` holds integer counts at every distinct score of a positive. AUROC, average precision, the variance of AUROC
and the curves follow from them without loss, in at most 2P + 2 vertices for P positives.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics.entrance import as_scores, as_target

Counts = NDArray[np.int64]
Scores = NDArray[np.floating[Any]]
WIDE_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


class Curve(NamedTuple):
    """Vertices of the ROC or the PR curve as counts, from the highest threshold to the lowest."""

    threshold: Scores
    tp: Counts
    fp: Counts


class Ranking(NamedTuple):
    """The positives of one class among its negatives.

    ``threshold`` (G,) are the distinct scores of positives, highest first. At each of them ``tp`` positives and ``fp``
    negatives score at least as high, and ``fp_above`` negatives score higher (``fp − fp_above`` are tied).
    Scores without a positive or without a negative are undefined, NaN, never 0.
    """

    threshold: Scores
    tp: Counts
    fp: Counts
    fp_above: Counts
    n_positive: int
    n_negative: int

    @property
    def auroc(self) -> float:
        """P(positive scores higher) + ½ P(tie): the area under the ROC curve, midranks at ties."""
        if not self.is_defined:
            return float("nan")
        # Σ over positives of 2·(negatives below) + (negatives tied), in integers, so that no digit is lost.
        wins = int(np.dot(self._positives_here, 2 * self.n_negative - self.fp - self.fp_above))
        return wins / (2 * self.n_positive * self.n_negative)

    @property
    def average_precision(self) -> float:
        """Σ (R_k − R_{k−1}) P_k over the thresholds, as scikit-learn defines it; the step-wise area under PR."""
        if self.n_positive == 0:
            return float("nan")
        return float(np.dot(self._positives_here, self.tp / (self.tp + self.fp)) / self.n_positive)

    @property
    def auroc_variance(self) -> float:
        """The variance of AUROC by its structural components (DeLong et al. 1988); NaN below 2 of either kind."""
        if min(self.n_positive, self.n_negative) < 2:
            return float("nan")
        of_positives = 1 - (self.fp + self.fp_above) / (2 * self.n_negative)
        of_negatives, negatives = self._negative_components()
        return (
            _weighted_variance(of_positives, self._positives_here) / self.n_positive
            + _weighted_variance(of_negatives, negatives) / self.n_negative
        )

    def partial_auroc(self, max_fpr: float) -> float:
        """The area under the ROC curve up to a false-positive rate, standardised (McClish 1989), as scikit-learn does.

        ½ says that the scores rank no better than chance up to there, 1 that no positive lies below those negatives.
        """
        if isinstance(max_fpr, bool) or not 0 < max_fpr <= 1:
            raise ValueError(f"max_fpr must lie in (0, 1], got {max_fpr!r}")
        if not self.is_defined:
            return float("nan")
        curve = self.curve()
        fpr, tpr = curve.fp / self.n_negative, curve.tp / self.n_positive
        stop = int(np.searchsorted(fpr, max_fpr, "right"))
        end = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
        area = np.trapezoid(np.append(tpr[:stop], end), np.append(fpr[:stop], max_fpr))
        by_chance = max_fpr**2 / 2
        return float(1 + (area - by_chance) / (max_fpr - by_chance)) / 2

    @property
    def is_defined(self) -> bool:
        """Whether there is both a positive and a negative."""
        return self.n_positive > 0 and self.n_negative > 0

    def curve(self) -> Curve:
        """Every vertex of the curves, lossless: before and after each distinct score of a positive.

        ROC is tp / n_positive over fp / n_negative, joined by straight lines; PR is tp / (tp + fp) over
        tp / n_positive.
        """
        tp_before = self.tp - self._positives_here
        return Curve(
            threshold=np.concatenate([[np.inf], np.repeat(self.threshold, 2), [-np.inf]]),
            tp=np.concatenate([[0], np.stack([tp_before, self.tp], 1).ravel(), [self.n_positive]]),
            fp=np.concatenate([[0], np.stack([self.fp_above, self.fp], 1).ravel(), [self.n_negative]]),
        )

    @property
    def _positives_here(self) -> Counts:
        return np.diff(self.tp, prepend=0)

    def _negative_components(self) -> tuple[NDArray[np.float64], Counts]:
        """The share of positives above a negative (½ for ties), and how many negatives have that share."""
        tied = (self.tp - self._positives_here / 2) / self.n_positive
        between = np.concatenate([[0], self.tp]) / self.n_positive
        n_tied = self.fp - self.fp_above
        n_between = np.concatenate([self.fp_above, [self.n_negative]]) - np.concatenate([[0], self.fp])
        return np.concatenate([tied, between]), np.concatenate([n_tied, n_between])


def rank(positive: Scores, negative: Scores) -> Ranking:
    """Rank the scores of positives (P,) among those of negatives (Q,); neither needs an order.

    >>> rank(np.array([0.08, 0.19, 0.34]), np.array([0.13, 0.26])).auroc
    0.5
    """
    return _rank_among(positive, np.concatenate([positive, negative]))


def rank_one_vs_rest(
    scores: Scores | Tensor, target: Counts | Tensor, *, ignore_index: int | None = None
) -> list[Ranking]:
    """Rank every class against all others.

    Arrays are ranked by NumPy, tensors by torch where they lie, a GPU say; the counts are the same integers.

    Args:
        scores: (N, C), a higher score meaning more of that class; any monotone scale of its own for each class.
            What lies class by class in memory, as `log_odds` does, is ranked without another copy of the whole.
        target: class numbers (N,), or for multi-label data 0/1 (N, C).
        ignore_index: such targets are left out.

    Targets are of any integer dtype or bool; lists will do for arrays.
    """
    if isinstance(scores, Tensor):
        placed = _beside(scores, target)
        return rank_columns(scores.T.contiguous(), placed, scores.shape[1], ignore_index=ignore_index)
    scores, target = as_scores(scores), as_target(target, ignore_index=ignore_index)
    return rank_columns(np.ascontiguousarray(scores.T), target, scores.shape[1], ignore_index=ignore_index)


def rank_columns(
    columns: Iterable[Any], target: Any, num_classes: int, *, ignore_index: int | None = None
) -> list[Ranking]:
    """`rank_one_vs_rest` of the scores of one class after another, (N,) each, read one at a time."""
    if target.ndim == 2:
        rankings = []
        for column, labels in zip(columns, target.T, strict=True):
            if ignore_index is not None:
                kept = labels != ignore_index
                column, labels = column[kept], labels[kept]
            rankings.append(_rank_among(column[labels > 0], column))
        return rankings
    if ignore_index is not None and not bool((kept := target != ignore_index).all()):
        columns, target = (column[kept] for column in columns), target[kept]
    members = _members(target, num_classes)
    return [_rank_among(column[rows], column) for column, rows in zip(columns, members, strict=True)]


def _beside(scores: Tensor, target: Any) -> Tensor:
    """The target as a tensor where the scores lie, in a dtype that torch can sort and compare."""
    placed = torch.as_tensor(target, device=scores.device)
    # torch knows little of wider unsigned integers; whether a label holds it can tell in any other.
    return placed.long() if placed.ndim == 1 or placed.dtype in WIDE_UNSIGNED else placed


def _members(target: Any, num_classes: int) -> Any:
    """The rows of each class."""
    target = target.long() if isinstance(target, Tensor) else target  # bincount takes no bool
    if len(target) and not 0 <= target.min() <= target.max() < num_classes:
        raise ValueError(f"targets must lie in [0, {num_classes - 1}], got {target.min()} to {target.max()}")
    if isinstance(target, Tensor):
        return torch.split(target.argsort(), target.bincount(minlength=num_classes).tolist())
    # In as few bytes as will do: NumPy sorts 8 and 16 bits by radix.
    rows = np.argsort(target.astype(np.min_scalar_type(num_classes)), kind="stable")
    return np.split(rows, np.bincount(target, minlength=num_classes).cumsum()[:-1])


def _rank_among(positive: Any, everyone: Any) -> Ranking:
    """Rank the scores of positives (P,) among those of all examples (N,), their own included."""
    ranked = _ranked_by_torch if isinstance(everyone, Tensor) else _ranked_by_numpy
    threshold, here, below, below_or_tied = ranked(positive, everyone)
    here, below, below_or_tied = here[::-1], below[::-1], below_or_tied[::-1]
    tp = np.cumsum(here)
    return Ranking(
        threshold=threshold[::-1],
        tp=tp,
        fp=len(everyone) - below - tp,
        fp_above=len(everyone) - below_or_tied - (tp - here),
        n_positive=len(positive),
        n_negative=len(everyone) - len(positive),
    )


def _ranked_by_numpy(positive: Scores, everyone: Scores) -> tuple[Scores, Counts, Counts, Counts]:
    """The distinct scores of positives, ascending; how many positives have each; how many of all lie below, or tie."""
    threshold, here = np.unique(positive, return_counts=True)
    ascending = np.sort(everyone)  # plain values, no indices: SIMD
    below = np.searchsorted(ascending, threshold, "left")
    below_or_tied = below + here
    tied = ascending.take(below_or_tied, mode="clip") == threshold  # with negatives too: only those are searched again
    below_or_tied[tied] = np.searchsorted(ascending, threshold[tied], "right")
    return threshold, here, below, below_or_tied


def _ranked_by_torch(positive: Tensor, everyone: Tensor) -> tuple[Scores, Counts, Counts, Counts]:
    """`_ranked_by_numpy` on the tensors' own device."""
    threshold, here = torch.unique(positive, return_counts=True)
    ascending = everyone.sort().values
    below = torch.searchsorted(ascending, threshold)
    below_or_tied = torch.searchsorted(ascending, threshold, right=True)
    return threshold.cpu().numpy(), here.cpu().numpy(), below.cpu().numpy(), below_or_tied.cpu().numpy()


def macro(values: Sequence[float]) -> float:
    """The mean over the classes for which the score is defined; NaN if there is none."""
    defined = [value for value in values if not np.isnan(value)]
    return sum(defined) / len(defined) if defined else float("nan")


def _weighted_variance(values: NDArray[np.float64], weights: Counts) -> float:
    n = int(weights.sum())
    mean = np.dot(weights, values) / n
    return float(np.dot(weights, (values - mean) ** 2) / (n - 1))
