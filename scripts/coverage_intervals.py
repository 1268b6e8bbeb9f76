"""The coverage of the 95 % intervals in a simulation study, printed as a Markdown table.

    python scripts/coverage_intervals.py
    python scripts/coverage_intervals.py --part uneven --simulations 2000

A cell of the study is one setting; coverage is the share of simulated test sets whose interval contains the true value.
The table has its mean over the cells and the worst cell. In the part "binormal" scores are N(0, 1) for negatives and
N(√2 Φ⁻¹(AUROC), 1) for positives. In the part "uneven" the examples of a class are not of one kind: unequal variances,
mixtures and contaminated samples, heavy tails, skewed scores, ties. Macro scores and differences have both. True values
are integrals. Proportions are not simulated: their coverage is the exact sum over the binomial distribution.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import binom, norm
from simulated_scores import UNEVEN, Setting, binormal, sample, shift, true_scores

from imbalance_lab import metrics
from imbalance_lab.metrics.bootstrap import percentile_interval, stratified_bootstrap
from imbalance_lab.metrics.influence import (
    Strata,
    auroc_influence,
    average_precision_influence,
    average_precision_variance,
)

POSITIVES = (5, 10, 20, 50, 100, 200)
PREVALENCES = (0.01, 0.1, 0.5)
AREAS = (0.6, 0.75, 0.9, 0.97, 0.99)
UNEVEN_POSITIVES = (5, 6, 8, 10, 15, 20, 50)
UNEVEN_PREVALENCES = (0.05, 0.5)
LAYOUTS = ((200, 10), (200, 20, 5), (500, 150, 50, 15, 5), (20,) * 5, (5,) * 10)  # test examples of each class
MACRO_AREAS = (0.7, 0.9, 0.99)
DIFFERENCE_POSITIVES = (5, 10, 20, 100)
DIFFERENCE_AREAS = ((0.75, 0.75), (0.9, 0.9), (0.9, 0.8), (0.99, 0.95))
HARD = (0.0, 0.2)  # the share of a class's examples that are scored like any other class's
BOOTSTRAP_DRAWS = 500
Z = float(norm.ppf(0.975))

Interval = tuple[float, float]
Cells = dict[tuple[str, str], dict[str, tuple[float, float]]]
"""(score, method) → setting → (coverage, mean width)."""


def wald(value: float, variance: float) -> Interval:
    return value - Z * np.sqrt(variance), value + Z * np.sqrt(variance)


def boyd(value: float, p: int) -> Interval:
    """The logit interval of average precision (Boyd et al. 2013)."""
    if value == 1:
        return 0.0, 1.0
    low, high = expit(logit(value) + np.array([-Z, Z]) / np.sqrt(p * value * (1 - value)))
    return float(low), float(high)


class Tally:
    """Counts how often each interval contains the true value in one setting."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)

    def add(self, score: str, truth: float, intervals: Mapping[str, Interval | None]) -> None:
        for method, interval in intervals.items():
            low, high = interval or (np.nan, np.nan)
            # An interval that ends at the true value contains it: both are 0 for two identical models.
            self.results[score, method].append((low <= truth <= high, high - low))

    def into(self, cells: Cells, setting: str) -> None:
        for key, results in self.results.items():
            covered, widths = np.array(results, float).T
            cells.setdefault(key, {})[setting] = float(covered.mean()), float(widths.mean())


def one_class(
    name: str, setting: Setting, p: int, prevalence: float, simulations: int, rng: np.random.Generator, cells: Cells
) -> None:
    """AUROC and average precision of one class against the rest, in one setting."""
    q, tally = round(p / prevalence) - p, Tally()
    suffix = ", uneven examples" if name in UNEVEN else ""
    true_area, true_ap = true_scores(setting, prevalence)
    for _ in range(simulations):
        positive, negative = (
            sample(kinds, n, setting.step, rng) for kinds, n in ((setting.positive, p), (setting.negative, q))
        )
        ranking = metrics.rank(positive, negative)
        intervals = {
            "logit-DeLong with t, modified Wilson near separation": metrics.auroc_interval(ranking),
            "DeLong ± 1.96 errors (usual)": wald(ranking.auroc, ranking.auroc_variance),
        }
        tally.add(f"AUROC{suffix}", true_area, intervals)
        value, variance = ranking.average_precision, average_precision_variance(ranking)
        intervals = {
            "influences on the logit scale, share of P near 0 and 1": metrics.average_precision_interval(ranking),
            "logit ± z / √(P·AP·(1 − AP)) (Boyd et al.)": boyd(value, p),
            "influences ± 1.96 errors": wald(value, variance),
        }
        tally.add(f"AP{suffix}", true_ap, intervals)
    tally.into(cells, f"P = {p}, {prevalence:.0%}, {name}")


