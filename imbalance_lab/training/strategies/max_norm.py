"""A limit on the norm of each class's weights (MaxNorm; Alshammari et al. 2022, arXiv 2203.14197, eq. 5)."""

from collections.abc import Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from imbalance_lab.backbones import CosineHead
from imbalance_lab.backbones.member_layers import MemberLinear
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.strategy import Strategy
from imbalance_lab.validation import check_number


class MaxNorm(Strategy):
    """After every optimizer step, scales each class's weights in the head back to a norm of at most ``limit``.

    Frequent classes get the larger norms in plain training. The paper combines it with a tuned weight decay
    (``head_weight_decay``), and chooses both on validation. As with weight decay, the priors that the logits stand for
    are taken to be those without it.

    Args:
        head: linear, with weights (C, F); of an ensemble one for each member.
        task: its classes.
        limit: the largest norm, > 0.

    Raises:
        TypeError, ValueError: for a limit that is not positive, and for a head whose norms have no effect.
    """

    def __init__(self, head: nn.Module, task: Task, limit: float = 1.0) -> None:
        self.limit = check_number("limit", limit, above=0)
        self.num_classes = task.num_classes
        check_norms(head, self.num_classes)
        self.hooks: list[Any] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Follow every optimizer step, before anything else looks at the weights."""
        module: Any = pl_module
        self.hooks = limit_norms(module.head, self.num_classes, self.limit, trainer.optimizers)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the optimizer as it was."""
        for hook in self.hooks:
            hook.remove()


def check_norms(head: nn.Module, num_classes: int) -> None:
    """Raise a ValueError for a head whose norms have no effect, or that has none of a class."""
    if any(isinstance(each, CosineHead) for each in head.modules()):
        raise ValueError("in a cosine head the norms have no effect: choose head=linear")
    if not _class_weights(head, num_classes):
        raise ValueError(f"the head, {type(head).__name__}, has no linear layer of the classes: choose head=linear")


def limit_norms(head: nn.Module, num_classes: int, limit: float, optimizers: Iterable[Optimizer]) -> list[Any]:
    """Scale each class's weights back to a norm of at most ``limit`` after every step of the optimizers.

    Returns:
        handles, whose ``remove`` ends it.
    """
    weights = _class_weights(head, num_classes)

    @torch.no_grad()
    def scale(*_: object) -> None:
        for weight in weights:
            weight.mul_((limit / weight.norm(dim=1, keepdim=True)).clamp(max=1))

    return [optimizer.register_step_post_hook(scale) for optimizer in optimizers]


def _class_weights(head: nn.Module, num_classes: int) -> list[Tensor]:
    """Weights of the classes, whose dimension 1 goes over the features: (C, F), or of k members (k, F, C)."""
    layers = [each.weight for each in head.modules() if isinstance(each, nn.Linear | MemberLinear)]
    return [each for each in layers if num_classes == each.shape[-1 if each.ndim == 3 else 0]]
