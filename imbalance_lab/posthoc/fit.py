"""Fitting a `PostProcessor` on validation."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.posthoc.activation import Activation, ClassPriors, Logits, Target, one_hot
from imbalance_lab.posthoc.calibration import Calibration, fit_bias_corrected, fit_temperature_scaling, uncalibrated
from imbalance_lab.posthoc.guaranteed import MaxFPR, MinRecall
from imbalance_lab.posthoc.heuristic import MinCost
from imbalance_lab.posthoc.logit_adjustment import Criterion, LogitAdjustment, checked_criterion, choose_tau
from imbalance_lab.posthoc.postprocessor import Adjustment, PostProcessor
from imbalance_lab.posthoc.prior import DeploymentPrior
from imbalance_lab.posthoc.threshold import Scores, Threshold, ThresholdError, ThresholdRule

Method = Literal["none", "temperature", "bias_corrected"]


def fit_postprocessor(
    logits: Logits,
    target: Target,
    classes: Sequence[str],
    rule: ThresholdRule,
    *,
    train_prior: ClassPriors | None,
    activation: Activation = "softmax",
    calibration: Method = "temperature",
    deploy_prior: Sequence[float] | None = None,
    logit_adjustment: float | Criterion | None = None,
) -> PostProcessor:
    """Fit all of it on validation.

    Args:
        logits: (N, C), raw, of examples that were not trained on.
        target: class numbers (N,), or 0/1 (N, C).
        classes: C names.
        rule: chooses each class's cut, class against rest; where it refuses, its reason stands in the cut's place.
        train_prior: the shares that the raw logits stand for (`implied_prior`), or None if they are not known.
        activation: softmax or sigmoid.
        calibration: "none", "temperature" or "bias_corrected".
        deploy_prior: the class shares of the deployment, (C,), to move the probabilities to.
        logit_adjustment: or instead: τ of logit adjustment, or by which score of the decisions it is chosen.

    Raises:
        ValueError: as `validate_options`, and what cannot be fitted on these examples.
    """
    validate_options(
        len(classes),
        rule,
        train_prior=train_prior,
        activation=activation,
        calibration=calibration,
        deploy_prior=deploy_prior,
        logit_adjustment=logit_adjustment,
    )
    logits, target = as_scores(logits, "logits"), as_target(target)
    fitted = _calibrated(logits, target, calibration, train_prior, activation)
    start = fitted.prior or ()  # known where it is needed, or the options would have been refused
    adjustment: Adjustment | None = None
    if deploy_prior is not None:
        adjustment = DeploymentPrior(activation, start, tuple(deploy_prior))
    elif isinstance(logit_adjustment, str):
        adjustment = choose_tau(fitted(logits), target, start, activation=activation, criterion=logit_adjustment)
    elif logit_adjustment is not None:
        adjustment = LogitAdjustment(activation, start, logit_adjustment)
    plain = PostProcessor(tuple(classes), fitted, adjustment, ("",) * len(classes))
    scores, positive = plain.log_odds(logits), one_hot(target, len(classes))
    thresholds = tuple(_cut(rule, scores[:, c], positive[:, c]) for c in range(len(classes)))
    return PostProcessor(plain.classes, fitted, adjustment, thresholds)


def validate_options(
    num_classes: int,
    rule: ThresholdRule,
    *,
    train_prior: ClassPriors | None,
    activation: Activation = "softmax",
    calibration: Method = "temperature",
    deploy_prior: Sequence[float] | None = None,
    logit_adjustment: float | Criterion | None = None,
) -> None:
    """Refuse, before anything is trained, what `fit_postprocessor` could not do afterwards.

    Raises:
        ValueError: in a sentence that says what to do instead.
    """
    if calibration not in get_args(Method):
        raise ValueError(f"calibration must be one of {', '.join(get_args(Method))}, got {calibration!r}")
    if deploy_prior is not None and logit_adjustment is not None:
        raise ValueError("a deployment prior and logit adjustment both move the class shares: choose one")
    if deploy_prior is None and logit_adjustment is None:
        return
    if train_prior is None and calibration != "bias_corrected":
        raise ValueError("this loss leaves logits that stand for no known class shares: use calibration=bias_corrected")
    anything = (0.5 if activation == "sigmoid" else 1 / num_classes,) * num_classes
    if deploy_prior is not None:
        DeploymentPrior(activation, anything, tuple(deploy_prior))
        _check_promise(rule, num_classes)
    elif isinstance(rule, MinCost):
        raise ValueError("cost needs probabilities of the deployment: give a deployment prior, not logit_adjustment")
    elif isinstance(logit_adjustment, str):
        checked_criterion(logit_adjustment)
    elif logit_adjustment is not None:
        LogitAdjustment(activation, anything, logit_adjustment)


def _calibrated(
    logits: Logits, target: Target, method: Method, train_prior: ClassPriors | None, activation: Activation
) -> Calibration:
    match method:
        case "none":
            return uncalibrated(logits.shape[1], train_prior, activation)
        case "temperature":
            return fit_temperature_scaling(logits, target, train_prior, activation)
        case "bias_corrected":
            return fit_bias_corrected(logits, target, activation)


def _check_promise(rule: ThresholdRule, num_classes: int) -> None:
    # Recall is the same whatever the shares, and the rate among negatives if they are one class; all else is not.
    if not isinstance(rule, MinRecall | MinCost) and not (isinstance(rule, MaxFPR) and num_classes <= 2):
        raise ValueError(
            f"{rule} on validation is not so in a deployment with other class shares: with a deployment prior choose "
            "by recall or by cost"
        )


def _cut(rule: ThresholdRule, scores: Scores, positive: NDArray[np.bool_]) -> Threshold | str:
    try:
        return rule(scores, positive)
    except ThresholdError as reason:
        return str(reason)
