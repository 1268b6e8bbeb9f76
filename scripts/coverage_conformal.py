"""The coverage of class-conditional prediction sets in a simulation study, printed as a Markdown table.

    python scripts/coverage_conformal.py
    python scripts/coverage_conformal.py --simulations 5000 --alpha 0.05

Each simulation draws a calibration set, fits the sets, and counts on a new test set how often they hold the true class.
Promised is a coverage of at least 1 − alpha for a class with a quantile of its own, where k / (n + 1) with
k = ⌈(n + 1)(1 − alpha)⌉ is expected, and for the classes of a cluster together. "± 2σ" are two standard errors of the
mean over the simulations; "spread" is the standard deviation of one coverage, on 100 examples of a class.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.posthoc import (
    Calibration,
    ClassConditionalConformal,
    ClassConditionalSets,
    PostProcessor,
    fit_prediction_sets,
)
from imbalance_lab.posthoc.conformal import conformal_rank

TEST = 100
"""Test examples of each class."""


class Layout(NamedTuple):
    """Calibration examples of each class, and from how many on a class has a quantile of its own (None: the fewest)."""

    counts: tuple[int, ...]
    min_examples: int | None = None


LAYOUTS = {
    "own quantiles": Layout((1000, 200, 50, 20, 9)),
    "three rare classes": Layout((300, 40, 6, 5, 4)),
    "60 classes of 20": Layout((20,) * 60, 21),
}


class Coverage(NamedTuple):
    """The mean coverage of a class, or of the classes of the clusters of a layout, over the simulations.

    ``n`` is the mean number of calibration examples of the quantile, ``error`` the standard error, ``spread`` the
    standard deviation; ``expected`` is exact for a quantile of its own, otherwise the least that is promised.
    """

    layout: str
    quantile: str
    n: float
    coverage: float
    error: float
    spread: float
    expected: float
    mean_size: float

    def holds(self, sigmas: float = 2) -> bool:
        """Whether it is what is expected, or for clusters at least that, within this many standard errors."""
        difference = self.coverage - self.expected
        is_too_high = self.quantile.startswith("class") and difference > sigmas * self.error
        return difference >= -sigmas * self.error and not is_too_high


def draw(counts: Sequence[int], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits (N, C) and targets (N,); classes are of three grades, the later the harder to tell."""
    target, c = np.repeat(np.arange(len(counts)), counts), len(counts)
    gap = np.array([4.5, 3.0, 2.0])[np.arange(c) * 3 // c][target, None]
    return (rng.standard_normal((len(target), c)) + gap * np.eye(c)[target]).astype(np.float32), target


def study(simulations: int, seed: int, alpha: float = 0.1) -> list[Coverage]:
    """The coverage of every class and cluster of every layout; a layout gives the same alone."""
    return [
        row
        for number, (name, layout) in enumerate(LAYOUTS.items())
        for row in _study(name, layout, simulations, np.random.default_rng([seed, number]), alpha)
    ]


def _study(name: str, layout: Layout, simulations: int, rng: np.random.Generator, alpha: float) -> Iterator[Coverage]:
    method, c = ClassConditionalConformal(alpha, layout.min_examples), len(layout.counts)
    blank = PostProcessor([str(k) for k in range(c)], Calibration("softmax", 1.0, (0.0,) * c, None), None, ("",) * c)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    sizes = []
    for _ in range(simulations):
        fitted = fit_prediction_sets(blank, method, *draw(layout.counts, rng))
        logits, target = draw((TEST,) * c, rng)
        sets = fitted.sets(logits)
        sizes.append(sets.sum(1).mean())
        covered = sets[np.arange(len(target)), target].reshape(c, TEST).mean(1)
        for quantile, n, share in _by_quantile(fitted.prediction_sets, covered):
            found[quantile].append((n, share))
    for quantile, values in found.items():
        n, coverage = np.array(values).T
        own = quantile.startswith("class")
        yield Coverage(
            *(name, quantile, float(n.mean()), float(coverage.mean())),
            error=float(coverage.std(ddof=1) / np.sqrt(len(coverage))),
            spread=float(coverage.std(ddof=1)),
            expected=conformal_rank(int(n[0]), alpha) / (n[0] + 1) if own else 1 - alpha,
            mean_size=float(np.mean(sizes)),
        )


def _by_quantile(sets: ClassConditionalSets | None, covered: NDArray[np.float64]) -> Iterator[tuple[str, float, float]]:
    """Of each class with a quantile of its own, and of the others by kind: a name, calibration examples, coverage."""
    assert sets is not None
    shared: dict[str, list[int]] = defaultdict(list)
    for k, quantile in enumerate(sets.quantiles):
        if quantile.cluster is None:
            yield f"class {k}", quantile.n, float(covered[k])
        else:
            shared["null cluster" if quantile.cluster == "null" else "clusters"].append(k)
    for name, members in shared.items():
        # Classes are mixed on test as in calibration; over several clusters, so are these.
        weight = np.array([sets.quantiles[k].n_class for k in members])
        n = np.mean([sets.quantiles[k].n for k in members])
        yield name, float(n), float(np.average(covered[members], weights=weight))


def table(rows: Sequence[Coverage]) -> Iterator[str]:
    """The lines of the Markdown table."""
    yield "| layout | quantile of | calibration n | coverage ± 2σ | expected | within 2σ | spread | mean set size |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        bound = "" if row.quantile.startswith("class") else "≥ "
        yield (
            f"| {row.layout} | {row.quantile} | {row.n:.0f} | {row.coverage:.2%} ± {2 * row.error:.2%} "
            f"| {bound}{row.expected:.2%} | {'yes' if row.holds() else 'no'} | {row.spread:.1%} | {row.mean_size:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--simulations", type=int, default=1000, help="calibration sets of each layout")
    parser.add_argument("--alpha", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    command = f"python scripts/coverage_conformal.py --simulations {options.simulations} --alpha {options.alpha:g}"
    print(f"`{command} --seed {options.seed}`\n")
    print("\n".join(table(study(options.simulations, options.seed, options.alpha))))


if __name__ == "__main__":
    main()
