"""Stochastic weight averaging (Izmailov et al. 2018, arXiv 1803.05407)."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import lightning.pytorch as pl
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from imbalance_lab.training.strategies.strategy import epoch_at
from imbalance_lab.training.strategies.weight_average import WeightAverage, Weights, lerp


class SWA(WeightAverage):
    """Evaluates the mean of the weights at the ends of the epochs from ``start`` on.

    The paper keeps the learning rate high meanwhile: choose ``scheduler=none`` or ``steps``. If the net has batch
    normalization, its statistics are computed anew for each mean, in a pass over the epoch's training batches.

    Args:
        max_epochs: of the training.
        start: fraction of the epochs, in [0, 1).
    """

    def __init__(self, max_epochs: int, start: float = 0.75) -> None:
        super().__init__()
        self.first_epoch = epoch_at(start, max_epochs)

    def update(self, average: Weights, current: Weights) -> None:
        """The mean of one more."""
        lerp(average, current, 1 / (self.count + 1))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add the weights at the end of an epoch, before its validation."""
        is_last = trainer.is_last_batch or batch_idx + 1 >= trainer.num_training_batches
        if trainer.current_epoch >= self.first_epoch and (is_last or trainer.global_step == trainer.max_steps):
            self.add()
            self.swap()
            _update_statistics(trainer, pl_module)
            self.swap()


@torch.no_grad()
def _update_statistics(trainer: pl.Trainer, module: Any) -> None:
    """Set the statistics of batch normalization to their mean over the batches of this epoch.

    Nothing else is in training mode, so that dropout draws nothing. Each process takes its share of the batches.
    """
    norms = [each for part in (module.backbone, module.head) for each in part.modules() if _has_statistics(each)]
    if not norms:
        return
    data: Any = trainer
    loader = data.datamodule.train_dataloader()
    loader.batch_sampler.resume(0)
    loader.batch_sampler.set_epoch(trainer.current_epoch)
    with _collecting(module, norms):
        for batch in islice(loader, int(trainer.num_training_batches)):
            on_device = trainer.strategy.batch_to_device(batch)
            module.head(module.features(on_device))
    if trainer.world_size > 1:
        for statistics in (each for norm in norms for each in (norm.running_mean, norm.running_var)):
            dist.all_reduce(statistics)
            statistics /= trainer.world_size


def _has_statistics(module: nn.Module) -> bool:
    """Whether it is a batch normalization that trains its statistics; that of a frozen backbone keeps them."""
    return isinstance(module, _BatchNorm) and module.running_mean is not None and module.training


@contextmanager
def _collecting(module: nn.Module, norms: list[Any]) -> Iterator[None]:
    """Inside, ``norms`` compute their statistics anew as a mean over batches, and all else is evaluated."""
    modes, momenta = [(each, each.training) for each in module.modules()], [norm.momentum for norm in norms]
    module.eval()
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None
    yield
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    for each, was_training in modes:
        each.training = was_training
