"""How well a score ranks positives above negatives: everything ROC and PR curves say, exactly, from two sorts.

A `Ranking` holds integer counts at every distinct score of a positive. AUROC, average precision, the variance of AUROC
and the curves follow from them without loss, in at most 2P + 2 vertices for P positives.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Counts = NDArray[np.int64]
Scores = NDArray[np.floating[Any]]


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
    threshold, positives_here = np.unique(positive, return_counts=True)
    ascending = np.sort(negative)
    above_or_tied = len(ascending) - np.searchsorted(ascending, threshold, "left")
    above = len(ascending) - np.searchsorted(ascending, threshold, "right")
    return Ranking(
        threshold=threshold[::-1],
        tp=np.cumsum(positives_here[::-1]),
        fp=above_or_tied[::-1],
        fp_above=above[::-1],
        n_positive=len(positive),
        n_negative=len(negative),
    )


def rank_one_vs_rest(scores: Scores, target: NDArray[np.int64]) -> list[Ranking]:
    """Rank every class against all others.

    Args:
        scores: (N, C), a higher score meaning more of that class; any monotone scale of its own for each class.
        target: class numbers (N,), or for multi-label data 0/1 (N, C).
    """
    if target.ndim == 2:
        return [rank(s[t > 0], s[t <= 0]) for s, t in zip(scores.T, target.T, strict=True)]
    # One sort by class turns each class's positives and negatives into slices.
    by_class = np.argsort(target, kind="stable")
    edges = np.searchsorted(target[by_class], np.arange(scores.shape[1] + 1))
    columns = np.ascontiguousarray(scores[by_class].T)
    return [
        rank(column[start:stop], np.concatenate([column[:start], column[stop:]]))
        for column, start, stop in zip(columns, edges[:-1], edges[1:], strict=True)
    ]


def log_odds(logits: Tensor) -> Tensor:
    """Turn logits into log p_c / (1 − p_c), p = softmax(z), which ranks like the probability but never saturates.

    A float32 probability is 1 from a lead of 17 on and 0 from −104 on: all such examples tie. Log-odds do not.

    Args:
        logits: (N, C), C ≥ 2.

    Returns:
        (N, C), float32 or wider.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    peak, top = logits.max(1, keepdim=True)
    exponentials = (logits - peak).exp()
    # Subtracting e_c from the total is safe for every class but the leader, which is at least half of it.
    others = exponentials.scatter(1, top, 0).sum(1, keepdim=True) + 1 - exponentials
    followers = logits - peak - others.clamp(min=torch.finfo(logits.dtype).tiny).log()
    leader = peak - logits.scatter(1, top, -torch.inf).logsumexp(1, keepdim=True)
    return followers.scatter(1, top, leader)


def macro(values: Sequence[float]) -> float:
    """The mean over the classes for which the score is defined; NaN if there is none."""
    defined = [value for value in values if not np.isnan(value)]
    return sum(defined) / len(defined) if defined else float("nan")


def _weighted_variance(values: NDArray[np.float64], weights: Counts) -> float:
    n = int(weights.sum())
    mean = np.dot(weights, values) / n
    return float(np.dot(weights, (values - mean) ** 2) / (n - 1))
