"""Scores of probabilities: log loss, Brier score and skill, calibration error, and net benefit.

Shapes: ``probability`` (N, C) with ``target`` class indices (N,) or multilabel 0/1 (N, C); or, for a single class,
``probability`` (N,) with ``target`` 0/1 (N,). Probabilities of class indices must sum to 1; those of labels need not.
"""

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from imbalance_lab.metrics.array_inputs import as_examples, as_mask, as_scores, as_target
from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.types import Mask, Scores
from imbalance_lab.task import Target, one_hot
from imbalance_lab.validation import check_choice, check_integer

Bins = Literal["width", "mass"]
HALF = (np.dtype(np.float16), torch.float16, torch.bfloat16)
"""Dtypes whose probabilities sum to 1 only roughly."""


LEAST = float(np.finfo(np.float64).eps)
"""A probability below this counts as this in a log loss, as in scikit-learn."""


def log_loss(probability: Scores, target: Target) -> float:
    """The mean of −log p of what happened; lower is better, 0 is perfect.

    Of labels, each with a probability of its own, it is the sum over the labels. `sklearn.metrics.log_loss` agrees.

    >>> round(log_loss(np.array([0.1, 0.9, 0.8]), np.array([0, 1, 0])), 3)
    0.607
    """
    return float(log_losses(probability, target).mean())


def log_losses(probability: Scores, target: Target) -> NDArray[np.float64]:
    """The log loss of each example, (N,)."""
    p, y = _validated(probability, target)
    of_classes = p.ndim == 2 and as_target(target).ndim == 1
    happened = p[y] if of_classes else np.where(y, p, 1 - p)
    losses = -np.log(np.clip(happened, LEAST, 1.0))
    return np.asarray(losses if losses.ndim == 1 else losses.sum(1))


def squared_errors(probability: Scores, target: Target) -> NDArray[np.float64]:
    """The squared error of the probabilities of each example, (N,), summed over the classes."""
    p, y = _validated(probability, target)
    errors = (p - y) ** 2
    return np.asarray(errors if errors.ndim == 1 else errors.sum(1))


def brier_score(probability: Scores, target: Target) -> float:
    """The mean squared error of the probabilities; lower is better, 0 is perfect.

    For one class: mean (p − y)², in [0, 1]. For several: its sum over the classes, as defined by Brier (1950), so with
    two classes it is twice that of one column alone. `sklearn.metrics.brier_score_loss` agrees.

    >>> brier_score(np.array([0.1, 0.9, 0.8]), np.array([0, 1, 0]))
    0.2200...
    """
    p, y = _validated(probability, target)
    return float(_squared_distance(p, y))


def brier_skill_score(probability: Scores, target: Target) -> float:
    """1 − Brier score / that of predicting the split's class shares: 1 is perfect, 0 no better than the shares.

    At 1 % prevalence, predicting 1 % for every example has a Brier score of 0.0099; only the skill score shows that
    this is uninformative. NaN if every class has all examples or none.
    """
    p, y = _validated(probability, target)
    reference = _squared_distance(y.mean(0), y)
    return float(1 - _squared_distance(p, y) / reference) if reference > 0 else float("nan")


def calibration_error(probability: Scores, target: Target, *, n_bins: int = 15, bins: Bins = "width") -> float:
    """ECE: the mean over bins of p, weighted by size, of |mean p − share of positives|.

    For several classes: of the largest probability and whether its class is correct (Guo et al. 2017, arXiv
    1706.04599), which says little about rare classes: see `classwise_calibration_error`. Undefined for multilabel.

    Args:
        probability: (N, C), or (N,) of one class.
        target: class indices (N,), or 0/1 (N,).
        n_bins: B; the value depends on it: with more bins the error is larger, also by chance.
        bins: "width": bins of equal width, [0, 1/B), [1/B, 2/B), … [1 − 1/B, 1]. "mass": bins with equally many
            examples, by quantiles, with equal probabilities in one bin; use it if most p are close to 0.
    """
    p, y = _validated(probability, target)
    labels = as_target(target)
    if p.ndim == 2 and labels.ndim == 2:
        raise ValueError("calibration_error is undefined for multilabel targets: use classwise_calibration_error")
    if p.ndim == 2:
        return _binned_error(p.max(1), p.argmax(1) == labels, n_bins, bins)
    return _binned_error(p, y, n_bins, bins)


