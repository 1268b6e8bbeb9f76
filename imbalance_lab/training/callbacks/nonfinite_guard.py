"""Watches for values that are not finite, and keeps them out of the weights and the checkpoints."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import lightning.pytorch as pl
import torch
import torch.distributed as dist
from torch import Tensor

from imbalance_lab.data import Batch
from imbalance_lab.validation import check_choice

NAMED = 8
"""Examples that a message names."""


@dataclass
class _Check:
    """The health of one optimizer step, on its way from the device; finite if all is well."""

    health: Tensor
    is_there: Any
    batches: list[Batch]
    epoch: int
    step: int


class NonFiniteGuard(pl.Callback):
    """Looks at the batch, the loss and the gradient norm before every optimizer step.

    On a GPU with ``guard="stop"`` nothing waits: the result of a step is read once it is there, usually a step or two
    later, and before any checkpoint is written, so that a model that is not finite is never saved. With gradient
    scaling (``precision=16-mixed``) the scaler itself skips steps whose gradient overflows; the loss is still watched.

    Args:
        guard: "stop" ends the run and names the examples; "skip" leaves the step out, restores the buffers that it
            changed, as of batch normalization, and counts it. On a GPU "skip" waits for each step's result.
    """

    def __init__(self, guard: Literal["stop", "skip"] = "stop") -> None:
        self.guard = check_choice("guard (what to do with a step that is not finite)", guard, ("stop", "skip"))
        self.skipped = 0
        self.batches: list[Batch] = []
        self.pending: deque[_Check] = deque()
        self.buffers: list[tuple[Tensor, Tensor]] = []

    def state_dict(self) -> dict[str, Any]:
        """The number of steps left out."""
        return {"skipped": self.skipped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue counting."""
        self.skipped = state_dict["skipped"]

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Remember the batch, and with "skip" the buffers."""
        if not self.batches and self.guard == "skip":
            self.buffers = [(buffer, buffer.clone()) for buffer in pl_module.buffers()]
        self.batches.append(batch)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Check the step, at once where that costs nothing."""
        module: Any = pl_module
        health = self._health(trainer, module, optimizer)
        batches, self.batches = self.batches, []
        module.health.clear()
        check = _Check(health, None, batches, trainer.current_epoch, trainer.global_step)
        if health.device.type == "cpu" or self.guard == "skip":
            if not health.isfinite():
                self._refuse(trainer, pl_module, optimizer, check)
            return
        check.health = health.to("cpu", non_blocking=True)
        check.is_there = torch.get_device_module(health.device).Event()
        check.is_there.record()
        self.pending.append(check)
        while self.pending and self.pending[0].is_there.query():
            self._read(pl_module, self.pending.popleft())

    def _health(self, trainer: pl.Trainer, module: Any, optimizer: torch.optim.Optimizer) -> Tensor:
        """One number, finite if batch, loss and gradient are.

        With several processes it is that of the gradient, which they share: so all decide alike.
        """
        values = list(module.health)
        # Not those of the module: to walk through it at every step takes longer than the check.
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if gradients and getattr(trainer.precision_plugin, "scaler", None) is None:
            norms = list(torch._foreach_norm(gradients))
            values = norms if trainer.world_size > 1 else values + norms
        return torch.stack([value.float() for value in values]).sum()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the last results."""
        self._read_all(pl_module)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Wait for the last results: what is not finite is not saved."""
        self._read_all(pl_module)

    def _read_all(self, pl_module: pl.LightningModule) -> None:
        while self.pending:
            check = self.pending.popleft()
            check.is_there.synchronize()
            self._read(pl_module, check)

    def _read(self, pl_module: pl.LightningModule, check: _Check) -> None:
        if not check.health.isfinite():
            raise FloatingPointError(_describe(pl_module, check))

    def _refuse(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer, check: _Check
    ) -> None:
        """Stop, or leave the step out: an optimizer ignores parameters without a gradient."""
        sentence = _describe(pl_module, check)
        if self.guard == "stop":
            raise FloatingPointError(sentence)
        for parameter in pl_module.parameters():
            parameter.grad = None
        for buffer, before in self.buffers:
            buffer.copy_(before)
        self.skipped += 1
        if trainer.is_global_zero:
            print(f"warning: step left out ({self.skipped} so far): {sentence}", file=sys.stderr)


def _describe(pl_module: pl.LightningModule, check: _Check) -> str:
    return describe_step(pl_module, check.batches, check.epoch, check.step)


def describe_step(pl_module: pl.LightningModule, batches: Sequence[Batch], epoch: int, step: int) -> str:
    """One sentence about a step that is not finite: what is not, where, and what to do.

    Args:
        pl_module: the classifier, with the weights before the step.
        batches: of the step.
        epoch, step: both from 0.
    """
    where = f"at epoch {epoch + 1}, step {step + 1}"
    for what in ("inputs", "logits"):
        if found := _gather([index for batch in batches for index in _not_finite(pl_module, batch, what)]):
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            return (
                f"the {what} of the training examples with index {found[:NAMED]}{more} are not finite {where}: "
                "correct these examples, lower optimizer.lr, or leave such steps out with guard=skip"
            )
    examples = [index for batch in batches for index in batch.index[:NAMED].tolist()][:NAMED]
    return (
        f"the loss or the gradient is not finite {where}, though the inputs are (examples {examples} …): "
        "lower optimizer.lr, set trainer.gradient_clip_val, or leave such steps out with guard=skip"
    )


@torch.no_grad()
def _not_finite(pl_module: Any, batch: Batch, what: str) -> Iterator[int]:
    """The index of each example whose prepared inputs, or logits, are not finite."""
    modes = [(module, module.training) for module in pl_module.modules()]
    pl_module.eval()
    if what == "logits":
        values = pl_module.head(pl_module.features(batch))
    else:
        values = batch.input if batch.is_features else pl_module.prepare(batch.input)
    for module, was_training in modes:
        module.training = was_training
    yield from batch.index[~values.float().isfinite().flatten(1).all(1)].tolist()


def _gather(found: list[int]) -> list[int]:
    """What all processes have found."""
    if not (dist.is_available() and dist.is_initialized()):
        return found
    everyone: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, found)
    return [index for each in everyone for index in each]
