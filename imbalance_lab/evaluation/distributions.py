"""Reliability curves and score histograms, for every class of a split."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Interval, wilson_interval
from imbalance_lab.metrics.array_inputs import as_mask
from imbalance_lab.posthoc import PostProcessor, Threshold

RELIABILITY_BINS, HISTOGRAM_BINS = 10, 48
OUTLIERS = 0.001
"""Share of the scores beyond each end of a histogram; they are counted in its first and last bin."""


@dataclass(frozen=True)
class ReliabilityBin:
    """``n`` examples: their mean probability, and the share that are positive with its 95 % interval."""

    n: int
    mean_probability: float
    positive_share: float
    interval: Interval


@dataclass(frozen=True)
class ReliabilityCurve:
    """Bins of equally many examples by probability; ``class_index`` None is the predicted class of each example."""

    class_index: int | None
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class ScoreHistogram:
    """Counts of one class's log-odds, positives and negatives apart.

    Args:
        class_index: the class.
        edges: (B + 1,) log-odds, the same for both.
        positive, negative: (B,) counts.
        threshold: log-odds of the class's threshold; None if it has none, or an infinite one.
    """

    class_index: int
    edges: tuple[float, ...]
    positive: tuple[int, ...]
    negative: tuple[int, ...]
    threshold: float | None


def reliability_curves(
    probabilities: NDArray[np.float64], positive: NDArray[np.bool_], *, is_multilabel: bool
) -> tuple[ReliabilityCurve, ...]:
    """The curve of the predicted class, unless the task is multilabel, then that of every class.

    Args:
        probabilities: (N, C), calibrated.
        positive: (N, C), which classes each example has.
        is_multilabel: whether an example has any number of labels.
    """
    if not len(probabilities):
        return ()
    positive = as_mask(positive, ndim=2)
    of_classes = tuple(
        ReliabilityCurve(c, reliability_bins(probabilities[:, c], positive[:, c]))
        for c in range(probabilities.shape[1])
    )
    if is_multilabel:
        return of_classes
    predicted = probabilities.argmax(1)
    correct = positive[np.arange(len(predicted)), predicted]
    return ReliabilityCurve(None, reliability_bins(probabilities.max(1), correct)), *of_classes


def reliability_bins(p: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[ReliabilityBin, ...]:
    """Bins of equally many examples; equal probabilities (N,) stay in one bin, so that there may be fewer than ten."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, RELIABILITY_BINS + 1)[1:-1]))
    place = np.searchsorted(edges, p, "left")
    counts, sums, positives = (np.bincount(place, weights=weights) for weights in (None, p, positive))
    bins = []
    for count, total, hits in zip(counts.tolist(), sums.tolist(), positives.tolist(), strict=True):
        if interval := wilson_interval(int(hits), count):  # None for an empty bin
            bins.append(ReliabilityBin(count, total / count, hits / count, interval))
    return tuple(bins)


def score_histograms(
    log_odds: NDArray[np.float32], positive: NDArray[np.bool_], postprocessor: PostProcessor
) -> tuple[ScoreHistogram, ...]:
    """The histogram of every class, as its threshold sees the scores.

    Args:
        log_odds: (N, C), adjusted.
        positive: (N, C), which classes each example has.
        postprocessor: has the threshold of each class.
    """
    if not len(log_odds):
        return ()
    positive = as_mask(positive, ndim=2)
    return tuple(
        _histogram(c, log_odds[:, c], positive[:, c], threshold) for c, threshold in enumerate(postprocessor.thresholds)
    )


def _histogram(
    c: int, scores: NDArray[np.float32], positive: NDArray[np.bool_], threshold: Threshold | str
) -> ScoreHistogram:
    ends = np.quantile(scores, [OUTLIERS, 1 - OUTLIERS])
    seen = np.concatenate([ends, scores[positive]])  # no positive is an outlier
    edges = np.linspace(seen.min(), seen.max() + 1e-6, HISTOGRAM_BINS + 1)
    log_odds_threshold = threshold.log_odds if isinstance(threshold, Threshold) else math.inf
    inside = np.clip(scores, edges[0], edges[-1])
    return ScoreHistogram(
        class_index=c,
        edges=tuple(edges.tolist()),
        positive=tuple(np.histogram(inside[positive], edges)[0].tolist()),
        negative=tuple(np.histogram(inside[~positive], edges)[0].tolist()),
        threshold=log_odds_threshold if math.isfinite(log_odds_threshold) else None,
    )
