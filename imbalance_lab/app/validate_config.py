"""Checks of the keys that describe the job itself, before anything is built."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.errors import UsageError
from imbalance_lab.validation import check_bool, check_choice, check_integer, check_number

GROUPS = [
    "data",
    "backbone",
    "head",
    "loss",
    "sampler",
    "augment",
    "optimizer",
    "scheduler",
    "trainer",
    "logger",
    "callbacks",
    "strategy",
    "calibration",
    "prior_correction",
    "operating_point",
]
INTEGERS = {"seed": 0, "batch_size": 1, "eval_batch_size": 1, "num_workers": 0, "max_epochs": 1}
"""The minimum of each."""


def validate_config(config: DictConfig) -> None:
    """Check the keys that no constructor sees.

    Raises:
        UsageError: naming the key, its value and the remedy.
    """
    for key in sorted(OmegaConf.missing_keys(config)):
        group = key.split(".")[0]
        raise UsageError(f"{key} is missing: add {key}=… (see python train.py --help {group}=…)")
    _check_groups(config)
    try:
        for key, minimum in INTEGERS.items():
            check_integer(key, config[key], minimum=minimum)
        if config.head_lr is not None:
            check_number("head_lr (null for optimizer.lr)", config.head_lr, above=0)
        for key in ("data_summary.auroc", "data_summary.width"):
            check_number(key, OmegaConf.select(config, key), above=0, below=1)
        for key in ("check", "fit", "report.images"):
            check_bool(key, OmegaConf.select(config, key))
        check_choice("resume", config.resume, ("exact", "continue"))
        check_choice("guard", config.guard, ("stop", "skip"))
        check_number("trainer.timeout (seconds)", config.trainer.timeout, above=0)
        if config.checkpoint.every_minutes is not None:
            check_number("checkpoint.every_minutes (null: only after epochs)", config.checkpoint.every_minutes, above=0)
        check_choice("monitor_mode", config.monitor_mode, ("max", "min"))
        if not isinstance(config.early_stopping, bool):
            check_integer("early_stopping (true, false or a number of epochs)", config.early_stopping, minimum=1)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    for package in ("mlflow", "wandb"):
        if package in config.logger._target_.lower() and find_spec(package) is None:
            raise UsageError(f"logger={package} needs another package: pip install 'imbalance-lab[{package}]'")
    _check_checkpoint_path(config)


def _check_groups(config: DictConfig) -> None:
    """An error for a group that was replaced by a plain value, as in ``loss=null``."""
    for group in GROUPS:
        node: Any = config.get(group)
        if not isinstance(node, DictConfig):
            raise UsageError(f"{group} must be one of its configurations, got {node!r}: see python train.py --help")
        needs_target = group not in ("callbacks", "trainer")
        if needs_target and not isinstance(node.get("_target_"), str):
            raise UsageError(f"{group} needs a _target_, the path of a class, got {node.get('_target_')!r}")


def _check_checkpoint_path(config: DictConfig) -> None:
    path = config.ckpt_path
    if path is None:
        if not config.fit:
            raise UsageError("fit=false tests a trained model: name it with ckpt_path=RUN/checkpoints/best.ckpt")
    elif not isinstance(path, str) or not Path(path).is_file():
        raise UsageError(f"ckpt_path={path} is not a file: name a checkpoint, as in RUN/checkpoints/last.ckpt")