def macro(simulations: int, rng: np.random.Generator, cells: Cells) -> None:
    """Macro scores over a few classes; each example's scores sum to 0, which correlates them as a softmax does."""
    for sizes, area, hard in product(LAYOUTS, MACRO_AREAS, HARD):
        target, c, tally = np.repeat(np.arange(len(sizes)), sizes), len(sizes), Tally()
        found = []
        for _ in range(simulations):
            noise = rng.standard_normal((len(target), c))
            noise = (noise - noise.mean(1, keepdims=True)) * np.sqrt(c / (c - 1))
            own = shift(area) * (rng.random((len(target), 1)) >= hard)
            found.append(_macro_intervals((noise + own * np.eye(c)[target]).astype(np.float32), target, rng))
        truth = [true_scores(binormal(area, hard), n / len(target)) for n in sizes]
        expected = np.mean([values["macro AP"] for values, _ in found])
        for _, intervals in found:
            tally.add("macro AUROC", truth[0][0], intervals["macro AUROC"])
            tally.add("macro AP", float(np.mean([ap for _, ap in truth])), intervals["macro AP"])
            tally.add("macro AP, expected of its size", float(expected), intervals["macro AP"])
        tally.into(cells, f"classes of {_layout(sizes)}, AUROC {area}, {hard:.0%} hard")


def _macro_intervals(
    scores: NDArray[np.float32], target: NDArray[np.int64], rng: np.random.Generator
) -> tuple[dict[str, float], dict[str, dict[str, Interval | None]]]:
    rankings, strata = metrics.rank_one_vs_rest(scores, target), Strata(target)
    draws = stratified_bootstrap(scores, target, BOOTSTRAP_DRAWS, seed=int(rng.integers(2**31)))
    of: dict[str, tuple[list[float], Any, Any, NDArray[np.float64]]] = {
        "macro AUROC": (
            [r.auroc for r in rankings], metrics.macro_auroc_interval, auroc_influence, draws.auroc,
        ),
        "macro AP": (
            [r.average_precision for r in rankings], metrics.macro_average_precision_interval,
            average_precision_influence, draws.average_precision,
        ),
    }  # fmt: skip
    values, intervals = {}, {}
    for score, (each, interval, influence, drawn) in of.items():
        total = sum(influence(r, scores[:, k], target == k) for k, r in enumerate(rankings)) / len(rankings)
        values[score] = metrics.macro(each)
        intervals[score] = {
            "influences on the logit scale, classes' own ends": interval(rankings, scores, target),
            "stratified bootstrap, percentiles": percentile_interval(drawn.mean(1)),
            "influences ± 1.96 errors": wald(values[score], strata.variance(total)),
        }
    return values, intervals


def balanced_accuracy(simulations: int, rng: np.random.Generator, cells: Cells) -> None:
    """Balanced accuracy, whose recalls are independent binomial proportions."""
    for sizes, rate in product(LAYOUTS, (0.6, 0.9, 0.98)):
        n, tally = np.array(sizes), Tally()
        for hits in rng.binomial(n, rate, (simulations, len(n))):
            share = hits / n
            drawn = (rng.binomial(n, share, (BOOTSTRAP_DRAWS, len(n))) / n).mean(1)
            intervals = {
                "error on the logit scale, Wilson's ends": metrics.balanced_accuracy_interval(_confusion(hits, n)),
                "stratified bootstrap, percentiles": percentile_interval(drawn),
                "± 1.96 errors": wald(share.mean(), (share * (1 - share) / n).sum() / len(n) ** 2),
            }
            tally.add("balanced accuracy", rate, intervals)
        tally.into(cells, f"classes of {_layout(sizes)}, recall {rate}")


def proportion(cells: Cells) -> None:
    """A proportion of n examples, such as recall, precision or accuracy; exact."""
    for n, rate in product((5, 10, 20, 50, 200), (0.02, 0.1, 0.3, 0.5, 0.8, 0.95)):
        successes = np.arange(n + 1)
        chance, share = binom.pmf(successes, n, rate), successes / n
        for method, intervals in {
            "Wilson": [metrics.wilson_interval(int(k), n) for k in successes],
            "± 1.96 errors (usual)": [wald(s, s * (1 - s) / n) for s in share],
        }.items():
            low, high = np.array(intervals).T
            coverage = chance @ ((low <= rate) & (rate <= high))
            setting = f"n = {n}, share {rate}"
            cells.setdefault(("proportion", method), {})[setting] = float(coverage), float(chance @ (high - low))


