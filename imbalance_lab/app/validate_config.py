"""Checks of the keys that describe the job itself, before anything is built."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.compose import config_directory
from imbalance_lab.app.slices import slice_columns
from imbalance_lab.app.splits import fold_of
from imbalance_lab.app.validate_trainer import validate_trainer
from imbalance_lab.backbones.members import MAX_MEMBERS
from imbalance_lab.errors import UsageError
from imbalance_lab.validation import MAX_SEED, check_bool, check_choice, check_integer, check_number, check_text

INTEGERS = {
    "seed": (0, MAX_SEED),
    "batch_size": (1, None),
    "eval_batch_size": (1, None),
    "num_workers": (0, 1024),
    "max_epochs": (1, None),
    "passes": (1, None),
    "ensemble": (1, MAX_MEMBERS),
}
"""The minimum and the maximum of each."""

AUTOMATIC = ("batch_size", "passes", "ensemble")
"""May be ``auto`` too."""

NO_TARGET = {"callbacks", "strategy", "experiment"}
"""Groups that are not one object."""


def validate_config(config: DictConfig) -> None:
    """Check the keys that no constructor sees.

    Raises:
        UsageError: naming the key, its value and the remedy.
    """
    try:
        OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise UsageError(f"{error.full_key}: {str(error).splitlines()[0]}: correct what is in ${{…}}") from error
    for key in sorted(OmegaConf.missing_keys(config)):
        group = key.split(".")[0]
        raise UsageError(f"{key} is missing: add {key}=… (see python train.py --help {group}=…)")
    _check_groups(config)
    slice_columns(config)
    try:
        for key, (minimum, maximum) in INTEGERS.items():
            if key not in AUTOMATIC or config[key] != "auto":
                name = f"{key} (or auto)" if key in AUTOMATIC else key
                check_integer(name, config[key], minimum=minimum, maximum=maximum)
        validate_trainer(config.trainer, config.max_epochs)
        for key in ("data_summary.auroc", "data_summary.width"):
            check_number(key, OmegaConf.select(config, key), above=0, below=1)
        for key in ("check", "fit", "baselines", "report.images"):
            check_bool(key, OmegaConf.select(config, key))
        fold_of(config)
        check_choice("resume", config.resume, ("exact", "continue"))
        check_choice("guard", config.guard, ("stop", "skip"))
        check_number("trainer.timeout (seconds)", config.trainer.timeout, above=0)
        if config.checkpoint.every_minutes is not None:
            check_number("checkpoint.every_minutes (null: only after epochs)", config.checkpoint.every_minutes, above=0)
        if config.head.get("bias") is not None:
            check_bool("head.bias", config.head.bias)
        _check_features(config.features)
        check_text("monitor", config.monitor)
        check_choice("monitor_mode", config.monitor_mode, ("max", "min"))
        if not isinstance(config.early_stopping, bool) and config.early_stopping != "auto":
            check_integer("early_stopping (true, false, auto or a number of epochs)", config.early_stopping, minimum=1)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    for package in ("mlflow", "wandb"):
        if package in config.logger._target_.lower() and find_spec(package) is None:
            raise UsageError(f"logger={package} needs another package: pip install 'imbalance-lab[{package}]'")
    _check_checkpoint_path(config)


def _check_features(config: DictConfig) -> None:
    if config.cache is not None and config.cache is not False:
        check_text("features.cache (a directory, null or false)", config.cache)
    check_number("features.max_gb", config.max_gb, above=0)


def _check_groups(config: DictConfig) -> None:
    """An error for a group that was replaced by a plain value, as in ``++loss=5``."""
    folders = {folder.name for folder in config_directory().iterdir() if folder.is_dir()}
    groups = sorted(folders - {"experiment", "sweep"})  # those set keys of others
    for group in [*groups, "data_summary", "report", "features"]:
        node: Any = config.get(group)
        if not isinstance(node, DictConfig):
            raise UsageError(f"{group} must be one of its configurations, got {node!r}: see python train.py --help")
        if group in groups and group not in NO_TARGET and not isinstance(node.get("_target_"), str):
            raise UsageError(f"{group} needs a _target_, the path of a class, got {node.get('_target_')!r}")


def _check_checkpoint_path(config: DictConfig) -> None:
    path = config.ckpt_path
    if path is None:
        if not config.fit:
            raise UsageError("fit=false tests a trained model: name it with ckpt_path=RUN/checkpoints/best.ckpt")
    elif not isinstance(path, str) or not Path(path).is_file():
        raise UsageError(f"ckpt_path={path} is not a file: name a checkpoint, as in RUN/checkpoints/last.ckpt")
