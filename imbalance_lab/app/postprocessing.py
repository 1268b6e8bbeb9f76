"""Calibration, prior correction, thresholds and prediction sets, as configured."""

from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from imbalance_lab.app.build import instantiate_part, require_attributes
from imbalance_lab.app.linear_head import check_head
from imbalance_lab.app.without_validation import postprocessing_without_validation, validate_without_validation
from imbalance_lab.errors import UsageError
from imbalance_lab.text import split_override, visible

if TYPE_CHECKING:
    from torch import nn

    from imbalance_lab.app.instantiate import Experiment
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.posthoc import ConformalMethod, LinearHead, PostProcessor
    from imbalance_lab.task import Task
    from imbalance_lab.training.strategies import Strategy


def validate_postprocessing(
    config: DictConfig,
    task: "Task",
    train_prior: tuple[float, ...] | None,
    *,
    has_validation: bool = True,
    overrides: Sequence[str] = (),
) -> dict[str, Any]:
    """Instantiate the post-processing; raise an error, before training, if it could not be fitted afterwards.

    Args:
        config: its groups.
        task: of the data.
        train_prior: the class priors of the logits after training, (C,); None if unknown.
        has_validation: whether there are examples to fit it on.
        overrides: of the command line: without validation, what it chooses is refused, the defaults are left out.

    Returns:
        the arguments ``rule``, ``calibration`` and ``prior_correction`` of `fit_postprocessor`.

    Raises:
        UsageError: in a sentence that says what to do instead.
    """
    from imbalance_lab import posthoc

    options = _instantiate(config)
    if not has_validation:
        validate_without_validation(options, task, train_prior, overrides)
        return options
    try:
        posthoc.validate_postprocessing(
            task.num_classes, train_prior=train_prior, activation=task.activation, **options
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"after training: {error}") from error
    return options


def validate_strategies(config: DictConfig, experiment: "Experiment", strategies: "Sequence[Strategy]") -> None:
    """Raise an error if the prior correction cannot use the class priors that the strategies imply.

    Args:
        config, experiment: of the job.
        strategies: in their order.

    Raises:
        UsageError: in a sentence that says what to do instead.
    """
    from imbalance_lab.training.strategies import fold_priors

    implied = fold_priors(experiment.train_prior, strategies)
    if implied != experiment.train_prior:
        validate_postprocessing(
            *(config, experiment.task, implied),
            has_validation=experiment.splits.val is not None,
            overrides=experiment.overrides,
        )


def _instantiate(config: DictConfig) -> dict[str, Any]:
    options = {
        "rule": instantiate_part(config, "operating_point"),
        "calibration": instantiate_part(config, "calibration"),
        "prior_correction": instantiate_part(config, "prior_correction"),
    }
    _check_kinds(options)
    return options


def validate_conformal(config: DictConfig, classes: Sequence[str], counts: Sequence[int] | None) -> "ConformalMethod":
    """Instantiate the method of prediction sets; raise an error, before training, if it cannot be fitted afterwards.

    Args:
        config: its group ``conformal``.
        classes: C names.
        counts: (C,) calibration examples of each class; None without a calibration split.

    Raises:
        UsageError: in a sentence that says what to do instead, with the number of examples needed.
    """
    from imbalance_lab.posthoc import NoPredictionSets, TauNormalization

    method: ConformalMethod = instantiate_part(config, "conformal")
    require_attributes("conformal", method, "fit", "validate")
    if not isinstance(method, NoPredictionSets) and isinstance(_prior_correction(config), TauNormalization):
        raise UsageError(
            "conformal: prediction sets cannot follow prior_correction=tau_normalization: choose "
            "prior_correction=logit_adjustment, or conformal=none"
        )
    try:
        method.validate(classes, counts)
    except (ValueError, TypeError) as error:
        raise UsageError(f"conformal: {error}") from error
    return method


def validate_head(config: DictConfig, head: "nn.Module") -> None:
    """Raise an error, before training, if the weights of the head could not be normalized afterwards.

    Raises:
        UsageError: naming the head.
    """
    from torch import nn

    from imbalance_lab.posthoc import TauNormalization

    if isinstance(_prior_correction(config), TauNormalization) and type(head) is not nn.Linear:
        raise UsageError(
            "prior_correction=tau_normalization needs a linear head of one net, but the head is "
            f"{type(head).__name__}: choose head=linear ensemble=1, or prior_correction=logit_adjustment"
        )


