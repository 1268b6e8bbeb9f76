"""Slices in a simulation with known truth: false findings, power, coverage of the intervals, error of shrunken recalls.

    python scripts/simulate_slices.py --simulations 2000

A test set has N rows, of which 5 % are positive, and three columns with 2, 5 and 8 values, whose shares are uneven.
Each positive is found with probability 0.85, but in one planted value of the second column, which has M positives, with
a lower one. Each row is one setting, printed as soon as it is done:

"none": no planted slice: how often any slice is called worse or better (at most 5 %), and how often all simultaneous
intervals contain the recall (at least 95 %), beside Wilson's intervals at the same level.
"planted": how often the planted slice is called worse; the rows "promised" have the recall that `detectable_share`
promises to find in 80 % of samples.
"random": the recalls of the 8 values of one column vary, with standard deviation S: the root mean squared error of the
raw and of the shrunken recalls.
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.evaluation.slice_tests import (
    beta_prior_strength,
    detectable_share,
    fisher_exact_test,
    shrunken_share,
    tarone_holm,
)
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.metrics.distributions import clopper_pearson_interval

RECALL, PREVALENCE = 0.85, 0.05
SHARES = ([0.6, 0.4], [0.35, 0.25, 0.2, 0.15, 0.05], [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.04, 0.01])


class Drawn(NamedTuple):
    """The positives of a test set: the value of each in each column, (columns, P), and whether it was found, (P,)."""

    values: NDArray[np.int64]
    found: NDArray[np.bool_]

    @property
    def counts(self) -> list[tuple[list[int], list[int]]]:
        """What was found, and the positives, by value, of each column."""
        return [
            (
                np.bincount(of[self.found], minlength=len(shares)).tolist(),
                np.bincount(of, minlength=len(shares)).tolist(),
            )
            for of, shares in zip(self.values, SHARES, strict=True)
        ]


def draw(rng: np.random.Generator, n_rows: int, planted: int = 0, recall: float = RECALL) -> Drawn:
    """Draw the positives; ``planted`` of them have value 0 of the second column, and are found with ``recall``."""
    n = max(planted, rng.binomial(n_rows, PREVALENCE))
    values = np.stack([rng.choice(len(shares), n, p=shares) for shares in SHARES])
    rate = np.full(n, RECALL)
    if planted:
        rest = np.array(SHARES[1][1:]) / sum(SHARES[1][1:])
        values[1] = np.where(np.arange(n) < planted, 0, 1 + rng.choice(len(rest), n, p=rest))
        rate[:planted] = recall
    return Drawn(values, rng.random(n) < rate)


def adjusted_p(counts: Sequence[tuple[list[int], list[int]]]) -> list[float | None]:
    """Of all slices, one after the other."""
    tests = []
    for found, sizes in counts:
        for tp, n in zip(found, sizes, strict=True):
            tests.append(fisher_exact_test(tp, n, sum(found) - tp, sum(sizes) - n))
    return list(tarone_holm(tests).p)


def false_findings(rng: np.random.Generator, n_rows: int, simulations: int) -> str:
    """The share of test sets with a finding where nothing differs, and of those with all recalls inside intervals."""
    any_found = exact = wilson = 0
    for _ in range(simulations):
        counts = draw(rng, n_rows).counts
        any_found += any(p is not None and p < 0.05 for p in adjusted_p(counts))
        pairs = [(tp, n) for found, sizes in counts for tp, n in zip(found, sizes, strict=True) if n]
        level = 0.95 ** (1 / sum(map(len, SHARES)))
        exact += all(low <= RECALL <= high for low, high in (clopper_pearson_interval(*pair, level) for pair in pairs))
        ends = [wilson_interval(*pair, level) for pair in pairs]
        wilson += all(end is not None and end[0] <= RECALL <= end[1] for end in ends)
    shares = [f"{count / simulations:.3f}" for count in (any_found, exact, wilson)]
    return f"none     N {n_rows:6}  any finding {shares[0]}  in exact intervals {shares[1]}  in Wilson's {shares[2]}"


def power(rng: np.random.Generator, n_rows: int, planted: int, recall: float, simulations: int) -> str:
    """How often the planted slice is called worse."""
    at, found = len(SHARES[0]), 0
    for _ in range(simulations):
        counts = draw(rng, n_rows, planted, recall).counts
        (tp, *_), (n, *_) = counts[1]
        p = adjusted_p(counts)[at]
        found += p is not None and p < 0.05 and tp / n < (sum(counts[1][0]) - tp) / (sum(counts[1][1]) - n)
    return f"planted  N {n_rows:6}  M {planted:4}  recall {recall:.2f}  found {found / simulations:.3f}"


def promised(rng: np.random.Generator, n_rows: int, planted: int, simulations: int) -> str:
    """The power at the recall that would be found with 80 % probability by the normal approximation."""
    n_tests = sum(map(len, SHARES))
    low = detectable_share(planted, round(n_rows * PREVALENCE) - planted, RECALL, 0.05 / n_tests)
    if low is None:
        return f"promised N {n_rows:6}  M {planted:4}  no recall"
    return power(rng, n_rows, planted, low, simulations).replace("planted ", "promised")


def shrinkage(rng: np.random.Generator, n_rows: int, spread: float, simulations: int) -> str:
    """Root mean squared errors over the 8 values of the last column, raw and shrunken."""
    strength = RECALL * (1 - RECALL) / spread**2 - 1 if spread else np.inf
    errors = []
    for _ in range(simulations):
        sizes = np.maximum(1, rng.multinomial(rng.binomial(n_rows, PREVALENCE), SHARES[2]))
        truth = np.full(8, RECALL) if not spread else rng.beta(strength * RECALL, strength * (1 - RECALL), 8)
        found = rng.binomial(sizes, truth)
        prior, overall = beta_prior_strength([(found.tolist(), sizes.tolist())]), float(found.sum() / sizes.sum())
        shrunken = [shrunken_share(int(tp), int(n), overall, prior) for tp, n in zip(found, sizes, strict=True)]
        errors.append([(found / sizes - truth) ** 2, (np.array(shrunken) - truth) ** 2])
    raw, shrunk = np.sqrt(np.mean(errors, axis=(0, 2)))
    return f"random   N {n_rows:6}  S {spread:.2f}  error raw {raw:.3f}  shrunken {shrunk:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    n = options.simulations
    for n_rows in (1000, 5000, 20_000):
        print(false_findings(np.random.default_rng([options.seed, n_rows]), n_rows, n), flush=True)
    for planted in (15, 30, 60, 120):
        for recall in (0.75, 0.65, 0.55, 0.45):
            rng = np.random.default_rng([options.seed, planted, int(100 * recall)])
            print(power(rng, 5000, planted, recall, n), flush=True)
    for planted in (30, 60, 120):
        print(promised(np.random.default_rng([options.seed, planted]), 5000, planted, n), flush=True)
    for spread in (0.0, 0.05, 0.1, 0.2):
        print(shrinkage(np.random.default_rng([options.seed, int(100 * spread)]), 5000, spread, n), flush=True)


if __name__ == "__main__":
    main()
