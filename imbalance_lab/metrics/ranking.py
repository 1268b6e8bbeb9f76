"""How well a score ranks positives above negatives: the ROC and PR curves and their areas, exact, from one sort.

A `Ranking` holds integer counts at every distinct score of a positive. AUROC, average precision, the variance of AUROC
and the curves follow from them without loss, with at most 2P + 2 vertices for P positives.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics.array_inputs import as_examples, as_scores, as_target
from imbalance_lab.metrics.types import Counts, Scores
from imbalance_lab.task import Target
from imbalance_lab.validation import check_number


class Curve(NamedTuple):
    """Vertices of the ROC or the PR curve as counts, from the highest threshold to the lowest."""

    threshold: Scores
    tp: Counts
    fp: Counts


class Ranking(NamedTuple):
    """The positives of one class ranked among its negatives.

    ``threshold`` (G,) are the distinct scores of the positives, highest first. At each threshold ``tp`` positives and
    ``fp`` negatives score at least as high, and ``fp_above`` negatives score higher (``fp − fp_above`` are tied).
    Without a positive or without a negative a score is undefined: NaN, never 0.
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
        # Σ over positives of 2·(negatives below) + (negatives tied), exact in integers.
        wins = int(np.dot(self.positives_at, 2 * self.n_negative - self.fp - self.fp_above))
        return wins / (2 * self.n_positive * self.n_negative)

    @property
    def average_precision(self) -> float:
        """Σ (R_k − R_{k−1}) P_k over the thresholds, as scikit-learn defines it; the step-wise area under PR."""
        if self.n_positive == 0:
            return float("nan")
        return float(np.dot(self.positives_at, self.tp / (self.tp + self.fp)) / self.n_positive)

    @property
    def auroc_variance(self) -> float:
        """The variance of AUROC (DeLong et al. 1988); NaN with fewer than two positives or two negatives."""
        if min(self.n_positive, self.n_negative) < 2:
            return float("nan")
        of_positives = 1 - (self.fp + self.fp_above) / (2 * self.n_negative)
        of_negatives, negatives = self._negative_components()
        return (
            _weighted_variance(of_positives, self.positives_at) / self.n_positive
            + _weighted_variance(of_negatives, negatives) / self.n_negative
        )

    def partial_auroc(self, max_fpr: float) -> float:
        """The standardized area under the ROC curve up to a false positive rate (McClish 1989), as in scikit-learn.

        ½ is chance; 1 means that no positive scores below one of the highest ``max_fpr`` of the negatives.
        """
        max_fpr = check_number("max_fpr", max_fpr, above=0, maximum=1)
        if not self.is_defined:
            return float("nan")
        curve = self.curve()
        fpr, tpr = curve.fp / self.n_negative, curve.tp / self.n_positive
        stop = int(np.searchsorted(fpr, max_fpr, "right"))
        last_tpr = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
        area = np.trapezoid(np.append(tpr[:stop], last_tpr), np.append(fpr[:stop], max_fpr))
        chance_area = max_fpr**2 / 2
        return float(1 + (area - chance_area) / (max_fpr - chance_area)) / 2

    @property
    def is_defined(self) -> bool:
        """Whether there are positives and negatives."""
        return self.n_positive > 0 and self.n_negative > 0

    def curve(self) -> Curve:
        """Every vertex of the ROC and PR curves, without loss: before and after each distinct score of a positive.

        The ROC curve joins tp / n_positive over fp / n_negative by straight lines; the PR curve is tp / (tp + fp) over
        tp / n_positive.
        """
        tp_before = self.tp - self.positives_at
        return Curve(
            threshold=np.concatenate([[np.inf], np.repeat(self.threshold, 2), [-np.inf]]),
            tp=np.concatenate([[0], np.stack([tp_before, self.tp], 1).ravel(), [self.n_positive]]),
            fp=np.concatenate([[0], np.stack([self.fp_above, self.fp], 1).ravel(), [self.n_negative]]),
        )

    @property
    def positives_at(self) -> Counts:
        """The number of positives with exactly each threshold's score, (G,)."""
        counts = self.tp.copy()
        counts[1:] -= self.tp[:-1]  # several times as fast as np.diff with its prepend
        return counts

    def _negative_components(self) -> tuple[NDArray[np.float64], Counts]:
        """The share of positives above a negative (½ for ties), and how many negatives have that share."""
        tied = (self.tp - self.positives_at / 2) / self.n_positive
        between = np.concatenate([[0], self.tp]) / self.n_positive
        n_tied = self.fp - self.fp_above
        n_between = np.concatenate([self.fp_above, [self.n_negative]]) - np.concatenate([[0], self.fp])
        return np.concatenate([tied, between]), np.concatenate([n_tied, n_between])


def check_ranking(ranking: object) -> None:
    """Raise TypeError unless it is a `Ranking`."""
    if not isinstance(ranking, Ranking):
        name = type(ranking).__name__
        raise TypeError(f"ranking must be a Ranking, got {name}: make it with rank or rank_one_vs_rest")


def rank(positive: Scores, negative: Scores) -> Ranking:
    """Rank the scores of positives (P,) among those of negatives (Q,), in any order; one of them may be empty.

    Raises:
        TypeError, ValueError: for other shapes, NaN, or no example at all.

    >>> rank(np.array([0.08, 0.19, 0.34]), np.array([0.13, 0.26])).auroc
    0.5
    """
    positive = as_scores(positive, "positive", ndim=1, empty=True)
    everything = np.concatenate([positive, as_scores(negative, "negative", ndim=1, empty=True)])
    if not len(everything):
        raise ValueError("positive and negative must not both be empty: pass at least one example")
    return _rank_among(positive, everything)


