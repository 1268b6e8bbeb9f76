"""The influence of each example on a score: standard errors, correlations and paired comparisons follow from it.

An example's influence is the derivative of the score with respect to its weight, with class sizes held fixed (the
infinitesimal jackknife; Efron 1982). For AUROC these are the structural components of DeLong et al. (1988), centered
and divided by the number of positives or negatives. Influences on scores of the same examples add, subtract and average
as the scores do, and `Strata.variance` gives the variance of the result: no covariance matrix is needed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_mask, as_scores, as_target
from imbalance_lab.metrics.ranking import Ranking
from imbalance_lab.metrics.types import Counts, Mask, Scores
from imbalance_lab.task import Target

Influence = NDArray[np.float64]


class Strata:
    """The strata of a sample: the examples of each class, or, for multilabel targets, all examples as one stratum.

    Args:
        target: class indices (N,), or multilabel 0/1 (N, C).

    Attributes:
        of_example: the stratum of each example, (N,).
        sizes: the number of examples in each stratum, (K,).
    """

    def __init__(self, target: Target) -> None:
        labels = as_target(target)
        labels = labels if labels.ndim == 1 else np.zeros(len(labels), np.int64)
        _, self.of_example, self.sizes = np.unique(labels, return_inverse=True, return_counts=True)

    def variances(self, influence: Influence) -> NDArray[np.float64]:
        """The contribution of each stratum to the variance of a score, (K,); 0 for a stratum of one example.

        Args:
            influence: of each example on the score, (N,).
        """
        mean = np.bincount(self.of_example, influence) / self.sizes
        squares = np.bincount(self.of_example, (influence - mean[self.of_example]) ** 2)
        return self.sizes * squares / np.maximum(self.sizes - 1, 1)

    def variance(self, influence: Influence) -> float:
        """The variance of the score with these influences (N,)."""
        return float(self.variances(influence).sum())


class _Steps(NamedTuple):
    """Influences by position in the ranking, highest threshold first."""

    of_positive: NDArray[np.float64]  # (G,) a positive at each threshold
    of_tied: NDArray[np.float64]  # (G,) a negative tied with each threshold
    of_between: NDArray[np.float64]  # (G + 1,) a negative below i thresholds


def satterthwaite(variances: NDArray[np.float64], sizes: Counts) -> float:
    """The degrees of freedom of a sum of variances (K,), each from a sample of its size (K,) (Satterthwaite 1946)."""
    if not variances.any():
        return float("inf")
    return float(variances.sum() ** 2 / (variances**2 / np.maximum(sizes - 1, 1)).sum())


def student_df(variances: NDArray[np.float64], sizes: Counts) -> float:
    """The degrees of freedom of Student's t for a score whose strata (K,) have these variances and sizes.

    Of two strata, such as the positives and negatives of one class, the smaller size − 1, the least that
    Satterthwaite's can be. Of more, Satterthwaite's: one tiny class among many decides little.
    """
    return float(sizes.min() - 1) if len(sizes) == 2 else satterthwaite(variances, sizes)


def auroc_influence(ranking: Ranking, scores: Scores, positive: Mask) -> Influence:
    """Each example's influence on AUROC, (N,).

    Args:
        ranking: of these scores, with at least one positive and one negative.
        scores: (N,).
        positive: which examples are positives, (N,).
    """
    return _per_example(_auroc_steps(ranking), ranking, scores, positive)


def average_precision_influence(ranking: Ranking, scores: Scores, positive: Mask) -> Influence:
    """Each example's influence on average precision, (N,); arguments as for `auroc_influence`."""
    return _per_example(_average_precision_steps(ranking), ranking, scores, positive)


def average_precision_variance(ranking: Ranking) -> float:
    """The variance of average precision from its influences; NaN with fewer than two positives or two negatives."""
    if min(ranking.n_positive, ranking.n_negative) < 2:
        return float("nan")
    steps, tied = _average_precision_steps(ranking), ranking.fp - ranking.fp_above
    between = np.append(ranking.fp_above, ranking.n_negative) - np.concatenate([[0], ranking.fp])
    of_positives = np.dot(ranking.positives_at, steps.of_positive**2)
    of_negatives = np.dot(tied, steps.of_tied**2) + np.dot(between, steps.of_between**2)
    p, q = ranking.n_positive, ranking.n_negative
    return float(p / (p - 1) * of_positives + q / (q - 1) * of_negatives)


def _auroc_steps(ranking: Ranking) -> _Steps:
    p, q, area = ranking.n_positive, ranking.n_negative, ranking.auroc
    positives = ranking.positives_at
    return _Steps(
        of_positive=(1 - (ranking.fp + ranking.fp_above) / (2 * q) - area) / p,
        of_tied=((ranking.tp - positives / 2) / p - area) / q,
        of_between=(np.concatenate([[0], ranking.tp]) / p - area) / q,
    )


def _average_precision_steps(ranking: Ranking) -> _Steps:
    """The derivatives of AP = Σ_i k_i P_i / P: k_i positives at threshold i, P_i = tp_i / (tp_i + fp_i) its precision.

    One more positive adds its own P_i, and ∂P_j/∂tp_j = fp_j / (tp_j + fp_j)² at its own and every lower threshold j;
    one more negative adds ∂P_j/∂fp_j = −tp_j / (tp_j + fp_j)² at its own and every lower threshold j.
    """
    p, q = ranking.n_positive, ranking.n_negative
    positives, flagged = ranking.positives_at, (ranking.tp + ranking.fp).astype(float)
    of_positive = (ranking.tp / flagged + _cumulative_below(positives * ranking.fp / flagged**2)) / p
    of_negative = -_cumulative_below(positives * ranking.tp / flagged**2) / p
    of_positive -= np.dot(positives, of_positive) / p
    mean = np.dot(np.diff(ranking.fp, prepend=0), of_negative) / q  # negatives below every threshold have no effect
    return _Steps(of_positive, of_negative - mean, np.append(of_negative, 0) - mean)


def _cumulative_below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums of the values from each position to the last."""
    return np.cumsum(values[::-1])[::-1]


def _per_example(steps: _Steps, ranking: Ranking, scores: Scores, positive: Mask) -> Influence:
    """Look up each example's position in the ranking, (N,)."""
    scores, positive = as_scores(scores), as_mask(positive)
    n_thresholds = len(ranking.threshold)
    above = n_thresholds - np.searchsorted(ranking.threshold[::-1], scores, "right")
    nearest = np.minimum(above, n_thresholds - 1)
    tied = ranking.threshold[nearest] == scores
    of_negative = np.where(tied, steps.of_tied[nearest], steps.of_between[above])
    return np.where(positive, steps.of_positive[nearest], of_negative)