def _prior_correction(config: DictConfig) -> Any:
    return instantiate_part(config, "prior_correction")


def is_rule_chosen(config: DictConfig, overrides: Sequence[str]) -> bool:
    """Whether the user chose the rule of the thresholds: by a word of a command line, or a rule other than the default.

    Args:
        config: of the run.
        overrides: of its command line, and of that of ``evaluate``.
    """
    from imbalance_lab.posthoc import MaxF1

    words = {split_override(each)[0].split(".")[0] for each in overrides}
    return "operating_point" in words or bool(instantiate_part(config, "operating_point") != MaxF1())


def _check_kinds(options: dict[str, Any]) -> None:
    """Raise an error for an object of another kind, as a loss that was chosen as the operating point."""
    for key in ("calibration", "prior_correction"):
        require_attributes(key, options[key], "fit", "validate")
    rule = options["rule"]
    if not _is_rule(rule):
        raise UsageError(
            f"operating_point: {type(rule).__name__} does not choose thresholds by rule(scores, positive): "
            "choose operating_point=…"
        )


def _is_rule(rule: Any) -> bool:
    """Whether it can be called with scores and positives; a module of torch takes any arguments, but is none."""
    if not callable(rule) or any(base.__module__ == "torch.nn.modules.module" for base in type(rule).__mro__):
        return False
    try:
        signature(rule).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def fit_postprocessing(
    config: DictConfig,
    predictions: "Predictions | None",
    train_prior: tuple[float, ...] | None,
    calibration_split: "Predictions | None" = None,
    head: "LinearHead | None" = None,
    *,
    task: "Task | None" = None,
    overrides: Sequence[str] = (),
) -> "PostProcessor":
    """Fit the configured post-processing on the predictions of the validation split, its sets on the calibration split.

    Where these examples do not suffice, a trained model is not given up for it: calibration and prior correction are
    skipped, and the screen says why. ``head`` is the linear head that the logits are of, None for another.

    Args:
        config: its groups.
        predictions: of validation; None for a run without such a split.
        train_prior: the class priors of the logits, (C,); None if unknown.
        calibration_split: of the calibration split, if there is one.
        task: of the run; None for that of ``predictions``.
        overrides: of the command line of the run, and of ``evaluate``; see `validate_postprocessing`.

    Raises:
        UsageError: for options that make no sense, and for prediction sets for which there are too few examples.
    """
    from imbalance_lab.posthoc import fit_prediction_sets

    task = task if predictions is None else predictions.task
    if task is None:
        raise TypeError("without predictions, fit_postprocessing needs the task")
    held_out = calibration_split
    counts = None if held_out is None else task.one_hot(held_out.target).sum(0).tolist()
    method = validate_conformal(config, task.classes, counts)
    if predictions is None:
        postprocessor = postprocessing_without_validation(_instantiate(config), task, train_prior, overrides, head)
    else:
        postprocessor = _fit(config, predictions, train_prior, head)
    return (
        postprocessor
        if held_out is None
        else fit_prediction_sets(postprocessor, method, held_out.logits, held_out.target)
    )


def _fit(
    config: DictConfig, predictions: "Predictions", train_prior: tuple[float, ...] | None, head: "LinearHead | None"
) -> "PostProcessor":
    """Calibration, prior correction and thresholds; see `fit_postprocessing`."""
    from imbalance_lab.posthoc import NoCalibration, NoPriorCorrection, fit_postprocessor

    task = predictions.task
    options = validate_postprocessing(config, task, train_prior)
    check_head(options["prior_correction"], head)
    fitted_on: dict[str, Any] = {
        "logits": predictions.logits,
        "target": predictions.target,
        "classes": task.classes,
        "train_prior": train_prior,
        "activation": task.activation,
        "head": head,
    }
    try:
        return fit_postprocessor(**fitted_on, **options)
    except ValueError as error:  # only known after training, and the trained model must not be lost
        print(visible(f"post-processing skipped: {error}"))
        options |= {"calibration": NoCalibration(), "prior_correction": NoPriorCorrection()}
        return fit_postprocessor(**fitted_on, **options)
