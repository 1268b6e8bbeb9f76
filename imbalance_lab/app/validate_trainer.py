"""Checks of the Trainer's arguments by value; Lightning takes several that later fail, never end, or do nothing."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from imbalance_lab.validation import check_bool, check_choice, check_integer, check_list, check_number

FLAGS = ("sync_batchnorm", "detect_anomaly", "inference_mode", "benchmark", "barebones", "enable_autolog_hparams")
OURS = {
    "logger": "choose logger=…",
    "default_root_dir": "choose hydra.run.dir=…",
    "enable_progress_bar": "leave it out, the bar is shown on terminals",
    "enable_checkpointing": "leave it out, the best and the last epoch are saved",
    "overfit_batches": "choose trainer.limit_train_batches=…",
}
"""Arguments that this program sets itself, and what to use instead."""
DURATION = re.compile(r"\d+:\d{1,2}:\d{1,2}:\d{1,2}")


def validate_trainer(options: Mapping[str, Any], max_epochs: int) -> None:
    """Check the values of the group ``trainer``; an argument that is not in it has Lightning's default.

    Raises:
        TypeError, ValueError: naming the key, its value and what it may be.
    """
    if options.get("max_epochs", max_epochs) != max_epochs:
        raise ValueError(f"trainer.max_epochs={options['max_epochs']} is not max_epochs={max_epochs}: set max_epochs")
    for name, check in CHECKS.items():
        if name in options:
            check(f"trainer.{name}", options[name])


def _integer(minimum: int) -> Callable[[str, Any], object]:
    return lambda name, value: check_integer(name, value, minimum=minimum)


def _optional(check: Callable[[str, Any], object]) -> Callable[[str, Any], object]:
    return lambda name, value: None if value is None else check(f"{name} (or null)", value)


def _max_time(name: str, value: object) -> None:
    if not isinstance(value, str) or not DURATION.fullmatch(value):
        raise TypeError(f"{name} must be a time as DD:HH:MM:SS, as in 00:12:00:00, got {value!r}")
    if not any(int(part) for part in value.split(":")):
        raise ValueError(f"{name}={value} leaves no time to train: choose a longer one")


def _batches(name: str, value: object) -> None:
    """An integer counts batches, a float is a fraction of them."""
    if isinstance(value, int):
        check_integer(f"{name} as a number of batches", value, minimum=0)
    else:
        check_number(f"{name} as a fraction of the batches", value, minimum=0, maximum=1)


def _interval(name: str, value: object) -> None:
    """`_batches` of which there is one at least, or a time."""
    if isinstance(value, str):
        _max_time(name, value)
        return
    _batches(name, value)
    if not value:
        raise ValueError(f"{name}={value} never validates: choose a whole number ≥ 1, or null for the end of an epoch")


def _deterministic(name: str, value: object) -> None:
    if value != "warn":
        check_bool(f"{name} (or warn)", value)


def _not_distributed(name: str, value: object) -> None:
    if check_bool(name, value):
        raise ValueError(f"{name}=true would repeat examples: leave it false, the DataModule shares them exactly")


def _not_bool(name: str, value: object) -> None:
    if isinstance(value, bool | float):
        raise TypeError(f"{name} must be a number of devices, auto, or a list of device numbers, got {value!r}")


def _ours(name: str, value: object) -> None:
    remedy = OURS[name.removeprefix("trainer.")]
    raise ValueError(f"{name}={value} takes the place of what the run directory needs: {remedy}")


def _clipping(name: str, value: object) -> None:
    check_number(name, value, above=0)


CHECKS: dict[str, Callable[[str, Any], object]] = {
    "max_steps": _integer(-1),
    "min_epochs": _optional(_integer(0)),
    "min_steps": _optional(_integer(0)),
    "max_time": _optional(_max_time),
    "gradient_clip_val": _optional(_clipping),
    "gradient_clip_algorithm": _optional(lambda name, value: check_choice(name, value, ("norm", "value"))),
    "accumulate_grad_batches": _integer(1),
    "deterministic": _optional(_deterministic),
    "limit_train_batches": _optional(_batches),
    "limit_val_batches": _optional(_batches),
    "limit_test_batches": _optional(_batches),
    "val_check_interval": _optional(_interval),
    "check_val_every_n_epoch": _optional(_integer(1)),
    "num_nodes": _integer(1),
    "num_sanity_val_steps": _integer(-1),
    "use_distributed_sampler": _not_distributed,
    "enable_model_summary": check_bool,
    "log_every_n_steps": _integer(1),
    "devices": _not_bool,
    "callbacks": _optional(check_list),
    **dict.fromkeys(FLAGS, _optional(check_bool)),
    **dict.fromkeys(OURS, _ours),
}
"""The check of each argument."""