def difference(simulations: int, rng: np.random.Generator, cells: Cells) -> None:
    """The difference of the AUROC of two models whose scores have a correlation of 0.6."""
    for p, q, (area, other), hard in product(DIFFERENCE_POSITIVES, (200,), DIFFERENCE_AREAS, HARD):
        positive, tally = np.arange(p + q) < p, Tally()
        target = positive.astype(np.int64)
        for _ in range(simulations):
            noise = np.sqrt(0.6) * rng.standard_normal(p + q) + np.sqrt(0.4) * rng.standard_normal((2, p + q))
            a, b = noise + np.outer([shift(area), shift(other)], positive & (rng.random(p + q) >= hard))
            scores = np.stack([-a, a], 1), np.stack([-b, b], 1)
            found = metrics.compare_rankings(*scores, target).classes[1]
            influences = [auroc_influence(metrics.rank(s[positive], s[~positive]), s, positive) for s in (a, b)]
            by_normal = wald(found.difference, Strata(target).variance(influences[0] - influences[1]))
            intervals = {"paired DeLong, t below 20, own ends near separation": found.interval}
            truth = (1 - hard) * (area - other)
            tally.add("AUROC difference", truth, {**intervals, "paired DeLong ± 1.96 errors (usual)": by_normal})
            if area == other:
                not_rejected = (0.0, 0.0) if found.p > 0.05 else (1.0, 1.0)
                tally.add("AUROC difference", 0.0, {"not rejected at 5 %, no difference": not_rejected})
        tally.into(cells, f"P = {p}, AUROC {area} and {other}, {hard:.0%} hard")


def binormal_part(simulations: int, rng: np.random.Generator, cells: Cells) -> None:
    """One class with unit variances."""
    for p, prevalence, area in product(POSITIVES, PREVALENCES, AREAS):
        one_class(f"AUROC {area}", binormal(area), p, prevalence, simulations, rng, cells)


def uneven_part(simulations: int, rng: np.random.Generator, cells: Cells) -> None:
    """One class whose examples are not of one kind."""
    for (name, setting), p, prevalence in product(UNEVEN.items(), UNEVEN_POSITIVES, UNEVEN_PREVALENCES):
        one_class(name, setting, p, prevalence, simulations, rng, cells)


PARTS: dict[str, Callable[[int, np.random.Generator, Cells], None]] = {
    "binormal": binormal_part,
    "uneven": uneven_part,
    "proportion": lambda _simulations, _rng, cells: proportion(cells),
    "macro": lambda simulations, rng, cells: macro(max(simulations // 5, 1), rng, cells),  # each runs a bootstrap
    "balanced accuracy": lambda simulations, rng, cells: balanced_accuracy(max(simulations // 2, 1), rng, cells),
    "difference": lambda simulations, rng, cells: difference(max(simulations // 2, 1), rng, cells),
}


def study(simulations: int, seed: int, parts: Sequence[str] = tuple(PARTS)) -> Cells:
    """The parts, each with its own random numbers, so that it gives the same alone."""
    cells: Cells = {}
    for part in parts:
        PARTS[part](simulations, np.random.default_rng([seed, list(PARTS).index(part)]), cells)
    return cells


def table(cells: Cells) -> Iterator[str]:
    """The lines of the Markdown table."""
    yield "| score | interval | mean coverage | worst | where | mean width |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for (score, method), of_setting in cells.items():
        coverage, width = np.array(list(of_setting.values())).T
        where = list(of_setting)[int(coverage.argmin())]
        yield (
            f"| {score} | {method} | {coverage.mean():.1%} | {coverage.min():.1%} | {where} "
            f"| {'' if width.max() == 0 else f'{width.mean():.3f}'} |"
        )


def _confusion(hits: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.int64]:
    """A confusion matrix with these true positives of n examples per class; the rest is predicted as the next class."""
    return np.diag(hits) + np.roll(np.diag(n - hits), 1, axis=1)


def _layout(sizes: Sequence[int]) -> str:
    return f"{sizes[0]} × {len(sizes)}" if len(set(sizes)) == 1 else ", ".join(map(str, sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--simulations", type=int, default=1000, help="test sets for each setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS, action="append", help="one part of the study; may be repeated")
    arguments = parser.parse_args()
    print(f"`python scripts/coverage_intervals.py --simulations {arguments.simulations} --seed {arguments.seed}`\n")
    print("\n".join(table(study(arguments.simulations, arguments.seed, arguments.part or tuple(PARTS)))))


if __name__ == "__main__":
    main()
