"""Fitting a `Readout` on validation."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.posthoc.calibration import Calibration, fit_bias_corrected, fit_temperature_scaling, uncalibrated
from imbalance_lab.posthoc.cut import Cut, NoCutError, Rule, Scores
from imbalance_lab.posthoc.link import Link, Logits, Shares, Target, happened
from imbalance_lab.posthoc.logit_adjustment import Criterion, LogitAdjustment, checked_criterion, choose_tau
from imbalance_lab.posthoc.prior import DeploymentPrior
from imbalance_lab.posthoc.promises import FprAtMost, RecallAtLeast
from imbalance_lab.posthoc.readout import Adjustment, Readout
from imbalance_lab.posthoc.rules import Cost

Method = Literal["none", "temperature", "bias_corrected"]


def fit_readout(
    logits: Logits,
    target: Target,
    classes: Sequence[str],
    rule: Rule,
    *,
    seen: Shares | None,
    link: Link = "softmax",
    calibrate: Method = "temperature",
    deploy: Sequence[float] | None = None,
    tau: float | Criterion | None = None,
) -> Readout:
    """Fit all of it on validation.

    Args:
        logits: (N, C), raw, of examples that were not trained on.
        target: class numbers (N,), or 0/1 (N, C).
        classes: C names.
        rule: chooses each class's cut, class against rest; where it refuses, its reason stands in the cut's place.
        seen: the shares that the raw logits stand for (`prior_seen`), or None if they are not known.
        link: softmax or sigmoid.
        calibrate: "none", "temperature" or "bias_corrected".
        deploy: the class shares of the deployment, (C,), to move the probabilities to.
        tau: or instead: τ of logit adjustment, or by which score of the decisions it is chosen.

    Raises:
        ValueError: as `check_options`, and what cannot be fitted on these examples.
    """
    check_options(len(classes), rule, seen=seen, link=link, calibrate=calibrate, deploy=deploy, tau=tau)
    logits, target = as_scores(logits, "logits"), as_target(target)
    calibration = _calibrated(logits, target, calibrate, seen, link)
    start = calibration.prior or ()  # known where it is needed, or the options would have been refused
    adjustment: Adjustment | None = None
    if deploy is not None:
        adjustment = DeploymentPrior(link, start, tuple(deploy))
    elif isinstance(tau, str):
        adjustment = choose_tau(calibration(logits), target, start, link=link, criterion=tau)
    elif tau is not None:
        adjustment = LogitAdjustment(link, start, tau)
    plain = Readout(tuple(classes), calibration, adjustment, ("",) * len(classes))
    scores, positive = plain.log_odds(logits), happened(target, len(classes))
    cuts = tuple(_cut(rule, scores[:, c], positive[:, c]) for c in range(len(classes)))
    return Readout(plain.classes, calibration, adjustment, cuts)


def check_options(
    num_classes: int,
    rule: Rule,
    *,
    seen: Shares | None,
    link: Link = "softmax",
    calibrate: Method = "temperature",
    deploy: Sequence[float] | None = None,
    tau: float | Criterion | None = None,
) -> None:
    """Refuse, before anything is trained, what `fit_readout` could not do afterwards.

    Raises:
        ValueError: in a sentence that says what to do instead.
    """
    if calibrate not in get_args(Method):
        raise ValueError(f"calibrate must be one of {', '.join(get_args(Method))}, got {calibrate!r}")
    if deploy is not None and tau is not None:
        raise ValueError("a deployment prior and logit adjustment both move the class shares: choose one")
    if deploy is None and tau is None:
        return
    if seen is None and calibrate != "bias_corrected":
        raise ValueError("this loss leaves logits that stand for no known class shares: use calibrate=bias_corrected")
    anything = (0.5 if link == "sigmoid" else 1 / num_classes,) * num_classes
    if deploy is not None:
        DeploymentPrior(link, anything, tuple(deploy))
        _check_promise(rule, num_classes)
    elif isinstance(rule, Cost):
        raise ValueError("cost needs probabilities of the deployment: give a deployment prior, not tau")
    elif isinstance(tau, str):
        checked_criterion(tau)
    elif tau is not None:
        LogitAdjustment(link, anything, tau)


def _calibrated(logits: Logits, target: Target, method: Method, seen: Shares | None, link: Link) -> Calibration:
    match method:
        case "none":
            return uncalibrated(logits.shape[1], seen, link)
        case "temperature":
            return fit_temperature_scaling(logits, target, seen, link)
        case "bias_corrected":
            return fit_bias_corrected(logits, target, link)


def _check_promise(rule: Rule, num_classes: int) -> None:
    # Recall is the same whatever the shares, and the rate among negatives if they are one class; all else is not.
    if not isinstance(rule, RecallAtLeast | Cost) and not (isinstance(rule, FprAtMost) and num_classes <= 2):
        raise ValueError(
            f"{rule} on validation is not so in a deployment with other class shares: with a deployment prior choose "
            "by recall or by cost"
        )


def _cut(rule: Rule, scores: Scores, positive: NDArray[np.bool_]) -> Cut | str:
    try:
        return rule(scores, positive)
    except NoCutError as reason:
        return str(reason)
