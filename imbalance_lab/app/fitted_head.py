"""Heads that are fitted at once, ``head=lda``, ``logistic`` or ``knn``: a run of one epoch without gradient steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from omegaconf import DictConfig

from imbalance_lab.app.build import allowed_packages
from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.backbones.fitted_heads import FittedHead
from imbalance_lab.data import Source, Splits
from imbalance_lab.data.feature_source import Features
from imbalance_lab.errors import UsageError
from imbalance_lab.text import split_override
from imbalance_lab.trusted import locate

if TYPE_CHECKING:
    from torch import nn

OF_TRAINING = ("loss", "sampler", "strategy", "optimizer", "scheduler", "head_lr", "max_epochs", "passes")
"""The groups and keys that say how a head is trained step by step."""


def plan_fitted_head(config: DictConfig, overrides: Sequence[str]) -> None:
    """Make a run with a fitted head one of a single epoch; nothing for other heads.

    Raises:
        UsageError: for an override that would have no effect.
    """
    if not (config.fit and is_fitted(config)):
        return
    for word in overrides:
        key, _ = split_override(word)
        if key.lstrip("+").split(".")[0] in OF_TRAINING:
            raise UsageError(f"{word} has no effect on {_name(config)}, which is fitted at once: leave it out")
    if config.ensemble != 1:
        raise UsageError(f"ensemble={config.ensemble} with {_name(config)} would be equal nets: leave ensemble out")
    config.max_epochs = 1
    config.trainer.limit_train_batches = 1  # for the training loss


def describe_examples(config: DictConfig, splits: Splits) -> None:
    """Tell a head that keeps the training examples how many there are, which its checkpoint then says too.

    Raises:
        UsageError: for multilabel data.
    """
    if not is_fitted(config):
        return
    if splits.is_multilabel:
        raise UsageError(f"{_name(config)} takes one class an example, but the data are multilabel: choose head=linear")
    if "num_examples" in config.head and config.head.num_examples is None:
        config.head.num_examples = len(splits.train)


def fit_head(config: DictConfig, head: "nn.Module", splits: Splits | None, trainer: Any) -> None:
    """Fit a head to the features of the training split; nothing for a head that is trained.

    Args:
        config: of the job.
        head: a new one.
        splits: with features for inputs; None if they are not computed once.
        trainer: says how many processes there are.

    Raises:
        UsageError: without such features, and with several processes.
    """
    if not (config.fit and isinstance(head, FittedHead)):
        return
    if trainer.world_size > 1:
        raise UsageError(f"{_name(config)} is fitted by one process: choose trainer.devices=1")
    if splits is None:
        raise UsageError(
            f"{_name(config)} is fitted to the features of a frozen backbone: choose backbone.freeze=true augment=none"
        )
    train, val = _arrays(splits.train), None if splits.val is None else _arrays(splits.val)
    try:
        chosen = head.fit(*train, val)
    except ValueError as error:
        raise UsageError(f"{error}") from error
    if chosen and is_first_process():
        print(f"head fitted: {chosen}, chosen on validation", flush=True)


def _arrays(source: Source) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (N, F) and targets (N,)."""
    assert isinstance(source, Features)
    return torch.from_numpy(source.all_values), source.targets


def is_fitted(config: DictConfig) -> bool:
    """Whether the head is one that is fitted at once."""
    try:
        factory = locate(config.head.get("_target_"), allowed_packages(config), "allow {package}")
    except UsageError:
        return False  # reported when it is built
    return isinstance(factory, type) and issubclass(factory, FittedHead)


def _name(config: DictConfig) -> str:
    return f"head={str(config.head._target_).rpartition('.')[2]}"
