"""What people would use instead: each with the preprocessing that suits it, early stopping on val, one thread.

Settings are the packages' defaults but for these: logistic regression's C is chosen on the validation rows; boosting
has a learning rate of 0.05 and at most 1,000 rounds, stopped after 50 without a better validation loss (scikit-learn's
after 10, as it keeps the rounds after its best one); forests have 300 trees. Methods without randomness are fitted
once a split.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from imbalance_lab.errors import UsageError
from imbalance_lab.posthoc.activation import negative_log_likelihood
from table_benchmark.prepared import PreparedTable
from table_benchmark.scoring import log_probabilities
from table_benchmark.tabm_reference import fit_tabm

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
"""Probabilities (N, C) of the validation and of the test rows."""


@dataclass(frozen=True)
class Peer:
    """A method: its name, its package on PyPI, how it is fitted with a seed, and whether the seed matters."""

    name: str
    package: str
    fit: Callable[[PreparedTable, int], Pair]
    is_random: bool = False

    @property
    def version(self) -> str:
        """The package with its version.

        Raises:
            UsageError: if it is not installed.
        """
        try:
            return f"{self.package} {version(self.package)}"
        except PackageNotFoundError:
            raise UsageError(f"{self.name} needs the package {self.package}: pip install {self.package}") from None


def logistic_regression(table: PreparedTable, seed: int) -> Pair:
    found = []
    for C in (0.01, 0.1, 1, 10, 100):
        model = LogisticRegression(C=C, max_iter=2000).fit(table.one_hot["train"], table.target["train"])
        val, test = _probabilities(model, table.one_hot)
        found.append((negative_log_likelihood(log_probabilities(val), table.target["val"], "softmax"), C, val, test))
    _, _, val, test = min(found, key=lambda each: each[:2])
    return val, test


def hist_gradient_boosting(table: PreparedTable, seed: int) -> Pair:
    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=1000,
        early_stopping=True,
        categorical_features=table.code_columns or None,
        random_state=seed,
    )
    train, val = table.native["train"], table.native["val"]
    model.fit(train, table.target["train"], X_val=val, y_val=table.target["val"])
    return _probabilities(model, table.native)


def random_forest(table: PreparedTable, seed: int) -> Pair:
    model = RandomForestClassifier(300, random_state=seed).fit(table.one_hot["train"], table.target["train"])
    return _probabilities(model, table.one_hot)


def balanced_random_forest(table: PreparedTable, seed: int) -> Pair:
    forest: Any = import_module("imblearn.ensemble").BalancedRandomForestClassifier
    model = forest(300, random_state=seed).fit(table.one_hot["train"], table.target["train"])
    return _probabilities(model, table.one_hot)


def lightgbm(table: PreparedTable, seed: int) -> Pair:
    package: Any = import_module("lightgbm")
    model = package.LGBMClassifier(
        n_estimators=1000, learning_rate=0.05, n_jobs=1, random_state=seed, verbose=-1, deterministic=True
    )
    model.fit(
        table.native["train"],
        table.target["train"],
        eval_set=[(table.native["val"], table.target["val"])],
        categorical_feature=table.code_columns,
        callbacks=[package.early_stopping(50, verbose=False)],
    )
    return _probabilities(model, table.native)


def xgboost(table: PreparedTable, seed: int) -> Pair:
    package: Any = import_module("xgboost")
    kinds = ["q"] * table.num_numbers + ["c"] * len(table.cardinalities)
    model = package.XGBClassifier(
        n_estimators=1000,
        learning_rate=0.05,
        early_stopping_rounds=50,
        enable_categorical=True,
        feature_types=kinds,
        n_jobs=1,
        random_state=seed,
    )
    val = [(table.native["val"], table.target["val"])]
    model.fit(table.native["train"], table.target["train"], eval_set=val, verbose=False)
    return _probabilities(model, table.native)


def _probabilities(model: Any, inputs: dict[str, Floats]) -> Pair:
    val, test = (np.asarray(model.predict_proba(inputs[split]), np.float64) for split in ("val", "test"))
    return val, test


PEERS = (
    Peer("LogisticRegression", "scikit-learn", logistic_regression),
    Peer("HistGradientBoosting", "scikit-learn", hist_gradient_boosting),
    Peer("RandomForest", "scikit-learn", random_forest, is_random=True),
    Peer("BalancedRandomForest", "imbalanced-learn", balanced_random_forest, is_random=True),
    Peer("LightGBM", "lightgbm", lightgbm),
    Peer("XGBoost", "xgboost-cpu", xgboost),
    Peer("TabM", "tabm", fit_tabm, is_random=True),
)
