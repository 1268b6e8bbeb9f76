"""The scores of the folds of a cross-validation, and their means.

A score is the mean over the folds in which it is defined, with the interval of the corrected resampled t test (see
`metrics.resampled`). Scores of different models are not on one scale, so that an AUROC of all out-of-fold scores
together is biased (Forman & Scholz 2010, "Apples-to-apples in cross-validation studies", SIGKDD Explorations 12);
`evaluation.join_folds` says which scores are of summed counts instead.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.score_keys import score_range
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.metrics.replicates import ReplicateMean
from imbalance_lab.metrics.resampled import resampled_mean


@dataclass(frozen=True)
class FoldScores:
    """The scores of one fold.

    Args:
        number: of the fold, 0 … folds · repeats − 1.
        n_learn, n_test: examples that it learned from (those of validation too), and that it tested.
        val, test: its defined scores by key, see `imbalance_lab.evaluation.score_keys`.
    """

    number: int
    n_learn: int
    n_test: int
    val: Mapping[str, float]
    test: Mapping[str, float]

    def of(self, split: Split) -> Mapping[str, float]:
        """The scores of a split, "val" or "test"."""
        return self.val if split == "val" else self.test

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "fold": self.number,
            "n_learn": self.n_learn,
            "n_test": self.n_test,
            "val": dict(self.val),
            "test": dict(self.test),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "FoldScores":
        """Read what `as_json` gave."""
        return cls(*(content[name] for name in ("fold", "n_learn", "n_test", "val", "test")))


@dataclass(frozen=True)
class Folds:
    """The folds of one cross-validation.

    Args:
        folds, repeats: as they were asked for.
        scores: of every fold, in order.
    """

    folds: int
    repeats: int
    scores: tuple[FoldScores, ...]

    @property
    def test_per_train(self) -> float:
        """Examples that a fold tests for each that it learns from."""
        return tested_per_learned([(each.n_test, each.n_learn) for each in self.scores])

    def values(self, split: Split, key: str) -> list[float]:
        """A score of the folds in which it is defined."""
        return [each.of(split)[key] for each in self.scores if key in each.of(split)]

    def mean(self, split: Split, key: str) -> Score:
        """The mean of a score over the folds in which it is defined; NaN if there is none."""
        values = self.values(split, key)
        if not values:
            return Score(math.nan)
        mean = resampled_mean(values, self.test_per_train)
        return Score(mean.mean, interval_of(mean, key) if split == "test" else None)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"folds": self.folds, "repeats": self.repeats, "by_fold": [each.as_json() for each in self.scores]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Folds":
        """Read what `as_json` gave."""
        by_fold = tuple(map(FoldScores.from_json, content["by_fold"]))
        return cls(content["folds"], content["repeats"], by_fold)


def tested_per_learned(sizes: Sequence[tuple[int, int]]) -> float:
    """The ratio of the (tested, learned) examples of several folds, from their sums."""
    tested, learned = (sum(each) for each in zip(*sizes, strict=True))
    return float(tested / learned)


def interval_of(mean: ReplicateMean, key: str) -> tuple[float, float] | None:
    """The 95 % interval of a mean, cut to the values that the score can have."""
    ends = mean.interval()
    lowest, highest = score_range(key)
    return None if ends is None else (max(lowest, ends[0]), min(highest, ends[1]))
