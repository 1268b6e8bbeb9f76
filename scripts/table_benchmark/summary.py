"""What the results say: mean ranks over the tables, how far apart they must be, and each peer against ours.

A method's score on a table is its mean over the splits and seeds. Ranks are among the methods on a table, 1 is best,
equal scores share their mean rank. Friedman's test asks whether the methods differ at all, Nemenyi's critical
difference which pairs do (Demšar 2006, JMLR 7, 1–30); ours is compared with each peer by Wilcoxon's signed-rank test
over the tables, with Holm's correction over the peers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from imbalance_lab.metrics import holm
from table_benchmark.results import Result

Floats = NDArray[np.float64]
LOWER_IS_BETTER = ("log_loss", "calibrated_log_loss", "brier", "calibrated_brier", "fit_seconds")
TIE = 5e-4
"""Scores closer than this are called a tie; ranks take six digits."""
FAR_BEHIND = 0.02


@dataclass(frozen=True)
class Pairwise:
    """Ours against a peer over the tables: ``difference`` is its mean, positive where ours is better; ``p`` by Holm."""

    peer: str
    wins: int
    ties: int
    losses: int
    difference: float
    p: float


@dataclass(frozen=True)
class Ranked:
    """The methods on some tables by one score.

    Attributes:
        tables: names, (T,).
        methods: names, (M,).
        scores: (T, M), means over splits and seeds.
        mean_rank: (M,).
        friedman_p: of the hypothesis that the methods do not differ; NaN with fewer than three of them or two tables.
        critical_difference: mean ranks that are further apart than this differ at the 5 % level; NaN with one table.
    """

    tables: tuple[str, ...]
    methods: tuple[str, ...]
    scores: Floats
    mean_rank: Floats
    friedman_p: float
    critical_difference: float

    def of(self, method: str) -> Floats:
        """The scores (T,) of one method."""
        found: Floats = self.scores[:, self.methods.index(method)]
        return found


def mean_scores(results: Sequence[Result], score: str) -> dict[tuple[str, str], float]:
    """By table and method: the mean over the splits of the means over the seeds, of each method's last version."""
    last = {result.method: result.version for result in results}
    found: dict[tuple[str, str], dict[int, list[float]]] = {}
    for result in results:
        if result.version == last[result.method]:
            by_split = found.setdefault((result.table, result.method), {})
            by_split.setdefault(result.split, []).append(getattr(result, score))
    return {key: float(np.mean([np.mean(each) for each in splits.values()])) for key, splits in found.items()}


def rank_methods(results: Sequence[Result], score: str, tables: Sequence[str], methods: Sequence[str]) -> Ranked:
    """Rank ``methods`` on those of ``tables`` that all of them have been measured on."""
    means = mean_scores(results, score)
    kept = tuple(table for table in tables if all((table, method) in means for method in methods))
    scores = np.array([[means[table, method] for method in methods] for table in kept]).reshape(-1, len(methods))
    sign = 1 if score in LOWER_IS_BETTER else -1
    ranks = stats.rankdata(sign * scores.round(6), axis=1)
    enough = len(kept) > 1 and len(methods) > 2
    friedman = float(stats.friedmanchisquare(*ranks.T).pvalue) if enough and np.ptp(ranks) > 0 else float("nan")
    mean_rank = ranks.mean(0) if len(kept) else np.full(len(methods), np.nan)
    return Ranked(kept, tuple(methods), scores, mean_rank, friedman, critical_difference(len(methods), len(kept)))


def critical_difference(methods: int, tables: int) -> float:
    """Nemenyi's, at the 5 % level: q √(M (M + 1) / (6 T))."""
    if tables < 2 or methods < 2:
        return float("nan")
    q = stats.studentized_range.ppf(0.95, methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * tables)))


def compare_with_peers(ranked: Ranked, ours: str, score: str) -> list[Pairwise]:
    """``ours`` against each other method, in their order."""
    sign = -1 if score in LOWER_IS_BETTER else 1
    peers = [method for method in ranked.methods if method != ours]
    differences = [sign * (ranked.of(ours) - ranked.of(peer)) for peer in peers]
    adjusted = holm([_wilcoxon(each) for each in differences])
    return [
        Pairwise(
            peer,
            int((each >= TIE).sum()),
            int((abs(each) < TIE).sum()),
            int((each <= -TIE).sum()),
            float(each.mean()) if len(each) else float("nan"),
            float(p),
        )
        for peer, each, p in zip(peers, differences, adjusted, strict=True)
    ]


def behind_best(ranked: Ranked, ours: str) -> list[tuple[str, float, str]]:
    """Table, how far ours is behind the best other method (negative: ahead), and that method; the worst first.

    For scores of which higher is better.
    """
    found = []
    for table, scores in zip(ranked.tables, ranked.scores, strict=True):
        others = {method: value for method, value in zip(ranked.methods, scores, strict=True) if method != ours}
        best = max(others, key=lambda method: others[method])
        found.append((table, float(others[best] - scores[ranked.methods.index(ours)]), best))
    return sorted(found, key=lambda each: -each[1])


def _wilcoxon(differences: Floats) -> float:
    """Two-sided; 1 where all differences are zero."""
    rounded = differences.round(6)
    return float(stats.wilcoxon(rounded).pvalue) if np.any(rounded) else 1.0


@dataclass(frozen=True)
class Measured:
    """How much of a method's last version was measured; ``splits`` and ``seeds`` are the fewest of its tables."""

    method: str
    version: str
    tables: int
    splits: int
    seeds: int
    median_seconds: float


def measured(results: Sequence[Result]) -> list[Measured]:
    """What was measured of each method."""
    last = {result.method: result.version for result in results}
    found = []
    for method, version in last.items():
        own = [result for result in results if (result.method, result.version) == (method, version)]
        splits: dict[str, set[int]] = {}
        seeds: dict[tuple[str, int], set[int]] = {}
        for result in own:
            splits.setdefault(result.table, set()).add(result.split)
            seeds.setdefault((result.table, result.split), set()).add(result.seed)
        seconds = float(np.median([result.fit_seconds for result in own]))
        fewest = min(map(len, splits.values())), min(map(len, seeds.values()))
        found.append(Measured(method, version, len(splits), *fewest, seconds))
    return found
