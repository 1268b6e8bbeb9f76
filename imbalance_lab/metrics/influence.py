"""How much each example moves a score: from it follow errors, correlations between scores, and paired comparisons.

An example's influence is the derivative of the score by its weight, the classes' sizes held fixed (the infinitesimal
jackknife; Efron 1982). For AUROC these are the structural components of DeLong et al. (1988), centred and divided by
the number of positives or negatives. Influences of scores of the same examples add, subtract and average as the scores
do, and the variance of the result follows from `Strata.variance`: no covariance matrix is needed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.entrance import as_mask, as_scores, as_target
from imbalance_lab.metrics.ranking import Counts, Ranking, Scores

Influence = NDArray[np.float64]


class Strata:
    """Which examples were sampled together: those of one class, or all of them where labels are not exclusive.

    Args:
        target: class numbers (N,), or multi-label 0/1 (N, C).
    """

    def __init__(self, target: Counts) -> None:
        target = as_target(target)
        labels = target if target.ndim == 1 else np.zeros(len(target), np.int64)
        _, self.of_example, self.sizes = np.unique(labels, return_inverse=True, return_counts=True)

    def variances(self, influence: Influence) -> NDArray[np.float64]:
        """What each stratum adds to the variance of a score, (K,); a stratum of one example adds 0, for all it tells.

        Args:
            influence: of each example on the score, (N,).
        """
        mean = np.bincount(self.of_example, influence) / self.sizes
        squares = np.bincount(self.of_example, (influence - mean[self.of_example]) ** 2)
        return self.sizes * squares / np.maximum(self.sizes - 1, 1)

    def variance(self, influence: Influence) -> float:
        """The variance of a score whose influences these are."""
        return float(self.variances(influence).sum())


class _Steps(NamedTuple):
    """Influences by place in the ranking, highest threshold first."""

    of_positive: NDArray[np.float64]  # (G,) at each threshold
    of_tied: NDArray[np.float64]  # (G,) a negative tied with it
    of_between: NDArray[np.float64]  # (G + 1,) a negative with so many thresholds above it


def satterthwaite(variances: NDArray[np.float64], sizes: Counts) -> float:
    """The degrees of freedom of a sum of variances (K,) estimated from so many examples each (Satterthwaite 1946)."""
    if not variances.any():
        return float("inf")
    return float(variances.sum() ** 2 / (variances**2 / np.maximum(sizes - 1, 1)).sum())


def auroc_influence(ranking: Ranking, scores: Scores, positive: NDArray[np.bool_]) -> Influence:
    """Each example's influence on AUROC, (N,).

    Args:
        ranking: of these scores, with a positive and a negative.
        scores: (N,).
        positive: which examples are positives, (N,).
    """
    return _per_example(_auroc_steps(ranking), ranking, scores, positive)


def average_precision_influence(ranking: Ranking, scores: Scores, positive: NDArray[np.bool_]) -> Influence:
    """Each example's influence on average precision, (N,); arguments as for `auroc_influence`."""
    return _per_example(_average_precision_steps(ranking), ranking, scores, positive)


def average_precision_variance(ranking: Ranking) -> float:
    """The variance of average precision by its influences; NaN below 2 positives or negatives."""
    if min(ranking.n_positive, ranking.n_negative) < 2:
        return float("nan")
    steps, tied = _average_precision_steps(ranking), ranking.fp - ranking.fp_above
    between = np.append(ranking.fp_above, ranking.n_negative) - np.concatenate([[0], ranking.fp])
    of_positives = np.dot(np.diff(ranking.tp, prepend=0), steps.of_positive**2)
    of_negatives = np.dot(tied, steps.of_tied**2) + np.dot(between, steps.of_between**2)
    p, q = ranking.n_positive, ranking.n_negative
    return float(p / (p - 1) * of_positives + q / (q - 1) * of_negatives)


def _auroc_steps(ranking: Ranking) -> _Steps:
    p, q, area = ranking.n_positive, ranking.n_negative, ranking.auroc
    here = np.diff(ranking.tp, prepend=0)
    return _Steps(
        of_positive=(1 - (ranking.fp + ranking.fp_above) / (2 * q) - area) / p,
        of_tied=((ranking.tp - here / 2) / p - area) / q,
        of_between=(np.concatenate([[0], ranking.tp]) / p - area) / q,
    )


def _average_precision_steps(ranking: Ranking) -> _Steps:
    """AP = Σ_i k_i P_i / P, k_i positives at threshold i and P_i = tp_i / (tp_i + fp_i) the precision there.

    A further positive brings its own P_i, and ∂P_j/∂tp_j = fp_j / (tp_j + fp_j)² at every lower threshold j (its own
    among them); a further negative brings ∂P_j/∂fp_j = −tp_j / (tp_j + fp_j)² at every threshold j that it reaches.
    """
    p, q = ranking.n_positive, ranking.n_negative
    here, flagged = np.diff(ranking.tp, prepend=0), (ranking.tp + ranking.fp).astype(float)
    of_positive = (ranking.tp / flagged + _from_here_down(here * ranking.fp / flagged**2)) / p
    of_negative = -_from_here_down(here * ranking.tp / flagged**2) / p
    of_positive -= np.dot(here, of_positive) / p
    mean = np.dot(np.diff(ranking.fp, prepend=0), of_negative) / q  # those below every threshold have no influence
    return _Steps(of_positive, of_negative - mean, np.append(of_negative, 0) - mean)


def _from_here_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cumsum(values[::-1])[::-1]


def _per_example(steps: _Steps, ranking: Ranking, scores: Scores, positive: NDArray[np.bool_]) -> Influence:
    scores, positive = as_scores(scores), as_mask(positive)
    n_thresholds = len(ranking.threshold)
    above = n_thresholds - np.searchsorted(ranking.threshold[::-1], scores, "right")
    nearest = np.minimum(above, n_thresholds - 1)
    tied = ranking.threshold[nearest] == scores
    of_negative = np.where(tied, steps.of_tied[nearest], steps.of_between[above])
    return np.where(positive, steps.of_positive[nearest], of_negative)
