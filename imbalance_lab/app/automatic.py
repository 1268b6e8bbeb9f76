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

PATIENCE, SHORTEST = 100, 2
"""Steps without a better score, and epochs at least, after which training stops early."""

RATE, RATE_BATCH = 0.002, 128
"""Learning rate of Adam up to this batch size; above, it grows with the root of the batch size, as the noise falls."""

MEMBERS, WORK = 8, 80_000
"""Nets of an ensemble, and examples times nets: averaging gains most where examples are few."""


def choose_automatic(config: DictConfig, n_train: int) -> None:
    """Replace each ``auto`` by a number: batch_size, passes, early_stopping, ensemble and optimizer.lr.

    A resumed run has the numbers of the run before. The learning rate: Malladi et al. 2022, arXiv 2205.10287.

    Args:
        config: changed in place.
        n_train: examples of the training split.

    Raises:
        UsageError: for ``optimizer.lr=auto`` with an optimizer whose rates are of another size than Adam's.
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
    if is_rate_automatic(config):
        if "Adam" not in str(config.optimizer._target_):
            raise UsageError(
                f"optimizer.lr=auto is for Adam and AdamW, not for {config.optimizer._target_}: "
                "give optimizer.lr=NUMBER"
            )
        config.optimizer.lr = RATE * math.sqrt(max(1, config.batch_size / RATE_BATCH))


def is_rate_automatic(config: DictConfig) -> bool:
    """Whether the learning rate is still to be chosen."""
    return bool(config.optimizer.get("lr") == "auto")


def _has_members(config: DictConfig) -> bool:
    """Whether the backbone trains several nets by itself, as TabM does."""
    try:
        backbone = locate(config.backbone._target_, allowed_packages(config), "allow {package}")
    except UsageError:
        return False  # reported when it is built
    return bool(getattr(backbone, "shares_weights", False))
