"""The data of a configuration, and the class of two that a user calls positive."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from imbalance_lab.app.build import allowed_packages, instantiate_part
from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.class_counts import SHOT_LIMITS, ShotLimits
from imbalance_lab.data import Fold, InputSchema, Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task
from imbalance_lab.trusted import locate


def instantiate_splits(
    config: DictConfig, *, schema: InputSchema | None = None, trained: Task | None = None, slices: Sequence[str] = ()
) -> Splits:
    """Instantiate ``config.data``, of any source.

    Args:
        config: its key ``data.positive`` names the positive class, null for the rarer one in training; ``data.many``
            and ``data.few`` are the limits of the groups of classes.
        schema: of a trained model, for the sources that take one.
        slices: the columns of ``report.slices``, for the sources that take them.
        trained: the task of that model: its positive class stays, unless the configuration names another.

    Raises:
        UsageError: for what the source refuses, and for a positive class that the task does not have.
    """
    node = copy(config.data)  # it keeps its parent, for interpolations
    with open_dict(node):
        given = node.pop("positive", None)
        limits = _limits(node.pop("many", SHOT_LIMITS.many), node.pop("few", SHOT_LIMITS.few))
    fold = fold_of(config)
    if fold is not None:
        _check_takes_fold(config, node)
    splits: Splits = instantiate_part(_with_data(config, node), "data", schema=schema, slices=slices, fold=fold)
    splits = replace(splits, limits=limits)
    positive = _class_name(given)
    if positive is None and trained is not None and trained.positive is not None and trained.classes == splits.classes:
        positive = trained.classes[trained.positive]
    if positive is None:
        return splits
    try:
        return replace(splits, positive=positive)
    except ValueError as error:
        raise UsageError(f"data.{error}") from error


def fold_of(config: DictConfig) -> Fold | None:
    """The fold of a cross-validation that ``cv`` asks for: `fold`, or the first one where all are asked for.

    Raises:
        UsageError: for numbers out of range, and for a fold or repeats without ``cv.folds``.
    """
    folds, repeats, number = (OmegaConf.select(config, f"cv.{key}") for key in ("folds", "repeats", "fold"))
    if folds is None:
        given = next((f"cv.{key}={value}" for key, value in (("fold", number), ("repeats", repeats)) if value), None)
        if given not in (None, "cv.repeats=1"):
            raise UsageError(f"{given} needs a number of folds: add cv=5")
        return None
    try:
        return Fold(0 if number is None else number, folds, repeats)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def _check_takes_fold(config: DictConfig, node: DictConfig) -> None:
    """Raise an error for a source that knows no folds: each of them would get the same split."""
    source = locate(str(node.get("_target_")), allowed_packages(config), "add allow=[{package}]")
    if "fold" not in accepted_arguments(source, {"fold": None}):
        raise UsageError(
            f"cv: {source.__name__} takes no fold, as data with a split of their own: leave cv out, or choose "
            "data=table, image_folder, image_table or a long-tailed set"
        )


def _limits(many: object, few: object) -> ShotLimits:
    """The limits of the groups.

    Raises:
        UsageError: for numbers that are none.
    """
    try:
        return ShotLimits.checked(many, few)
    except (TypeError, ValueError) as error:
        raise UsageError(f"data.{error}") from error


def _with_data(config: DictConfig, node: DictConfig) -> DictConfig:
    """The configuration with another node ``data``; the original stays as it is."""
    other = copy(config)
    with open_dict(other):
        other.data = node
    return other


def _class_name(value: Any) -> str | None:
    """The name of a class as YAML reads it: ``1`` and ``true`` are classes too.

    Raises:
        UsageError: for a list or a mapping.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise UsageError(f"data.positive={value} must be the name of one class")
