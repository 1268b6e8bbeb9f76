"""How well one column alone ranks a class: the numbers themselves, or the rate of the class in each category."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Ranking, rank

FOLDS = 5

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClassRates:
    """Scores of categories, from rows of other folds: their number never makes them look good.

    ``score`` (K, C) is the rate of each class, of K pairs of a fold and a category; ``counts`` (K, C) and ``total``
    (K,) are the rows of that fold with that category, of each class and in all.
    """

    score: Array
    counts: Array
    total: Array

    def auroc(self) -> Array:
        """Of each class, (C,), NaN where undefined."""
        found = []
        for score, positive in zip(self.score.T, self.counts.T, strict=True):
            at = np.unique(score, return_inverse=True)[1]
            everything, of_class = np.bincount(at, self.total), np.bincount(at, positive)
            found.append(_auroc_of_counts(of_class, everything - of_class))
        return np.array(found)

    def ranking(self, c: int) -> Ranking:
        """Of the class ``c``, exact."""
        positive = self.counts[:, c].astype(np.int64)
        negative = self.total.astype(np.int64) - positive
        return rank(np.repeat(self.score[:, c], positive), np.repeat(self.score[:, c], negative))


def class_rates(codes: NDArray[np.int64], members: NDArray[np.bool_]) -> ClassRates:
    """Rates of the classes in the categories ``codes`` (N,), each from the other folds; ``members`` (N, C)."""
    fold = np.random.default_rng(0).permutation(len(codes)) % FOLDS
    n_codes, n_classes = int(codes.max(initial=0)) + 1, members.shape[1]
    cell = fold * n_codes + codes
    total = np.bincount(cell, minlength=FOLDS * n_codes).astype(np.float64)
    counts = np.stack(
        [np.bincount(cell[members[:, c]], minlength=FOLDS * n_codes) for c in range(n_classes)], 1
    ).astype(np.float64)
    prior = members.mean(0)
    cube, sums = counts.reshape(FOLDS, n_codes, n_classes), total.reshape(FOLDS, n_codes)
    score = (cube.sum(0) - cube + prior) / ((sums.sum(0) - sums) + 1)[..., None]
    seen = total > 0
    return ClassRates(score.reshape(-1, n_classes)[seen], counts[seen], total[seen])


def number_auroc(values: NDArray[np.floating[Any]], members: NDArray[np.bool_]) -> Array:
    """AUROC (C,) of numbers (N,) for each class of ``members`` (N, C), from midranks; NaN where undefined."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    midrank = np.cumsum(counts) - (counts - 1) / 2
    ranks = midrank[inverse]
    positive = members.sum(0).astype(np.float64)
    negative = len(values) - positive
    wins = np.array([ranks[members[:, c]].sum() for c in range(members.shape[1])]) - positive * (positive + 1) / 2
    pairs = positive * negative
    return np.asarray(np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0))


def _auroc_of_counts(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """AUROC of P and Q examples at ascending scores."""
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative
    return float(np.dot(positive, below + negative / 2) / pairs) if pairs else float("nan")
