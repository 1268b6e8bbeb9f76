"""Checks of the optimizer and the scheduler before training: both are built once, for parameters of no account."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from omegaconf import DictConfig

from imbalance_lab.app.build import usage_error
from imbalance_lab.errors import UsageError
from imbalance_lab.validation import check_list, check_number

BOUNDS: Mapping[str, Mapping[str, float]] = {
    "lr": {"above": 0, "maximum": 1000},
    "weight_decay": {"minimum": 0},
    "momentum": {"minimum": 0, "below": 1},
    "dampening": {"minimum": 0, "below": 1},
    "alpha": {"minimum": 0, "below": 1},  # RMSprop's
    "rho": {"minimum": 0, "below": 1},  # Adadelta's
    "eps": {"above": 0, "maximum": 1},
}
"""What torch's optimizers have in common; torch itself takes lr=0, momentum=2 and infinities."""


def validate_optimizer(
    config: DictConfig,
    optimizer: Callable[..., torch.optim.Optimizer],
    scheduler: Callable[..., torch.optim.lr_scheduler.LRScheduler],
) -> None:
    """Raise an error for an optimizer or a scheduler that cannot be built, or with which nothing is learned.

    Raises:
        UsageError: naming the argument, its value and its bounds.
    """
    part = "optimizer"
    try:
        _check_bounds(config.optimizer)
        parameters = [torch.zeros(1, requires_grad=True) for _ in range(2)]
        groups = [{"params": [parameters[0]]}, {"params": [parameters[1]], "weight_decay": 0.0}]  # as `Classifier` has
        built = optimizer(groups)
        if not isinstance(built, torch.optim.Optimizer):
            raise TypeError(f"{type(built).__name__} is not a torch optimizer")
        _check_rates(config, type(built).__name__, built.defaults)
        part = "scheduler"
        planned = scheduler(built, 10)
        if not isinstance(planned, torch.optim.lr_scheduler.LRScheduler):
            raise TypeError(f"{type(planned).__name__} is not a torch scheduler")
    except (TypeError, ValueError) as error:
        raise usage_error(part, config[part], error) from error


def _check_bounds(node: Mapping[str, Any]) -> None:
    for name, bounds in BOUNDS.items():
        if node.get(name) is not None:
            check_number(name, node[name], **bounds)
    if node.get("betas") is not None:
        for place, beta in enumerate(check_list("betas", node["betas"], 2)):
            check_number(f"betas[{place}]", beta, minimum=0, below=1)


def _check_rates(config: DictConfig, name: str, defaults: Mapping[str, Any]) -> None:
    rate, decay, key = defaults.get("lr"), defaults.get("weight_decay", 0.0), "optimizer.weight_decay"
    if config.head_lr is not None:
        rate = check_number("head_lr (null for optimizer.lr)", config.head_lr, **BOUNDS["lr"])
    _check_decay(rate, decay, key)
    if config.head_weight_decay is not None:
        key = "head_weight_decay"
        decay = check_number(f"{key} (null for optimizer.weight_decay)", config[key], **BOUNDS["weight_decay"])
        if "weight_decay" not in defaults:
            raise UsageError(f"{key}={decay:g}, but {name} has no weight decay: leave it at null")
        _check_decay(rate, decay, key)


def _check_decay(rate: Any, decay: Any, key: str) -> None:
    if isinstance(rate, float | int) and isinstance(decay, float | int) and rate * decay >= 1:
        raise UsageError(
            f"{key}={decay:g} with a learning rate of {rate:g} leaves nothing of the weights after a step: "
            f"choose less than {1 / rate:g}"
        )
