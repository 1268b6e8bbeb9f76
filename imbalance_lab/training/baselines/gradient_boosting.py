"""Gradient boosting: LightGBM where it is installed, else scikit-learn's; it stops early on the validation split."""

import sys
import time
from itertools import islice
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from imbalance_lab.training.baselines.examples import (
    FittedModel,
    Logits,
    Rows,
    TableExamples,
    frequent_codes,
    positions,
    spread_over_classes,
)

ROUNDS, PATIENCE, LEARNING_RATE, LEAVES = 500, 30, 0.1, 31
"""Trees at most (of each class), how many after the best one it takes to stop, their learning rate and leaves."""

BLOCK = 25
"""Trees that scikit-learn adds before validation is looked at."""

MAX_CATEGORIES, MAX_ROWS = 254, 500_000
"""Categories of a column that are told apart, others count as missing; rows that are trained on."""


def fit_gradient_boosting(
    train: TableExamples, val: TableExamples, seed: int, *, threads: int, seconds: float
) -> FittedModel:
    """Boosted trees with categories as such and missing values, of the number with the lowest log loss on validation.

    Args:
        train, val: the examples.
        seed: of the rows, if there are more than `MAX_ROWS`.
        threads: how many work.
        seconds: no tree is begun after this time.

    Raises:
        ValueError: if the training rows have only one class.
    """
    part = train.at_most(MAX_ROWS, seed)
    present = np.unique(part.target)
    if len(present) < 2:
        raise ValueError("the training rows have only one class")
    columns = _Columns(part)
    inside = np.isin(val.target, present)
    splits = [
        (columns(each.rows), np.searchsorted(present, each.target)) for each in (part, val.take(np.flatnonzero(inside)))
    ]
    lightgbm = _lightgbm()
    if lightgbm is not None:
        score, n_trees, is_late = _fit_lightgbm(lightgbm, splits, columns.categorical, threads, seed, seconds)
    else:
        score, n_trees, is_late = _fit_scikit_learn(splits, columns.categorical, threads, seed, seconds)

    def logits(rows: Rows) -> Logits:
        return spread_over_classes(score(columns(rows)), present, train.num_classes)

    rows = "" if part is train else f", on {len(part):,} of {len(train):,} training rows"
    late = f", stopped after {seconds:.0f} s" if is_late else ", chosen on validation"
    return FittedModel(logits, f"{'LightGBM' if lightgbm else 'scikit-learn'}, {n_trees:,} trees{late}{rows}")


class _Columns:
    """Encoded rows as trees take them: NaN where a value is missing, the frequent categories counted from 0."""

    def __init__(self, train: TableExamples) -> None:
        self.n_numbers = train.n_numbers
        # Code 0 is a missing or unknown category: it is never known.
        self.known = [codes[codes > 0] for codes in frequent_codes(train.codes, MAX_CATEGORIES + 1)]
        self.known = [codes[:MAX_CATEGORIES] for codes in self.known]
        self.categorical = list(range(self.n_numbers, train.rows.shape[1]))

    def __call__(self, rows: Rows) -> NDArray[np.float64]:
        found = rows.astype(np.float64)
        placed = positions(rows[:, self.n_numbers :].astype(np.int64), self.known)
        found[:, self.n_numbers :] = np.where(placed < 0, np.nan, placed)
        return found


def _lightgbm() -> ModuleType | None:
    """The package; None where it is not installed or does not work.

    On macOS it brings another OpenMP than torch's, and the process may crash (LightGBM's issues 4897 and 6595).
    """
    if sys.platform == "darwin":
        return None
    try:
        import lightgbm  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except (ImportError, OSError):  # it is there, but its libraries are not
        return None
    return lightgbm  # type: ignore[no-any-return,unused-ignore]


def _fit_lightgbm(
    lightgbm: Any, splits: list[Any], categorical: list[int], threads: int, seed: int, seconds: float
) -> tuple[Any, int, bool]:
    """Rows → raw scores, the number of trees, and whether the time was up."""
    n_classes = int(splits[0][1].max()) + 1
    objective = {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    fixed = {"deterministic": True, "force_row_wise": True, "seed": seed, "num_threads": threads, "verbose": -1}
    shape = {"learning_rate": LEARNING_RATE, "num_leaves": LEAVES}
    train, val = (lightgbm.Dataset(rows, target, categorical_feature=categorical) for rows, target in splits)
    val.reference = train
    late = time.monotonic() + seconds
    is_late = False

    def stop(state: Any) -> None:
        nonlocal is_late
        if time.monotonic() > late:
            is_late = True
            raise lightgbm.callback.EarlyStopException(state.iteration, state.evaluation_result_list)

    early = lightgbm.early_stopping(PATIENCE, verbose=False)
    model = lightgbm.train(objective | fixed | shape, train, ROUNDS, valid_sets=[val], callbacks=[early, stop])
    model.free_dataset()
    return lambda rows: np.asarray(model.predict(rows, raw_score=True)), int(model.best_iteration), is_late


def _fit_scikit_learn(
    splits: list[Any], categorical: list[int], threads: int, seed: int, seconds: float
) -> tuple[Any, int, bool]:
    """As `_fit_lightgbm`; trees are added in blocks, and the best number of them is what predicts."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # here: it takes a second
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    (x, y), (on_val, val_target) = splits
    model = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        categorical_features=categorical or None,
        early_stopping=False,
        warm_start=True,
        random_state=seed,
    )
    late, losses, is_late = time.monotonic() + seconds, [np.inf], False
    with threadpool_limits(threads):
        while len(losses) <= ROUNDS and len(losses) - int(np.argmin(losses)) <= PATIENCE and not is_late:
            model.set_params(max_iter=len(losses) - 1 + BLOCK).fit(x, y)
            staged = islice(model.staged_decision_function(on_val), len(losses) - 1, None)
            losses += [_log_loss(scores, val_target) for scores in staged]
            is_late = time.monotonic() > late
    best = int(np.argmin(losses))

    def score(rows: Rows) -> Logits:
        with threadpool_limits(threads):
            return np.asarray(next(islice(model.staged_decision_function(rows), best - 1, None)))

    return score, best, is_late


def _log_loss(scores: NDArray[np.float64], target: NDArray[np.int64]) -> float:
    if scores.ndim == 1 or scores.shape[1] == 1:
        return float(-log_expit(np.where(target == 1, scores.ravel(), -scores.ravel())).mean())
    return float(-log_softmax(scores, 1)[np.arange(len(target)), target].mean())
