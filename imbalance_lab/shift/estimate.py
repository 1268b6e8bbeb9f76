"""The class shares of an unlabelled sample: one estimate, with a 95 % interval for every share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_examples, as_scores
from imbalance_lab.posthoc.activation import validate_activation
from imbalance_lab.shift.share_interval import share_intervals, unbiased_votes
from imbalance_lab.task import Activation, Logits, Target, one_hot

Array = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class PriorEstimate:
    """The estimated class shares of the population that a new sample was drawn from.

    Args:
        method: the estimator, as text.
        prior: the share of each class, (C,); they sum to 1, or under sigmoid each label has its own.
        interval: the 95 % interval of each share, C pairs. They are for the population's shares; the shares that the
            sample itself happens to have vary less, so that the intervals hold them at least as often.
        reference_prior: the shares in the reference sample, (C,).
        activation: softmax or sigmoid.
        votes: (M, C), for each new row its unbiased vote for every share (`unbiased_votes`): their mean is the sum of
            the errors' linear part.
        reference_votes: (N, C), the same for the reference, whose mean is 1 in the class itself and 0 in the others.
    """

    method: str
    prior: tuple[float, ...]
    interval: tuple[Interval, ...]
    reference_prior: tuple[float, ...]
    activation: Activation = "softmax"
    votes: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False, compare=False)
    reference_votes: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the votes."""
        return {
            "method": self.method,
            "prior": list(self.prior),
            "interval": [list(ends) for ends in self.interval],
            "reference_prior": list(self.reference_prior),
        }


@dataclass(frozen=True)
class Samples:
    """The logits of both samples, for softmax over C ≥ 2 classes.

    Args:
        reference: (N, C) float64.
        target: class indices (N,).
        new: (M, C) float64.
    """

    reference: Array
    target: NDArray[np.int64]
    new: Array

    @property
    def num_classes(self) -> int:
        """C."""
        return int(self.reference.shape[1])

    @property
    def reference_prior(self) -> Array:
        """The shares of the classes in the reference, (C,)."""
        return np.bincount(self.target, minlength=self.num_classes) / len(self.target)


Estimator = Callable[[Samples], tuple[Array, Array, Array]]
"""Of softmax samples: the shares (C,), and for every row of the reference and of the new sample C scores (N, C), (M, C)
that sum to 1, whose means by class show how well the classes are told apart."""


def estimate_with_intervals(
    method: str,
    estimator: Estimator,
    reference_logits: Logits,
    reference_target: Target,
    logits: Logits,
    activation: Activation,
) -> PriorEstimate:
    """Check the samples, estimate, and add the intervals; under sigmoid one label after another.

    Raises:
        TypeError, ValueError: for samples that do not fit together, too few rows, or a class without reference rows.
    """
    reference, target, new = check_samples(reference_logits, reference_target, logits, activation)
    if activation == "softmax":
        prior, interval, votes, reference_votes = _estimate_one(estimator, Samples(reference, target, new))
        shares = np.bincount(target, minlength=reference.shape[1]) / len(target)
        return PriorEstimate(
            method, tuple(prior.tolist()), interval, tuple(shares.tolist()), activation, votes, reference_votes
        )
    parts = [
        _estimate_one(estimator, Samples(_against_zero(reference[:, c]), target[:, c], _against_zero(new[:, c])))
        for c in range(reference.shape[1])
    ]
    return PriorEstimate(
        method,
        tuple(float(prior[1]) for prior, *_ in parts),
        tuple(interval[1] for _, interval, *_ in parts),
        tuple(target.mean(0).tolist()),
        activation,
        np.stack([votes[:, 1] for *_, votes, _ in parts], 1),
        np.stack([votes[:, 1] for *_, votes in parts], 1),
    )


def check_samples(
    reference_logits: Logits, reference_target: Target, logits: Logits, activation: Activation
) -> tuple[Array, NDArray[np.int64], Array]:
    """Both samples as float64, with targets (N,) under softmax and (N, C) under sigmoid.

    Raises:
        TypeError, ValueError: naming what does not fit.
    """
    validate_activation(activation)
    if activation == "sigmoid" and np.ndim(reference_target) == 1 and np.shape(reference_logits)[1:] == (1,):
        reference_target = np.asarray(reference_target)[:, None]  # the single logit of a binary classifier
    reference, target = as_examples(reference_logits, reference_target, "reference_logits", finite=True)
    new = as_scores(logits, "logits", ndim=2, finite=True)
    num_classes = reference.shape[1]
    if new.shape[1] != num_classes:
        raise ValueError(f"logits must have {num_classes} classes like reference_logits, got {new.shape[1]}")
    if activation == "softmax" and (target.ndim == 2 or num_classes < 2):
        raise ValueError(
            f"under softmax reference_target must be class indices (N,) of at least two classes, got {target.shape} "
            f"for {num_classes} logits: pass activation='sigmoid' for labels"
        )
    if activation == "sigmoid" and target.ndim == 1:
        target = one_hot(target, num_classes).astype(np.int64)
    counts = np.bincount(target, minlength=num_classes) if target.ndim == 1 else target.sum(0)
    few = np.flatnonzero((counts < 2) | (counts > len(target) - 2))
    if len(few):
        raise ValueError(
            f"class shares need at least two reference rows with and two without every class, but class {few[0]} has "
            f"{counts[few[0]]} of {len(target)}: use a larger reference sample"
        )
    return reference.astype(np.float64), target, new.astype(np.float64)


def _estimate_one(estimator: Estimator, samples: Samples) -> tuple[Array, tuple[Interval, ...], Array, Array]:
    prior, reference_scores, scores = estimator(samples)
    reference_votes, votes = unbiased_votes(reference_scores, samples.target, scores)
    low, high = share_intervals(reference_votes, samples.target, votes, prior)
    interval = tuple(zip(np.minimum(low, prior).tolist(), np.maximum(high, prior).tolist(), strict=True))
    return prior, interval, votes, reference_votes


def _against_zero(logit: Array) -> Array:
    """One label's logit (N,) as the two classes without and with it, (N, 2): softmax(0, z) = sigmoid(z)."""
    return np.stack([np.zeros_like(logit), logit], 1)
