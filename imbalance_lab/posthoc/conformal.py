"""Split conformal prediction sets for each class of its own (Mondrian: Vovk, Gammerman & Shafer 2005, section 4.5).

With n calibration examples of a class, a new one has a score that is at most the k-th smallest of theirs with
probability ≥ k / (n + 1). So k = ⌈(n + 1)(1 − alpha)⌉ covers 1 − alpha, whatever the scores are, as long as the n + 1
examples are exchangeable; k ≤ n takes n ≥ 1 / alpha − 1. Validation cannot be the calibration split: checkpoint,
temperature and thresholds were chosen so that they do well on it, and its scores are better than new ones.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from imbalance_lab.posthoc.label_clusters import cluster_labels
from imbalance_lab.posthoc.prediction_sets import NULL_CLUSTER, ClassConditionalSets, ClassQuantile
from imbalance_lab.posthoc.threshold import Mask, Scores
from imbalance_lab.validation import check_integer, check_number

MAX_NAMED = 5
"""Classes that a sentence names."""


class ConformalMethod(Protocol):
    """A way to fit prediction sets; ``conformal=`` in the config chooses one by ``_target_``."""

    def validate(self, classes: Sequence[str], counts: Sequence[int] | None) -> None:
        """Raise ValueError, before training, for what cannot be fitted afterwards.

        Args:
            classes: C names.
            counts: (C,) calibration examples of each class; None if there is no calibration split.
        """
        ...

    def fit(
        self, log_odds: Scores, positive: Mask, classes: Sequence[str], offset: Sequence[float]
    ) -> ClassConditionalSets | None:
        """Fit on the calibration split, log-odds (N, C) and which classes an example has (N, C); None for no sets."""
        ...


class NoPredictionSets:
    """No sets, and no calibration split needed."""

    def validate(self, classes: Sequence[str], counts: Sequence[int] | None) -> None:
        """Nothing to check."""

    def fit(self, log_odds: Scores, positive: Mask, classes: Sequence[str], offset: Sequence[float]) -> None:
        """No sets."""
        return


class ClassConditionalConformal:
    """A quantile for each class; classes with few calibration examples share one.

    - A class with at least ``min_examples`` has a quantile of its own.
    - Those with fewer, but enough for a quantile (1 / alpha − 1), are clustered by their scores: `cluster_labels`.
    - Those with still fewer are the null cluster, whose quantile is over all of them. (In the paper theirs is over all
      examples of all classes, which promises them nothing: common classes decide it.)

    Args:
        alpha: the share of a class's examples that may be missed, in (0, 1).
        min_examples: see above; None for 1 / alpha − 1, as many classes with a guarantee of their own as can be. With
            more, the coverage of small classes varies less from one calibration split to another.

    Raises:
        TypeError, ValueError: for values out of range.
    """

    def __init__(self, alpha: float = 0.1, min_examples: int | None = None) -> None:
        self.alpha = check_number("alpha", alpha, above=0, below=1)
        self.needed = calibration_examples_needed(self.alpha)
        self.min_examples = self.needed
        if min_examples is not None:
            self.min_examples = check_integer(
                f"min_examples (null: {self.needed}, the fewest for alpha={alpha:g})", min_examples, minimum=self.needed
            )

    def validate(self, classes: Sequence[str], counts: Sequence[int] | None) -> None:
        """Check that every class, or the small ones together, have enough examples.

        Raises:
            ValueError: with the number needed.
        """
        if counts is None:
            raise ValueError(
                "prediction sets need a calibration split of their own: validation has already chosen the checkpoint "
                "and its probabilities; set aside examples with data.calibration_fraction=0.15"
            )
        small = [c for c, n in enumerate(counts) if n < self.needed]
        together = sum(counts[c] for c in small)
        if small and together < self.needed:
            names = ", ".join(classes[c] or "(no name)" for c in small[:MAX_NAMED])
            more = f" and {len(small) - MAX_NAMED} more" if len(small) > MAX_NAMED else ""
            several = len(small) > 1
            fewest = min(counts)
            remedy = f", or alpha ≥ {math.ceil(1000 / (fewest + 1)) / 1000:g}" if fewest else ""
            raise ValueError(
                f"alpha={self.alpha:g} takes {self.needed} calibration examples of a class, or of the classes with "
                f"fewer together, but {names}{more} {'have' if several else 'has'} {together}{' together' * several}: "
                f"choose a larger data.calibration_fraction{remedy}"
            )

    def fit(
        self, log_odds: Scores, positive: Mask, classes: Sequence[str], offset: Sequence[float]
    ) -> ClassConditionalSets:
        """A quantile for each class; see `ConformalMethod.fit`.

        Raises:
            ValueError: see `validate`.
        """
        counts = positive.sum(0).tolist()
        self.validate(classes, counts)
        own = [log_odds[positive[:, c], c] for c in range(len(classes))]
        small = [c for c, n in enumerate(counts) if n < self.needed]
        middle = [c for c, n in enumerate(counts) if self.needed <= n < self.min_examples]
        found = {c: self._quantile([own[c]], n) for c, n in enumerate(counts) if n >= self.needed}
        if len(middle) > 1:
            found |= self._clustered(middle, [own[c] for c in middle])
        pooled = [own[c] for c in small]
        found |= {c: self._quantile(pooled, counts[c], NULL_CLUSTER) for c in small}
        return ClassConditionalSets(self.alpha, tuple(offset), tuple(found[c] for c in range(len(classes))))

    def _clustered(self, classes: Sequence[int], scores: Sequence[Scores]) -> dict[int, ClassQuantile]:
        """The quantiles of ``classes`` with these log-odds (n_c,), by class."""
        missing = [expit(-each.astype(np.float64)) for each in scores]  # 1 − p
        cluster, positions = cluster_labels(missing, self.alpha, self.needed)
        kept = [each[at] for each, at in zip(scores, positions, strict=True)]
        members = [[kept[i] for i in np.flatnonzero(cluster == number)] for number in range(cluster.max() + 1)]
        return {
            c: self._quantile(members[number], len(scores[i]), str(number + 1))
            for i, (c, number) in enumerate(zip(classes, cluster.tolist(), strict=True))
        }

    def _quantile(self, scores: Sequence[Scores], n_class: int, cluster: str | None = None) -> ClassQuantile:
        pooled = np.concatenate(scores)
        return ClassQuantile(conformal_log_odds(pooled, self.alpha), n_class, len(pooled), cluster)


def conformal_log_odds(log_odds: Scores | NDArray[np.float64], alpha: float) -> float:
    """The k-th largest of n log-odds (n,), k = ⌈(n + 1)(1 − alpha)⌉, of at least 1 / alpha − 1."""
    k = conformal_rank(len(log_odds), alpha)
    return float(np.sort(log_odds)[len(log_odds) - k])


def conformal_rank(n: int, alpha: float) -> int:
    """⌈(n + 1)(1 − alpha)⌉, computed exactly: in floating point 1 − 0.18 makes 124 of 123 for n = 149.

    >>> conformal_rank(149, 0.18), conformal_rank(9, 0.1)
    (123, 9)
    """
    return math.ceil((n + 1) * (1 - Fraction(str(alpha))))


def calibration_examples_needed(alpha: float) -> int:
    """The fewest calibration examples of a class with a finite quantile, ⌈1 / alpha⌉ − 1.

    >>> calibration_examples_needed(0.1), calibration_examples_needed(0.05)
    (9, 19)
    """
    check_number("alpha", alpha, above=0, below=1)
    return math.ceil(1 / Fraction(str(alpha))) - 1
