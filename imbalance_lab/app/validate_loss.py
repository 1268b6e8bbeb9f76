"""Checks of the loss on made-up logits, before training: whether it is one number, and whether it teaches anything."""

from copy import deepcopy
from inspect import signature

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task

MAX_EXAMPLES = 1000
NO_GRADIENT = 1e-6
"""Σ |∂loss / ∂logit| of cross-entropy is about 1, whatever the number of examples."""


def validate_loss(config: DictConfig, loss: nn.Module, task: Task) -> None:
    """Raise an error for a loss with which nothing can be learned, or a class cannot.

    Raises:
        UsageError: naming the arguments that differ from the loss's defaults.
    """
    ignored = getattr(loss, "ignore_index", None)
    values = ("0", "1") if task.is_multilabel else task.classes
    if isinstance(ignored, int) and 0 <= ignored < len(values):
        what = f"the target {ignored}" if task.is_multilabel else f"class {values[ignored]!r}"
        raise UsageError(f"loss.ignore_index={ignored} is {what}, which is then never learned: leave it at -100")
    targets = _targets(task)
    one, other = (_gradient(config, loss, target, task.num_classes) for target in (targets, targets.flip(0)))
    if float(one.abs().sum()) < NO_GRADIENT:
        raise UsageError(f"loss: {_settings(config, loss)} gives no gradient, so that nothing is learned: change it")
    if torch.allclose(one, other, rtol=1e-5, atol=0):
        raise UsageError(
            f"loss: with {_settings(config, loss)} the gradient does not depend on the target, so that nothing is "
            "learned: change it"
        )


def _targets(task: Task) -> Tensor:
    """Every class at least twice, (N,), or labels of which half are 1, (N, C)."""
    if task.is_multilabel:
        examples, labels = torch.meshgrid(torch.arange(8), torch.arange(task.num_classes), indexing="ij")
        return (examples + labels) % 2
    n = min(MAX_EXAMPLES, max(8, 2 * task.num_classes))
    return torch.arange(n) % task.num_classes


def _gradient(config: DictConfig, loss: nn.Module, target: Tensor, num_classes: int) -> Tensor:
    """The gradient (N, C) for random logits; on a copy, because losses count their calls."""
    logits = torch.randn(len(target), num_classes, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value: object = deepcopy(loss)(logits, target)
    if not isinstance(value, Tensor) or value.ndim:
        found = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise UsageError(f"loss: with {_settings(config, loss)} it is not one number, but {found}: choose a reduction")
    if not value.isfinite():
        raise UsageError(f"loss: with {_settings(config, loss)} it is {value.item()} on ordinary logits: change it")
    if not value.requires_grad:
        return torch.zeros_like(logits)
    return torch.autograd.grad(value, logits, allow_unused=True, materialize_grads=True)[0]


def _settings(config: DictConfig, loss: nn.Module) -> str:
    """The arguments that differ from the defaults of the constructor, as on the command line."""
    defaults = {name: each.default for name, each in signature(type(loss)).parameters.items()}
    given = {str(key): value for key, value in config.loss.items() if not str(key).startswith("_")}
    changed = [f"loss.{key}={value}" for key, value in given.items() if defaults.get(key, value) != value]
    return " ".join(changed) or f"{type(loss).__name__}()"
