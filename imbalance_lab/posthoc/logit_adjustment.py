"""Post-hoc logit adjustment (Menon et al. 2021, arXiv 2007.07314, eq. 9): z − τ log π, for balanced recall.

π are the class priors of the logits *after* training (`implied_prior`). If the sampler or the loss has balanced the
classes already, π is uniform and the adjustment changes no predicted label, whatever τ: it cannot correct twice.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from imbalance_lab import metrics
from imbalance_lab.metrics.array_inputs import as_examples, as_values
from imbalance_lab.posthoc.activation import ClassPriors, prior_logit, validate_class_priors
from imbalance_lab.posthoc.calibration import CalibrationMethod
from imbalance_lab.posthoc.prior_correction import PriorShift, known_prior, require_prior
from imbalance_lab.posthoc.threshold import ThresholdRule
from imbalance_lab.task import Activation, Logits, Target, one_hot
from imbalance_lab.validation import check_choice, check_list, check_number

Criterion = Literal[
    "balanced_accuracy",
    "macro_f1",
    "geometric_mean_recall",
    "harmonic_mean_recall",
    "worst_class_recall",
    "matthews_corrcoef",
]
"""A score of predicted labels in `imbalance_lab.metrics`; higher is better."""

TAUS = tuple(step / 10 for step in range(21))
"""0, 0.1, …, 2."""


class PostHocLogitAdjustment:
    """z − τ log π. τ = 1 gives the probabilities for uniform class priors; τ = 0 changes nothing.

    Under sigmoid, log π / (1 − π) of each label: τ = 1 gives each label the prior 0.5.

    Args:
        tau: a number ≥ 0, or the `Criterion` that chooses it on validation.

    Raises:
        TypeError, ValueError: if it is neither.
    """

    def __init__(self, tau: float | Criterion = 1.0) -> None:
        if isinstance(tau, str):
            validate_criterion(tau)
        else:
            check_number("tau", tau, minimum=0)
        self.tau = tau

    @property
    def uses_examples(self) -> bool:
        """Whether τ is chosen on validation."""
        return isinstance(self.tau, str)

    def validate(
        self,
        num_classes: int,
        train_prior: ClassPriors | None,
        activation: Activation,
        *,
        calibration: CalibrationMethod,
        rule: ThresholdRule,
    ) -> None:
        """Check that the class priors will be known, and that the rule does not need probabilities."""
        require_prior(train_prior, calibration)
        needs_probabilities = getattr(rule, "needs_probabilities", None)
        if needs_probabilities is not None and needs_probabilities():
            raise ValueError(f"{rule} needs probabilities: use deploy_prior instead of logit_adjustment")

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation
    ) -> PriorShift:
        """The offset for τ, which is chosen on these examples if ``tau`` is a criterion."""
        prior = known_prior(train_prior)
        if isinstance(self.tau, str):
            tau = choose_tau(logits, target, prior, activation=activation, criterion=self.tau)
            return PostHocLogitAdjustment(tau).shift(prior, activation)
        return self.shift(prior, activation)

    def shift(self, train_prior: ClassPriors, activation: Activation) -> PriorShift:
        """The offset from ``train_prior``, (C,); for a number τ."""
        tau = check_number("tau", self.tau, minimum=0)
        offset = -tau * prior_logit(train_prior, activation)
        uniform = 1 / len(train_prior) if activation == "softmax" else 0.5
        prior = {0.0: train_prior, 1.0: (uniform,) * len(train_prior)}.get(tau)
        return PriorShift(f"logit_adjustment, tau={tau:g}", activation, train_prior, tuple(offset.tolist()), prior)


def choose_tau(
    logits: Logits,
    target: Target,
    train_prior: ClassPriors,
    *,
    activation: Activation = "softmax",
    criterion: Criterion = "balanced_accuracy",
    taus: Sequence[float] = TAUS,
) -> float:
    """The τ with the best score of its predicted labels on validation; among ties the smallest.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class indices (N,), or 0/1 (N, C).
        train_prior: the class priors of the logits, (C,).
        activation: softmax predicts the largest logit; sigmoid every label with z ≥ 0, and averages over labels.
        criterion: the score.
        taus: the grid.

    Raises:
        ValueError: for an unknown criterion, or one that is undefined on these examples.
    """
    validate_criterion(criterion)
    logits, target = as_examples(logits, target, "logits", finite=True)
    train_prior = validate_class_priors("train_prior", train_prior, activation)
    check_list("train_prior", train_prior, length=logits.shape[1])
    candidates = sorted(as_values(taus, "taus"))
    if not candidates:
        raise ValueError("taus must not be empty: pass at least one number ≥ 0")
    offsets = [PostHocLogitAdjustment(tau).shift(train_prior, activation).offset for tau in candidates]
    scores = [score_labels(logits + np.asarray(offset), target, activation, criterion) for offset in offsets]
    if np.isnan(scores).all():
        raise ValueError(f"{criterion} is undefined on these {len(target)} examples for every tau")
    return candidates[int(np.nanargmax(scores))]


def validate_criterion(criterion: str) -> None:
    """Raise ValueError unless ``criterion`` is a `Criterion`."""
    check_choice("the criterion for tau", criterion, get_args(Criterion))


def score_labels(logits: Logits, target: Target, activation: Activation, criterion: Criterion) -> float:
    """The score of the labels that logits (N, C) predict; under sigmoid the mean over labels."""
    score = getattr(metrics, criterion)
    num_classes = logits.shape[1]
    if activation == "softmax":
        return float(score(metrics.confusion_matrix(logits.argmax(1), target.astype(np.int64), num_classes)))
    labels = zip((logits >= 0).T.astype(np.int64), one_hot(target, num_classes).T.astype(np.int64), strict=True)
    return metrics.macro([score(metrics.confusion_matrix(predicted, truth, 2)) for predicted, truth in labels])
