"""Data without a validation split (``data.val_fraction=0``): the last epoch is the model, and nothing is chosen.

What needs such a split is refused where the user chose it, and left out where it is only the default. So published
tables can be compared with: their models are those of the last epoch, trained on the whole training set.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from omegaconf import DictConfig

from imbalance_lab.app.linear_head import check_head
from imbalance_lab.errors import UsageError
from imbalance_lab.text import split_override

if TYPE_CHECKING:
    from imbalance_lab.posthoc import LinearHead, PostProcessor
    from imbalance_lab.task import Task

SELECTION = {
    "monitor": "selects an epoch on validation",
    "monitor_mode": "selects an epoch on validation",
    "trainer.limit_val_batches": "is about the validation of epochs",
    "trainer.val_check_interval": "is about the validation of epochs",
    "trainer.check_val_every_n_epoch": "is about the validation of epochs",
}
"""Keys that say how an epoch is selected, and what they do; their defaults are not used."""

NOTE = (
    "there is no validation split (data.val_fraction=0): the model is that of the last epoch, and calibration and "
    "thresholds are left out"
)

NO_THRESHOLD = "there is no validation split to choose it on"
"""Why no class has a threshold."""


def leave_out_validation(config: DictConfig, overrides: Sequence[str]) -> str:
    """Leave out what the defaults do on validation, and refuse what the user chose.

    Args:
        config: of a job without a validation split; changed in place.
        overrides: of its command line, ``KEY=VALUE``.

    Returns:
        the note that says so.

    Raises:
        UsageError: naming what needs validation.
    """
    if config.fit:
        words = dict(map(split_override, overrides))
        for key, what in SELECTION.items():
            if key in words:
                refuse(f"{key}={words[key]}", what, "leave it out")
        if config.early_stopping not in (False, "auto"):
            refuse(f"early_stopping={_text(config.early_stopping)}", "stops by a score on validation", "leave it out")
        if words.get("baselines", "").lower() == "true":
            refuse("baselines=true", "chooses penalties and numbers of trees on validation", "leave it out")
    config.early_stopping = False
    config.baselines = False
    return NOTE


def check_callbacks(monitors: Mapping[str, str | None]) -> set[str]:
    """The scores that callbacks watch, none: raise an error for a callback that is told to watch one.

    Args:
        monitors: the score by its key, as ``callbacks.mine.monitor``; None where it is left to the program.

    Raises:
        UsageError: naming the callback.
    """
    for key, score in monitors.items():
        if score is not None:
            refuse(f"{key}={score}", "is a score on validation", "leave the callback out")
    return set()


def check_postprocessing(options: dict[str, Any], overrides: Sequence[str]) -> None:
    """Raise an error for post-processing that the user chose, and that is fitted on validation.

    Args:
        options: ``rule``, ``calibration`` and ``prior_correction``.
        overrides: of the command line of the run, and of ``evaluate``.

    Raises:
        UsageError: naming it.
    """
    from imbalance_lab.posthoc import MaxF1, NoCalibration, NoThresholds, TemperatureScaling

    groups = {split_override(each)[0].split(".")[0] for each in overrides}
    calibration, rule, correction = options["calibration"], options["rule"], options["prior_correction"]
    if not isinstance(calibration, NoCalibration) and (
        "calibration" in groups or not isinstance(calibration, TemperatureScaling)
    ):
        refuse(f"calibration by {type(calibration).__name__}", "is fitted on validation", "choose calibration=none")
    if not isinstance(rule, NoThresholds) and ("operating_point" in groups or rule != MaxF1()):
        refuse(f"operating_point by {rule}", "is chosen on validation", "choose operating_point=none")
    if getattr(correction, "uses_examples", True):
        name, tau = type(correction).__name__, getattr(correction, "tau", None)
        of = f" with tau={tau}" if isinstance(tau, str) else ""
        remedy = "give tau a number, as in prior_correction.tau=1" if of else "choose prior_correction=none"
        refuse(f"prior_correction by {name}{of}", "is chosen on validation", remedy)


def validate_without_validation(
    options: dict[str, Any], task: "Task", train_prior: tuple[float, ...] | None, overrides: Sequence[str]
) -> None:
    """Raise an error for post-processing that cannot be had without a validation split.

    Args:
        options, overrides: as for `check_postprocessing`.
        task: of the run.
        train_prior: the class priors of the logits, (C,).

    Raises:
        UsageError: for what needs validation, and for class priors that do not fit.
    """
    from imbalance_lab.posthoc import NoCalibration, NoThresholds

    check_postprocessing(options, overrides)
    given = train_prior, task.activation
    try:
        options["prior_correction"].validate(
            task.num_classes, *given, calibration=NoCalibration(), rule=NoThresholds(NO_THRESHOLD)
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"after training: {error}") from error


def postprocessing_without_validation(
    options: dict[str, Any],
    task: "Task",
    train_prior: tuple[float, ...] | None,
    overrides: Sequence[str],
    head: "LinearHead | None",
) -> "PostProcessor":
    """The configured prior correction, without calibration and thresholds.

    Args:
        options, task, train_prior, overrides: as for `validate_without_validation`, which is done first.
        head: the linear head that the logits are of, None for another.

    Raises:
        UsageError: as there, and for a correction that needs a linear head.
    """
    from imbalance_lab.posthoc import postprocessor_without_examples

    validate_without_validation(options, task, train_prior, overrides)
    check_head(options["prior_correction"], head)
    return postprocessor_without_examples(
        task.classes,
        train_prior=train_prior,
        activation=task.activation,
        prior_correction=options["prior_correction"],
        reason=NO_THRESHOLD,
        head=head,
    )


def refuse(what: str, why: str, remedy: str) -> NoReturn:
    """Raise the error that ``what`` needs validation: ``why``, and what to do instead.

    Raises:
        UsageError: saying so.
    """
    raise UsageError(
        f"{what} {why}, but there is no validation split (data.val_fraction=0): {remedy}, or keep a share of the "
        "examples with data.val_fraction=0.1"
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
