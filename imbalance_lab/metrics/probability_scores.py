"""Whether probabilities mean what they say: Brier score and skill, calibration error, and what acting on them is worth.

Shapes throughout: ``probability`` (N, C) with ``target`` class numbers (N,) (one of C) or 0/1 (N, C) (labels); or, for
one class alone, ``probability`` (N,) with ``target`` 0/1 (N,). Without an example, every score is NaN.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.metrics.ranking import macro

Probabilities = NDArray[np.floating[Any]]
Bins = Literal["width", "mass"]


def brier_score(probability: Probabilities, target: NDArray[np.integer[Any]]) -> float:
    """The mean squared distance of the probabilities from what happened; lower is better, 0 perfect.

    Of one class: mean (p − y)², in [0, 1]. Of several: that, summed over the classes, as Brier (1950) has it, so that
    one of two classes scores twice what its second column alone does. (`sklearn.metrics.brier_score_loss` agrees.)

    >>> brier_score(np.array([0.1, 0.9, 0.8]), np.array([0, 1, 0]))
    0.2200...
    """
    p, happened = _checked(probability, target)
    return float(_squared_distance(p, happened)) if len(p) else float("nan")


def brier_skill_score(probability: Probabilities, target: NDArray[np.integer[Any]]) -> float:
    """1 − Brier / Brier of always forecasting the split's own class shares: 1 perfect, 0 as good as knowing those.

    At 1 % prevalence, forecasting 1 % for everybody has a Brier score of 0.0099; only the skill tells that this is
    nothing. NaN where each class happens always or never.
    """
    p, happened = _checked(probability, target)
    reference = _squared_distance(happened.mean(0), happened) if len(p) else 0.0
    return float(1 - _squared_distance(p, happened) / reference) if reference > 0 else float("nan")


def calibration_error(
    probability: Probabilities, target: NDArray[np.integer[Any]], *, n_bins: int = 15, bins: Bins = "width"
) -> float:
    """ECE: the mean distance, over bins of p weighted by their size, between the mean p and the share that happened.

    Several classes: of the largest probability and whether it was right (Guo et al. 2017, arXiv 1706.04599), which says
    little about rare classes; those are `classwise_calibration_error`'s. Labels (N, C) 0/1 have no largest.

    Args:
        probability: (N, C), or (N,) of one class.
        target: class numbers (N,), or 0/1 (N,).
        n_bins: B; the value depends on it, more bins find more error, also by chance.
        bins: "width": [0, 1/B), [1/B, 2/B), … [1 − 1/B, 1]. "mass": as many examples in each, by quantiles, equal
            probabilities together; where nearly all p are close to 0, one bin of equal width would hold them all.
    """
    target = as_target(target)
    p, happened = _checked(probability, target)
    if p.ndim == 2 and target.ndim == 2:
        raise ValueError("labels (N, C) have no largest probability: use classwise_calibration_error")
    if p.ndim == 2:
        return _binned_error(p.max(1), p.argmax(1) == target, n_bins, bins)
    return _binned_error(p, happened, n_bins, bins)


def classwise_calibration_error(
    probability: Probabilities, target: NDArray[np.integer[Any]], *, n_bins: int = 15, bins: Bins = "width"
) -> float:
    """The mean of the classes' own ECEs, each class against the rest (Kull et al. 2019, arXiv 1910.12656).

    Over the classes that have an example. Arguments as for `calibration_error`, with several classes.
    """
    p, happened = _checked(probability, target)
    if p.ndim != 2:
        raise ValueError(f"classwise needs probabilities (N, C), got shape {p.shape}")
    columns = zip(p.T, happened.T, strict=True)
    return macro([_binned_error(q, y, n_bins, bins) if y.any() else float("nan") for q, y in columns])


def net_benefit(
    probability: Probabilities, target: NDArray[np.integer[Any]], threshold: ArrayLike
) -> NDArray[np.float64]:
    """What acting on p ≥ t gains over never acting, in true positives an example (Vickers & Elkin 2006).

    TP / N − FP / N · t / (1 − t): whoever acts from probability t on holds a false alarm to cost t / (1 − t) of what a
    positive found is worth. Compare it with 0, never acting, and with always acting: ``net_benefit(np.ones(N), …)``.

    Args:
        probability: (N,), calibrated, of one class.
        target: 0/1 (N,).
        threshold: t in (0, 1), any shape.

    Returns:
        as many as thresholds, in their shape.

    >>> net_benefit(np.array([0.9, 0.3, 0.6, 0.1]), np.array([1, 1, 0, 0]), [0.2, 0.5])
    array([0.4375, 0.    ])
    """
    p, happened = _checked(probability, target)
    t = np.asarray(threshold, np.float64)
    if p.ndim != 1:
        raise ValueError(f"net benefit is of one class, probabilities (N,), got shape {p.shape}")
    if not ((t > 0) & (t < 1)).all():
        raise ValueError(f"thresholds must lie in (0, 1), got {threshold!r}")
    if len(p) == 0:
        return np.full(t.shape, np.nan)
    tp, fp = (len(own) - np.searchsorted(np.sort(own), t, "left") for own in (p[happened], p[~happened]))
    return np.asarray((tp - fp * t / (1 - t)) / len(p))


def _checked(probability: Probabilities, target: NDArray[np.integer[Any]]) -> tuple[Probabilities, NDArray[np.bool_]]:
    """The probabilities in float64, and what happened in their shape; or refuse what fits no shape or no range."""
    probability, target = as_scores(probability, "probability"), as_target(target)
    if target.shape != probability.shape[: target.ndim] or probability.ndim not in (1, 2):
        raise ValueError(f"probabilities {probability.shape} and targets {target.shape} do not fit each other")
    p = probability.astype(np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"probabilities must lie in [0, 1], example {np.argwhere(~((p >= 0) & (p <= 1)))[0, 0]} does not"
        )
    happened = target == 1 if target.ndim == p.ndim else target[:, None] == np.arange(p.shape[1])
    return p, happened


def _squared_distance(p: Probabilities, happened: NDArray[np.bool_]) -> float:
    squares = (p - happened) ** 2
    return float(squares.sum() / len(happened))


def _binned_error(p: Probabilities, happened: NDArray[np.bool_], n_bins: int, bins: Bins) -> float:
    if isinstance(n_bins, bool) or not isinstance(n_bins, int) or n_bins < 1:
        raise ValueError(f"n_bins must be a whole number ≥ 1, got {n_bins!r}")
    if bins not in ("width", "mass"):
        raise ValueError(f"bins must be width or mass, got {bins!r}")
    if len(p) == 0:
        return float("nan")
    steps = np.linspace(0, 1, n_bins + 1)[1:-1]
    width = bins == "width"
    where = np.searchsorted(steps if width else np.quantile(p, steps), p, "right" if width else "left")
    # A bin of n examples weighs n / N, and its means are sums over n: the n cancels.
    return float(np.abs(np.bincount(where, p - happened)).sum() / len(p))
