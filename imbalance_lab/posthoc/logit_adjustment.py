"""Post-hoc logit adjustment (Menon et al. 2021, arXiv 2007.07314, eq. 9): decide by z − τ log π, for balanced recall.

π are the shares that the logits stand for *after* training (`implied_prior`). Where the sampler or the loss has balanced
them already they are equal, and the adjustment changes no decision, whatever τ: it cannot correct twice.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.posthoc.activation import (
    Activation,
    ClassPriors,
    Logits,
    Target,
    one_hot,
    prior_logit,
    validate_activation,
    validate_class_priors,
)

Criterion = Literal[
    "balanced_accuracy",
    "macro_f1",
    "geometric_mean_recall",
    "harmonic_mean_recall",
    "worst_class_recall",
    "matthews_corrcoef",
]
"""A score of decisions in `imbalance_lab.metrics`, higher is better."""

TAUS = tuple(step / 10 for step in range(21))
"""0, 0.1, …, 2."""


@dataclass(frozen=True)
class LogitAdjustment:
    """z − τ log π for the shares ``train_prior``. τ = 1 gives the probabilities for equal shares; τ = 0 changes nothing.

    (For sigmoid, log π / (1 − π) of each label: τ = 1 is a label that holds half the time.)
    """

    activation: Activation
    train_prior: ClassPriors
    tau: float = 1.0

    def __post_init__(self) -> None:
        validate_activation(self.activation)
        object.__setattr__(self, "train_prior", validate_class_priors("train_prior", self.train_prior, self.activation))
        if isinstance(self.tau, bool) or not isinstance(self.tau, int | float) or not 0 <= self.tau < np.inf:
            raise ValueError(f"tau must be a number ≥ 0, got {self.tau!r}")

    @property
    def offset(self) -> NDArray[np.float64]:
        """What is added to the logits, (C,)."""
        return -self.tau * prior_logit(self.train_prior, self.activation)

    @property
    def prior(self) -> ClassPriors | None:
        """The shares that the probabilities stand for afterwards; None where they are none (τ not 0 or 1)."""
        balanced = 1 / len(self.train_prior) if self.activation == "softmax" else 0.5
        return {0.0: self.train_prior, 1.0: (balanced,) * len(self.train_prior)}.get(float(self.tau))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "train_prior": list(self.train_prior)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "LogitAdjustment":
        """Read what `as_json` gave."""
        return cls(content["activation"], tuple(content["train_prior"]), content["tau"])


def choose_tau(
    logits: Logits,
    target: Target,
    train_prior: ClassPriors,
    *,
    activation: Activation = "softmax",
    criterion: Criterion = "balanced_accuracy",
    taus: Sequence[float] = TAUS,
) -> LogitAdjustment:
    """The adjustment with the best score of its decisions on validation; of equally good ones the smallest τ.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class numbers (N,), or 0/1 (N, C).
        train_prior: the shares that the logits stand for, (C,).
        activation: softmax decides by the largest; sigmoid label by label, by z ≥ 0, and averages the labels' scores.
        criterion: what to compare.
        taus: the grid.
    """
    checked_criterion(criterion)
    logits, target = as_scores(logits, "logits"), as_target(target)
    adjustments = [LogitAdjustment(activation, train_prior, tau) for tau in sorted(taus)]
    scores = [_score(logits + adjustment.offset, target, activation, criterion) for adjustment in adjustments]
    if np.isnan(scores).all():
        raise ValueError(f"{criterion} is undefined on these {len(target)} examples for every tau")
    return adjustments[int(np.nanargmax(scores))]


def checked_criterion(criterion: Criterion) -> Criterion:
    """Return ``criterion``, or refuse what is no score to choose by."""
    if criterion not in get_args(Criterion):
        raise ValueError(f"the criterion for tau must be one of {', '.join(get_args(Criterion))}, got {criterion!r}")
    return criterion


def _score(logits: Logits, target: Target, activation: Activation, criterion: Criterion) -> float:
    score = getattr(metrics, criterion)
    num_classes = logits.shape[1]
    if activation == "softmax":
        return float(score(metrics.confusion_matrix(logits.argmax(1), target, num_classes)))
    labels = zip((logits >= 0).T.astype(np.int64), one_hot(target, num_classes).T.astype(np.int64), strict=True)
    return metrics.macro([score(metrics.confusion_matrix(decision, truth, 2)) for decision, truth in labels])
