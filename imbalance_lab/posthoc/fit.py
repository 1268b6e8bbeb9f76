"""Fitting a `PostProcessor` on the validation split, and its prediction sets on the calibration split."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_examples
from imbalance_lab.posthoc.activation import ClassPriors
from imbalance_lab.posthoc.calibration import Calibration, CalibrationMethod
from imbalance_lab.posthoc.conformal import ConformalMethod
from imbalance_lab.posthoc.linear_head import LinearHead
from imbalance_lab.posthoc.postprocessor import PostProcessor
from imbalance_lab.posthoc.prior_correction import NoPriorCorrection, PriorCorrection, PriorShift
from imbalance_lab.posthoc.tau_normalization import TauNormalization
from imbalance_lab.posthoc.temperature import TemperatureScaling
from imbalance_lab.posthoc.threshold import Scores, Threshold, ThresholdError, ThresholdRule
from imbalance_lab.task import Activation, Logits, Target, one_hot

_TEMPERATURE, _NO_CORRECTION = TemperatureScaling(), NoPriorCorrection()


def fit_postprocessor(
    logits: Logits,
    target: Target,
    classes: Sequence[str],
    rule: ThresholdRule,
    *,
    train_prior: ClassPriors | None,
    activation: Activation = "softmax",
    calibration: CalibrationMethod = _TEMPERATURE,
    prior_correction: PriorCorrection = _NO_CORRECTION,
    head: LinearHead | None = None,
) -> PostProcessor:
    """Fit calibration, prior correction and thresholds on validation.

    Args:
        logits: (N, C), raw, of examples that were not trained on.
        target: class indices (N,), or 0/1 (N, C).
        classes: C names.
        rule: chooses the threshold of each class, one-vs-rest; a `ThresholdError` is stored in place of the threshold.
        train_prior: the class priors of the raw logits (`implied_prior`), or None if they are unknown.
        activation: softmax or sigmoid.
        calibration: how to calibrate.
        prior_correction: which class priors to correct for.
        head: the linear head that the logits are of, which `TauNormalization` needs; None if it is another head.

    Raises:
        ValueError: as `validate_postprocessing`, and for what cannot be fitted on these examples.
    """
    logits, target = as_examples(logits, target, "logits", finite=True)
    if logits.shape[1] != len(classes):
        raise ValueError(f"classes must name each of {logits.shape[1]} logits, got {len(classes)}: {list(classes)}")
    validate_postprocessing(
        len(classes),
        rule,
        train_prior=train_prior,
        activation=activation,
        calibration=calibration,
        prior_correction=prior_correction,
    )
    fitted = calibration.fit(logits, target, train_prior, activation)
    shift = _fit_correction(prior_correction, logits, target, fitted, head)
    postprocessor = PostProcessor(classes, fitted, shift, ("",) * len(classes))
    scores, positive = postprocessor.log_odds(logits), one_hot(target, len(classes))
    return postprocessor.with_thresholds(
        [_choose_threshold(rule, scores[:, c], positive[:, c]) for c in range(len(classes))]
    )


def postprocessor_without_examples(
    classes: Sequence[str],
    *,
    train_prior: ClassPriors | None,
    activation: Activation,
    prior_correction: PriorCorrection = _NO_CORRECTION,
    reason: str,
    head: LinearHead | None = None,
) -> PostProcessor:
    """What there is without a validation split: logits as they are, corrected by known class priors; no thresholds.

    Args:
        classes, train_prior, activation: as for `fit_postprocessor`.
        prior_correction: one that does not use examples.
        reason: why no class has a threshold.
        head: as for `fit_postprocessor`.

    Raises:
        ValueError: for a prior correction that is fitted on examples.
    """
    if getattr(prior_correction, "uses_examples", True):
        raise ValueError("the prior correction is fitted on validation examples, of which there are none")
    none = np.empty((0, len(classes)), np.float32), np.empty(0, np.int64)
    calibration = Calibration(activation, 1.0, (0.0,) * len(classes), train_prior)
    shift = _fit_correction(prior_correction, *none, calibration, head)
    return PostProcessor(classes, calibration, shift, (reason,) * len(classes))


def _fit_correction(
    correction: PriorCorrection, logits: Logits, target: Target, calibration: Calibration, head: LinearHead | None
) -> PriorShift | None:
    """What the correction does after the calibration; τ-normalization looks at the head, all others at the priors."""
    if isinstance(correction, TauNormalization) and head is not None:
        return correction.fit_head(logits, target, calibration, head)
    return correction.fit(calibration(logits), target, calibration.prior, calibration.activation)


def fit_prediction_sets(
    postprocessor: PostProcessor, method: ConformalMethod, logits: Logits, target: Target
) -> PostProcessor:
    """The same post-processing with prediction sets.

    Args:
        postprocessor: fitted, on other examples than these.
        method: how to fit.
        logits: (N, C), raw, of a calibration split: examples that nothing was trained, fitted or chosen on.
        target: class indices (N,), or 0/1 (N, C).

    Raises:
        ValueError: if a class has too few examples, with the number needed; and after a τ-normalization.
    """
    if postprocessor.prior_scale is not None:
        raise ValueError("prediction sets cannot follow tau_normalization: choose prior_correction=logit_adjustment")
    logits, target = as_examples(logits, target, "logits", finite=True)
    classes = postprocessor.classes
    positive = one_hot(target, len(classes))
    sets = method.fit(postprocessor.log_odds(logits), positive, classes, postprocessor.prior_offset.tolist())
    return PostProcessor(
        classes, postprocessor.calibration, postprocessor.prior_correction, postprocessor.thresholds, sets
    )


def validate_postprocessing(
    num_classes: int,
    rule: ThresholdRule,
    *,
    train_prior: ClassPriors | None,
    activation: Activation = "softmax",
    calibration: CalibrationMethod = _TEMPERATURE,
    prior_correction: PriorCorrection = _NO_CORRECTION,
) -> None:
    """Check, before training, whether `fit_postprocessor` can work afterwards.

    Raises:
        TypeError, ValueError: naming what is wrong and what to use instead.
    """
    calibration.validate(num_classes, train_prior, activation)
    prior_correction.validate(num_classes, train_prior, activation, calibration=calibration, rule=rule)


def _choose_threshold(rule: ThresholdRule, scores: Scores, positive: NDArray[np.bool_]) -> Threshold | str:
    try:
        return rule(scores, positive)
    except ThresholdError as error:
        return str(error)
