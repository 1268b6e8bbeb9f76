"""What averages of the weights over training have in common: validation and checkpoints take the average."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from imbalance_lab.training.strategies.strategy import Strategy

Weights = dict[str, Tensor]

RAW = "raw_weights"
"""The key of a checkpoint with the weights that a resumed run trains on; its ``state_dict`` has the average."""


class WeightAverage(Strategy):
    """Keeps an average of the weights and buffers of backbone and head, while training goes on with them as they are.

    Validation is of the average, and so is what a checkpoint offers to testing, `load_model` and export; the weights
    that training goes on with are beside it, for a resumed run. Until there is an average, all is as without it. The
    loss is not averaged: its tensors are parameters of the training, not of the model.

    A subclass says when to `add` the current weights, and in `update` how.
    """

    def __init__(self) -> None:
        self.average: Weights = {}
        self.current: Weights = {}
        self.count = 0

    def update(self, average: Weights, current: Weights) -> None:
        """Move ``average`` of ``self.count`` ≥ 1 weights towards the ``current`` ones, in place."""
        raise NotImplementedError

    def add(self) -> None:
        """Take the current weights into the average; the first ones are the average."""
        with torch.no_grad():
            if self.count:
                self.update(self.average, self.current)
            else:
                self.average = {name: tensor.clone() for name, tensor in self.current.items()}
        self.count += 1

    def swap(self) -> None:
        """Exchange the average and the weights of the model."""
        with torch.no_grad():
            for name, average in self.average.items():
                kept = self.current[name].clone()
                self.current[name].copy_(average)
                average.copy_(kept)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look the weights up once; they stay where they are while it trains."""
        self.current = _weights(pl_module)
        self.average = {name: tensor.to(self.current[name].device) for name, tensor in self.average.items()}

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validate the average."""
        if trainer.state.fn == "fit":
            self.swap()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Train on with the weights themselves."""
        if trainer.state.fn == "fit":
            self.swap()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the average in the model."""
        self.swap()
        self.average = {}

    def state_dict(self) -> dict[str, Any]:
        """How many weights are in the average; the average itself is in the checkpoint's ``state_dict``."""
        return {"count": self.count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue counting."""
        self.count = state_dict["count"]

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Store the average as the model, and the current weights beside it."""
        if self.average:
            weights = checkpoint["state_dict"]
            checkpoint[RAW] = {name: weights[name] for name in self.average}
            checkpoint["state_dict"] = weights | self.average

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Train on where it stopped; a test has the average already."""
        if trainer.state.fn == "fit" and RAW in checkpoint:
            raw: Weights = checkpoint[RAW]
            self.average = {name: checkpoint["state_dict"][name].clone() for name in raw}
            pl_module.load_state_dict(raw, strict=False)


def _weights(module: pl.LightningModule) -> Weights:
    """The parameters and stored buffers of backbone and head, not copied."""
    return {name: tensor for name, tensor in module.state_dict().items() if name.startswith(("backbone.", "head."))}


def lerp(average: Weights, current: Weights, weight: float) -> None:
    """Average + weight · (current − average), in place; of what is not a number with digits, the current one."""
    moving = [name for name, tensor in average.items() if tensor.is_floating_point()]
    torch._foreach_lerp_([average[name] for name in moving], [current[name] for name in moving], weight)
    for name in average.keys() - set(moving):
        average[name].copy_(current[name])
