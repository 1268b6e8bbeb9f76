"""The head starts from the class means of the features (as in LIFT: Shi et al. 2024, arXiv 2309.10019)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.backbones import CosineHead
from imbalance_lab.backbones.members import MemberHeads
from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.strategy import Strategy


class ClassMeans(Strategy):
    """Before the first step, the weights of each class in a cosine head become the mean of its training features.

    The features are those of the backbone as it starts, in evaluation mode and without augmentation. A rare class so
    begins where its few examples are, and need not be found first. That takes one pass over the training split; a
    resumed run goes on with the weights that it has.

    Args:
        task: its examples have one class each.

    Raises:
        ValueError: for labels that may hold together.
    """

    def __init__(self, *, task: Task) -> None:
        if task.is_multilabel:
            raise ValueError("class_means needs examples of one class each, and the data are multilabel: leave it out")

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Check the head.

        Raises:
            UsageError: for one that is not `CosineHead`.
        """
        for head in _heads(pl_module):
            if not isinstance(head, CosineHead):
                raise UsageError(
                    "strategy.class_means sets the directions of a cosine head, but the head is "
                    f"{type(head).__name__}: choose head=cosine"
                )

    @torch.no_grad()
    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the weights of the head, unless they come from a checkpoint."""
        if trainer.ckpt_path is not None:
            return
        sums, counts = _class_sums(trainer, pl_module)
        for head, of_member in zip(_heads(pl_module), sums.unbind(1), strict=True):
            weight: Any = head.weight
            means = F.normalize(of_member).to(weight)  # of a direction, the sum will do
            weight.copy_(torch.where((counts > 0)[:, None].to(weight.device), means, weight))


def _heads(pl_module: Any) -> list[nn.Module]:
    """The heads of the members; of a single net one."""
    return list(pl_module.head.heads) if isinstance(pl_module.head, MemberHeads) else [pl_module.head]


def _class_sums(trainer: Any, pl_module: Any) -> tuple[Tensor, Tensor]:
    """The sums of the features over the training examples of each class, (C, k, F), and their numbers (C,); float64."""
    members, classes = len(_heads(pl_module)), pl_module.task.num_classes
    sums = torch.zeros(classes, members, pl_module.backbone.num_features, dtype=torch.float64)
    counts = torch.zeros(classes, dtype=torch.float64)
    with _evaluating(pl_module), torch.autocast(pl_module.device.type, enabled=False):
        for batch in trainer.datamodule.plain_train_dataloader():
            features = pl_module.features(batch._replace(input=batch.input.to(pl_module.device)))
            # On the CPU, where a sum has one order and float64 is always there.
            sums.index_add_(0, batch.target.cpu(), features.double().cpu().view(-1, *sums.shape[1:]))
            counts += torch.bincount(batch.target.cpu(), minlength=classes)
    if trainer.world_size > 1:
        shares = torch.cat([sums.flatten(1), counts[:, None]], 1).to(pl_module.device)
        total = trainer.strategy.reduce(shares, reduce_op="sum").cpu()
        sums, counts = total[:, :-1].view_as(sums), total[:, -1]
    return sums, counts


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    modes = [(each, each.training) for each in module.modules()]
    module.eval()
    yield
    for each, was_training in modes:
        each.training = was_training
