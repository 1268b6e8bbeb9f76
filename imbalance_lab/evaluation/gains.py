"""Cumulative gain and enrichment: how many positives are found if the highest-ranked share of examples is flagged."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Interval, Ranking, wilson_interval

SHARES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of flagged examples at which the enrichment is stated."""


@dataclass(frozen=True)
class Enrichment:
    """What flagging the ``share`` of examples that rank highest finds.

    Args:
        share: of the examples.
        n_flagged: examples; rounded, at least one.
        found: positives among them, the expected number where scores are tied.
        recall: found / positives.
        recall_interval: Wilson's of the positives, 95 %. Its upper end is at most what the flagged examples can hold,
            the share flagged / the lower end of the prevalence, so that no lift is impossible. (Wilson's interval of
            their precision would be narrower, but does not hold at a fixed share.)
        lift: recall / share flagged: how many times as many positives as flagging at random would find.
        lift_interval: that of recall, scaled.
    """

    share: float
    n_flagged: int
    found: float
    recall: float
    recall_interval: Interval
    lift: float
    lift_interval: Interval

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "share": self.share,
            "n_flagged": self.n_flagged,
            "found": self.found,
            "recall": {"value": self.recall, "ci95": list(self.recall_interval)},
            "lift": {"value": self.lift, "ci95": list(self.lift_interval)},
        }


@dataclass(frozen=True)
class Gains:
    """The cumulative gain of one class.

    Args:
        class_index: the class.
        flagged: (M,) share of the examples that are flagged, from 0 to 1.
        recall: (M,) share of the positives among them; between the vertices it is linear, as ties are broken at random.
        n: examples.
        n_positive: positives.
        enrichments: at `SHARES`, as far as they are one example or more.
    """

    class_index: int
    flagged: NDArray[np.float64]
    recall: NDArray[np.float64]
    n: int
    n_positive: int
    enrichments: tuple[Enrichment, ...]


def gains(class_index: int, ranking: Ranking) -> Gains:
    """The gains of a class by its ranking, which has positives and negatives."""
    curve, n = ranking.curve(), ranking.n_positive + ranking.n_negative
    flagged, found = (curve.tp + curve.fp).astype(np.float64), curve.tp.astype(np.float64)
    counts = {round(share * n): share for share in reversed(SHARES) if share * n >= 1}  # few examples: each count once
    return Gains(
        class_index=class_index,
        flagged=flagged / n,
        recall=found / ranking.n_positive,
        n=n,
        n_positive=ranking.n_positive,
        enrichments=tuple(
            _enrichment(share, count, float(np.interp(count, flagged, found)), ranking.n_positive, n)
            for count, share in sorted(counts.items())
        ),
    )


def _enrichment(share: float, n_flagged: int, found: float, n_positive: int, n: int) -> Enrichment:
    recall, random = found / n_positive, n_flagged / n
    low, high = wilson_interval(found, n_positive) or (0.0, 1.0)
    rarest, _ = wilson_interval(n_positive, n) or (0.0, 1.0)
    high = min(high, random / rarest)
    return Enrichment(share, n_flagged, found, recall, (low, high), recall / random, (low / random, high / random))
