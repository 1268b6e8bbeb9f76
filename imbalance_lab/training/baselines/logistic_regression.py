"""Logistic regression as it usually meets a table: imputed, scaled, one-hot, its penalty chosen on validation."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from imbalance_lab.training.baselines.examples import (
    FittedModel,
    Logits,
    Rows,
    TableExamples,
    frequent_codes,
    positions,
    spread_over_classes,
)

PENALTIES = (0.01, 0.1, 1.0, 10.0)
"""scikit-learn's C, the strongest penalty first."""

MAX_CATEGORIES, MAX_CELLS, MAX_ITERATIONS = 100, 10_000_000, 200
"""Categories of a column with an input of their own; rows × inputs that are trained on; steps of the optimizer."""


@dataclass(frozen=True)
class _Inputs:
    """Medians, gaps, scales and categories of the training rows.

    A missing number is the median and has an indicator, where the training rows have gaps; a category that is not among
    the frequent ones has no input.
    """

    median: NDArray[np.float64]
    gaps: NDArray[np.bool_]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    known: list[NDArray[np.int64]]

    @classmethod
    def fitted(cls, train: TableExamples) -> "_Inputs":
        numbers = train.numbers.astype(np.float64)
        missing = np.isnan(numbers)
        median = np.zeros(train.n_numbers)
        some = ~missing.all(0)
        median[some] = np.nanmedian(numbers[:, some], 0)
        filled = np.where(missing, median, numbers)
        std = filled.std(0)
        known = frequent_codes(train.codes, MAX_CATEGORIES)
        return cls(median, np.asarray(missing.any(0)), filled.mean(0), np.where(std > 0, std, 1.0), known)

    @property
    def width(self) -> int:
        """The number of inputs."""
        return len(self.median) + int(self.gaps.sum()) + sum(map(len, self.known))

    def __call__(self, rows: Rows) -> NDArray[np.float64]:
        """Rows (N, F) → inputs (N, width)."""
        k, n = len(self.median), len(rows)
        numbers = rows[:, :k].astype(np.float64)
        missing = np.isnan(numbers)
        inputs = np.zeros((n, self.width))
        inputs[:, :k] = (np.where(missing, self.median, numbers) - self.mean) / self.std
        start = k + int(self.gaps.sum())
        inputs[:, k:start] = missing[:, self.gaps]
        placed = positions(rows[:, k:].astype(np.int64), self.known)
        for g, of_column in enumerate(self.known):
            at = np.flatnonzero(placed[:, g] >= 0)
            inputs[at, start + placed[at, g]] = 1
            start += len(of_column)
        return inputs


def fit_logistic_regression(train: TableExamples, val: TableExamples, seed: int) -> FittedModel:
    """scikit-learn's ``LogisticRegression`` with the penalty of `PENALTIES` that has the lowest log loss on validation.

    Wide or long tables are trained on a random part of their rows, so that it takes seconds.

    Raises:
        ValueError: if the training rows have only one class.
    """
    from sklearn.linear_model import LogisticRegression  # here: it takes a second

    inputs = _Inputs.fitted(train)
    part = train.at_most(max(MAX_CELLS // inputs.width, 1000), seed)
    present = np.unique(part.target)
    if len(present) < 2:
        raise ValueError("the training rows have only one class")
    x, on_val = inputs(part.rows), inputs(val.rows)
    model = LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few steps more would change little
        for penalty in PENALTIES:
            model.set_params(C=penalty).fit(x, part.target)
            scores = spread_over_classes(model.decision_function(on_val), present, train.num_classes)
            found.append((_log_loss(scores, val.target), penalty, model.coef_.copy(), model.intercept_.copy()))
    _, penalty, coefficients, intercept = min(found, key=lambda each: each[0])

    def logits(rows: Rows) -> Logits:
        scores = inputs(rows) @ coefficients.T + intercept
        return spread_over_classes(scores[:, 0] if scores.shape[1] == 1 else scores, present, train.num_classes)

    rows = "" if part is train else f", on {len(part):,} of {len(train):,} training rows"
    return FittedModel(logits, f"scikit-learn, C = {penalty:g} chosen on validation{rows}")


def _log_loss(logits: Logits, target: NDArray[np.int64]) -> float:
    return float(-log_softmax(logits, 1)[np.arange(len(target)), target].mean())