def rank_one_vs_rest(
    scores: Scores | Tensor, target: Target | Tensor, *, ignore_index: int | None = None
) -> list[Ranking]:
    """Rank every class against all others.

    Arrays are ranked by NumPy, tensors by torch on their own device; the counts are the same integers.

    Args:
        scores: (N, C), higher meaning more of that class; each class may have a scale of its own. Scores that are
            contiguous by class, as `softmax_log_odds` returns them, are not copied.
        target: class indices (N,), or multilabel 0/1 (N, C), of any integer dtype or bool. Lists are accepted.
        ignore_index: examples (or labels of an example) with this target are left out.

    Raises:
        TypeError, ValueError: for shapes that do not match, NaN, targets out of range, or no example.
    """
    if isinstance(scores, Tensor):
        labels = _target_on_device(scores, target, ignore_index)
        return rank_columns(scores.T.contiguous(), labels, scores.shape[1], ignore_index=ignore_index)
    scores, target = as_examples(scores, target, ignore_index=ignore_index)
    return rank_columns(np.ascontiguousarray(scores.T), target, scores.shape[1], ignore_index=ignore_index)


def rank_columns(
    columns: Iterable[Any], target: Any, num_classes: int, *, ignore_index: int | None = None
) -> list[Ranking]:
    """`rank_one_vs_rest` of an iterable over the classes' scores, (N,) each, read one at a time."""
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
    members = _rows_of_classes(target, num_classes)
    return [_rank_among(column[rows], column) for column, rows in zip(columns, members, strict=True)]


def _target_on_device(scores: Tensor, target: Any, ignore_index: int | None) -> Tensor:
    """The target, checked as `as_examples` does, as a tensor on the scores' device."""
    if scores.ndim != 2 or not scores.numel() or bool(scores.isnan().any()):
        as_scores(scores, ndim=2)  # raises
    labels = as_target(target, num_classes=scores.shape[1], ignore_index=ignore_index)
    if len(labels) != len(scores):
        raise ValueError(f"scores and target must be of the same examples, got {len(scores)} and {len(labels)} of them")
    return torch.tensor(labels, device=scores.device)


def _rows_of_classes(target: Any, num_classes: int) -> Any:
    """The row indices of each class's examples."""
    target = target.long() if isinstance(target, Tensor) else target  # bincount takes no bool
    if len(target) and not 0 <= target.min() <= target.max() < num_classes:
        raise ValueError(f"targets must lie in [0, {num_classes - 1}], got {target.min()} to {target.max()}")
    if isinstance(target, Tensor):
        return torch.split(target.argsort(), target.bincount(minlength=num_classes).tolist())
    # In the smallest dtype: NumPy sorts 8 and 16 bits by radix sort.
    rows = np.argsort(target.astype(np.min_scalar_type(num_classes)), kind="stable")
    return np.split(rows, np.bincount(target, minlength=num_classes).cumsum()[:-1])


def _rank_among(positive: Any, scores: Any) -> Ranking:
    """Rank the scores of positives (P,) among those of all examples (N,), the positives included."""
    ranked = _ranked_by_torch if isinstance(scores, Tensor) else _ranked_by_numpy
    threshold, counts, below, below_or_tied = ranked(positive, scores)
    counts, below, below_or_tied = counts[::-1], below[::-1], below_or_tied[::-1]
    tp = np.cumsum(counts)
    return Ranking(
        threshold=threshold[::-1],
        tp=tp,
        fp=len(scores) - below - tp,
        fp_above=len(scores) - below_or_tied - (tp - counts),
        n_positive=len(positive),
        n_negative=len(scores) - len(positive),
    )


def _ranked_by_numpy(positive: Scores, scores: Scores) -> tuple[Scores, Counts, Counts, Counts]:
    """The positives' distinct scores, ascending; the positives at each; the examples below it; those below or tied."""
    threshold, counts = np.unique(positive, return_counts=True)
    ascending = np.sort(scores)  # plain values, no indices: SIMD
    below = np.searchsorted(ascending, threshold, "left")
    below_or_tied = below + counts
    tied = ascending.take(below_or_tied, mode="clip") == threshold  # with a negative: only these need a second search
    below_or_tied[tied] = np.searchsorted(ascending, threshold[tied], "right")
    return threshold, counts, below, below_or_tied


def _ranked_by_torch(positive: Tensor, scores: Tensor) -> tuple[Scores, Counts, Counts, Counts]:
    """`_ranked_by_numpy` for tensors, on their own device."""
    threshold, counts = torch.unique(positive, return_counts=True)
    ascending = scores.sort().values
    below = torch.searchsorted(ascending, threshold)
    below_or_tied = torch.searchsorted(ascending, threshold, right=True)
    return threshold.cpu().numpy(), counts.cpu().numpy(), below.cpu().numpy(), below_or_tied.cpu().numpy()


def _weighted_variance(values: NDArray[np.float64], weights: Counts) -> float:
    n = int(weights.sum())
    mean = np.dot(weights, values) / n
    return float(np.dot(weights, (values - mean) ** 2) / (n - 1))
