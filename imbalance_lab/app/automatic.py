"""The values that are ``auto``: chosen by the number of training examples, once it is known."""

import math

from omegaconf import DictConfig

from imbalance_lab.app.build import allowed_packages
from imbalance_lab.errors import UsageError
from imbalance_lab.trusted import locate

STEPS = 25
"""Of an epoch at least: what comes after each (validation, checkpoints) then takes less time than the steps."""

BATCHES, SMALLEST, LARGEST = 12, 32, 1024
"""Batches of a pass, roughly, and the limits of the batch size: more noise where there are fewer examples."""

PATIENCE, SHORTEST = 200, 3
"""Steps without a better score, and epochs at least, after which training stops early."""

MEMBERS, WORK = 8, 80_000
"""Nets of an ensemble, and examples times nets: averaging gains most where examples are few."""


def choose_automatic(config: DictConfig, n_train: int) -> None:
    """Replace each ``auto`` of ``batch_size``, ``passes``, ``early_stopping`` and ``ensemble`` by a number.

    A resumed run has the numbers of the run before.

    Args:
        config: changed in place.
        n_train: examples of the training split.
    """
    if config.batch_size == "auto":
        config.batch_size = max(SMALLEST, min(LARGEST, 2 ** round(math.log2(max(1, n_train / BATCHES)))))
    if config.passes == "auto":
        config.passes = max(1, math.ceil(STEPS * config.batch_size / max(1, n_train)))
    if config.early_stopping == "auto":
        steps = math.ceil(n_train * config.passes / config.batch_size)
        config.early_stopping = max(SHORTEST, math.ceil(PATIENCE / steps))
    if config.ensemble == "auto":
        config.ensemble = 1 if _has_members(config) else max(1, min(MEMBERS, WORK // max(1, n_train)))


def _has_members(config: DictConfig) -> bool:
    """Whether the backbone trains several nets by itself, as TabM does."""
    try:
        backbone = locate(config.backbone._target_, allowed_packages(config), "allow {package}")
    except UsageError:
        return False  # reported when it is built
    return bool(getattr(backbone, "shares_weights", False))
