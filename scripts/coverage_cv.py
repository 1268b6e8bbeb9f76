"""How often the tests of a cross-validation call two equal settings different, over real tables (A versus A).

    python scripts/coverage_cv.py
    python scripts/coverage_cv.py --replicates 400 --tables 10

Two equal settings are cross-validated on the same folds of a table, and their AUROCs compared by the corrected
resampled t test of `imbalance_lab.metrics.resampled_mean`, and by the usual paired t test on the folds, at 5 %. Each
replicate deals the folds anew. The tables are those of `scripts/table_benchmark`, 45 of them, each cut to 600 rows; of
several classes the rarest with 20 rows is set against the rest.

The settings are equal in three ways:

    seed of each fold    nets with 30 random tanh units and a fitted last layer; every fold has its own random units, as
                         the folds of this program have
    one seed             the same nets, but a setting has the same random units in all of its folds
    worthless columns    linear models; each setting reads 20 columns of noise of its own beside those of the table, so
                         that a fold's luck with them is that of the others too
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from table_benchmark.sources import SOURCES

from imbalance_lab.data.folds import deal
from imbalance_lab.metrics import rank, resampled_mean

MAX_ROWS, MIN_POSITIVES, UNITS, NOISE = 600, 20, 30, 20
LEVEL = 0.05
DESIGNS = ((5, 1), (10, 1), (5, 2), (10, 10))
"""Folds and repeats."""
SETTINGS = ("seed of each fold", "one seed", "worthless columns")

Values = NDArray[np.float64]


def read_tables(most: int) -> Iterator[tuple[str, Values, NDArray[np.int64]]]:
    """Name, standardized columns (N, F) and whether each row is positive (N,)."""
    import pandas as pd

    for source in SOURCES[:most]:
        frame = source.read()
        target = frame.pop("class")
        counts = target.value_counts()
        positive = counts[counts >= MIN_POSITIVES].index[-1]
        if counts[positive] == len(frame):
            continue
        x = pd.get_dummies(frame, dummy_na=False).fillna(0).to_numpy(np.float64)
        y = (target == positive).to_numpy().astype(np.int64)
        rows = _sample(y)
        x, y = x[rows], y[rows]
        varied = x.std(0) > 0
        yield source.name, (x[:, varied] - x[:, varied].mean(0)) / x[:, varied].std(0), y


def _sample(y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to `MAX_ROWS` rows, with `MIN_POSITIVES` positives at least."""
    shuffled = np.random.default_rng(0).permutation(len(y))
    positives, negatives = (shuffled[y[shuffled] == each] for each in (1, 0))
    n = max(MIN_POSITIVES, round(MAX_ROWS * len(positives) / len(y))) if len(y) > MAX_ROWS else len(positives)
    return np.sort(np.concatenate([positives[:n], negatives[: MAX_ROWS - n]]))


def features(x: Values, seed: int, kind: str) -> Values:
    """What a setting's last layer reads, with a constant."""
    generator = np.random.default_rng(seed)
    if kind == "worthless columns":
        inner = np.concatenate([x, generator.normal(size=(len(x), NOISE))], 1)
    else:
        weights = generator.normal(size=(x.shape[1], UNITS)) / np.sqrt(x.shape[1])
        inner = np.tanh(x @ weights * 2 + generator.normal(size=UNITS))
    return np.concatenate([inner, np.ones((len(x), 1))], 1)


def fold_auroc(inner: Values, y: NDArray[np.int64], tested: NDArray[np.bool_]) -> float:
    """AUROC on the tested rows of a ridge regression fitted on the others."""
    a, b = inner[~tested], y[~tested] - y[~tested].mean()
    weights = np.linalg.solve(a.T @ a + np.eye(a.shape[1]), a.T @ b)
    scores = (inner[tested] @ weights).astype(np.float32)
    return rank(scores[y[tested] == 1], scores[y[tested] == 0]).auroc


def differences(x: Values, y: NDArray[np.int64], folds: int, repeats: int, seed: int, kind: str) -> list[float]:
    """The AUROC of one setting minus that of its equal, on each fold."""
    found = []
    for repeat in range(repeats):
        part = deal(y, folds, seed * 1000 + repeat)
        for number in range(folds):
            own = repeat * folds + number if kind == "seed of each fold" else 0
            a, b = (features(x, (seed * 2 + setting) * 1000 + own, kind) for setting in (0, 1))
            found.append(fold_auroc(a, y, part == number) - fold_auroc(b, y, part == number))
    return found


def main() -> None:
    """Print the share of false alarms by design, as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=100, help="of each table")
    parser.add_argument("--tables", type=int, default=len(SOURCES))
    parser.add_argument("--settings", choices=SETTINGS, nargs="+", default=SETTINGS)
    arguments = parser.parse_args()
    tables = list(read_tables(arguments.tables))
    print(f"{len(tables)} tables, {arguments.replicates} replicates of each\n")
    print(
        "| equal settings | folds × repeats | corrected resampled t | worst table | t test on the folds | worst table |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for kind in arguments.settings:
        for folds, repeats in DESIGNS:
            replicates = max(arguments.replicates // repeats, 20)
            rates = []
            for _, x, y in tables:
                alarms = np.zeros(2)
                for seed in range(replicates):
                    values = differences(x, y, folds, repeats, seed, kind)
                    usual = stats.ttest_1samp(values, 0).pvalue if np.ptp(values) else 1.0
                    alarms += np.array([resampled_mean(values, 1 / (folds - 1)).p, usual]) < LEVEL
                rates.append(alarms / replicates)
            (corrected, usual), (worst, worst_usual) = np.mean(rates, 0), np.max(rates, 0)
            error = np.sqrt(LEVEL * (1 - LEVEL) / replicates / len(tables))
            print(
                f"| {kind} | {folds} × {repeats} | {corrected:.3f} (± {2 * error:.3f}) | {worst:.2f} | {usual:.3f} | "
                f"{worst_usual:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