def classwise_calibration_error(
    probability: Scores, target: Target, *, n_bins: int = 15, bins: Bins = "width"
) -> float:
    """The mean ECE over the classes, each against the rest (Kull et al. 2019, arXiv 1910.12656).

    Classes without an example are left out. Arguments as for `calibration_error`, with several classes.
    """
    p, y = _validated(probability, target)
    if p.ndim != 2:
        raise ValueError(f"classwise_calibration_error needs probabilities (N, C), got shape {p.shape}")
    columns = zip(p.T, y.T, strict=True)
    return macro([_binned_error(q, own, n_bins, bins) if own.any() else float("nan") for q, own in columns])


def net_benefit(probability: Scores, target: Target, threshold: ArrayLike) -> NDArray[np.float64]:
    """The gain of flagging p ≥ t over flagging nothing, in true positives per example (Vickers & Elkin 2006).

    TP / N − FP / N · t / (1 − t): a threshold t means that a false alarm costs t / (1 − t) of the value of a true
    positive. Compare it with 0, flagging nothing, and with flagging everything: ``net_benefit(np.ones(N), …)``.

    Args:
        probability: (N,), calibrated, of one class.
        target: 0/1 (N,).
        threshold: t in (0, 1), any shape.

    Returns:
        The net benefit at each threshold, in the shape of ``threshold``.

    >>> net_benefit(np.array([0.9, 0.3, 0.6, 0.1]), np.array([1, 1, 0, 0]), [0.2, 0.5])
    array([0.4375, 0.    ])
    """
    p, y = _validated(probability, target)
    t = as_scores(threshold, "threshold").astype(np.float64)
    if p.ndim != 1:
        raise ValueError(f"net_benefit needs the probabilities (N,) of one class, got shape {p.shape}")
    if not ((t > 0) & (t < 1)).all():
        raise ValueError(f"threshold must lie in (0, 1), got {t.tolist()}: pass probabilities")
    tp, fp = (len(own) - np.searchsorted(np.sort(own), t, "left") for own in (p[y], p[~y]))
    return np.asarray((tp - fp * t / (1 - t)) / len(p))


def _validated(probability: Scores, target: Target) -> tuple[Scores, Mask]:
    """The probabilities in float64, and the targets as 0/1 in their shape.

    Raises:
        TypeError, ValueError: for shapes that do not match, no example, and for probabilities that are outside [0, 1]
            or, of class indices, do not sum to 1.
    """
    half = getattr(probability, "dtype", None) in HALF  # before it is converted
    probability = as_scores(probability, "probability")
    if probability.ndim == 1:
        labels = as_mask(target, "target", ndim=1)
        if labels.shape != probability.shape:
            raise ValueError(
                f"probability {probability.shape} and target {labels.shape} do not match: pass the same examples"
            )
    else:
        probability, indices = as_examples(probability, target, "probability")
        labels = one_hot(indices, probability.shape[1])
    p = probability.astype(np.float64)
    outside = ~((p >= 0) & (p <= 1))
    if outside.any():
        place = tuple(np.argwhere(outside)[0])
        raise ValueError(
            f"probability must lie in [0, 1], got {p[place]} for example {place[0]}: "
            "convert logits by softmax or sigmoid"
        )
    if p.ndim == 2 and indices.ndim == 1:
        _check_sums(p, 0.02 if half else 1e-3)
    return p, labels


def _check_sums(p: Scores, tolerance: float) -> None:
    """Raise ValueError unless the probabilities of each example sum to 1."""
    sums = p.sum(1)
    place = int(np.abs(sums - 1).argmax())
    if abs(sums[place] - 1) > tolerance:
        raise ValueError(
            f"probability must sum to 1 over the classes, got {sums[place]:.6g} for example {place}: use softmax, or "
            "pass 0/1 labels (N, C) if each class has a probability of its own"
        )


def _squared_distance(p: Scores, y: Mask) -> float:
    return float(((p - y) ** 2).sum() / len(y))


def _binned_error(p: Scores, y: Mask, n_bins: int, bins: Bins) -> float:
    check_integer("n_bins", n_bins, minimum=1)
    check_choice("bins", bins, get_args(Bins))
    edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    equal_width = bins == "width"
    bin_of = np.searchsorted(edges if equal_width else np.quantile(p, edges), p, "right" if equal_width else "left")
    # A bin of n examples has weight n / N and means Σ / n: the n cancels.
    return float(np.abs(np.bincount(bin_of, p - y)).sum() / len(p))
