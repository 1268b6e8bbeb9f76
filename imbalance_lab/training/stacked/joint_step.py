"""A step of several runs' optimizers at once."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from torch.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, Optimizer, RAdam, RMSprop, Rprop

ELEMENTWISE = (Adam, AdamW, NAdam, RAdam, Adamax, Adadelta, Adagrad, RMSprop, Rprop, SGD, ASGD)
"""Optimizers that move each weight by its own gradients alone, so that it does not matter which share a call."""


def step_together(optimizers: Sequence[Optimizer]) -> None:
    """Step each of them, with the same result to the bit, but in as few calls of torch's kernels as possible.

    The parameter groups of one kind of optimizer whose options, learning rate included, are equal at the moment are one
    group in the call: with K runs of one learning rate that is one call, which otherwise are K.
    """
    alike: dict[type[Optimizer], list[Optimizer]] = {}
    for optimizer in optimizers:
        if type(optimizer) in ELEMENTWISE and not _has_hooks(optimizer):
            alike.setdefault(type(optimizer), []).append(optimizer)
        else:
            optimizer.step()
    for several in alike.values():
        if len(several) == 1:
            several[0].step()
        else:
            _step_as_one(several)


def _step_as_one(optimizers: Sequence[Optimizer]) -> None:
    joint = copy(optimizers[0])
    joint.param_groups = _merged([group for each in optimizers for group in each.param_groups])
    # The values are the optimizers' own dictionaries: what the step stores is theirs.
    joint.state = {p: each.state[p] for each in optimizers for group in each.param_groups for p in group["params"]}  # type: ignore[assignment]
    joint.step()
    for each in optimizers:
        each._opt_called = True  # type: ignore[attr-defined]  # its scheduler would warn that no step was taken


def _merged(groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups with equal options as one, in the order of the first of each."""
    found: dict[Any, dict[str, Any]] = {}
    for group in groups:
        options = {name: value for name, value in group.items() if name != "params"}
        first = found.setdefault(_key(options), options | {"params": []})
        first["params"] += group["params"]
    return list(found.values())


def _key(options: dict[str, Any]) -> Any:
    """What equal options share, which may be lists, as ``optimizer.betas``; a tensor is only equal to itself."""
    return tuple((name, id(each) if isinstance(each, torch.Tensor) else repr(each)) for name, each in options.items())


def _has_hooks(optimizer: Optimizer) -> bool:
    return bool(optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks)
