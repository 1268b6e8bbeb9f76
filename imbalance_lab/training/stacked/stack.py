"""The LightningModule of the stack: one step of all runs, driven by a Trainer of its own."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import groupby
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from imbalance_lab.data import Batch
from imbalance_lab.losses.members import mean_member_loss, serves_all
from imbalance_lab.training.stacked.epoch import Epoch
from imbalance_lab.training.stacked.joint_step import step_together
from imbalance_lab.training.stacked.net import StackedNet

Arrive = Callable[[], Sequence[Epoch]]


class About:
    """Which runs the batches of a step are of; not a tuple, so that Lightning does not move it to a device.

    Args:
        group: the runs.
        batches: one of each run, on the CPU.
    """

    def __init__(self, group: "Group", batches: Sequence[Batch]) -> None:
        self.group = group
        self.batches = batches

    def index(self, place: int, device: torch.device) -> Tensor:
        """The index of each example of a run's batch, (N,)."""
        return self.batches[place].index.to(device)


class StackedBatch(NamedTuple):
    """A batch of each run: inputs (K, N, …) and targets (K, N, …)."""

    input: Tensor
    target: Tensor
    about: About


class Group:
    """The epochs of runs that are trained as one; all have the same number of steps left.

    Args:
        epochs: one of each run; the runs have the same data and the same architecture.
        clip: the maximum norm of each run's own gradient, or None.
    """

    def __init__(self, epochs: Sequence[Epoch], clip: float | None) -> None:
        self.epochs = epochs
        self.clip = clip
        self.classifiers = [epoch.classifier for epoch in epochs]
        self.net = StackedNet([nn.Sequential(each.backbone, each.head) for each in self.classifiers])
        self.calls = [_LossCall(self.classifiers, places) for places in _sharing(self.classifiers)]
        self.order = torch.tensor([place for call in self.calls for place in call.places]).argsort()

    def step(self, batch: StackedBatch, backward: Callable[[Tensor], None]) -> None:
        """Take a step of every run that has not failed."""
        first = self.classifiers[0]
        inputs = first.prepare(batch.input.flatten(0, 1)).unflatten(0, batch.input.shape[:2])
        logits = self.net(inputs, [epoch.generator(inputs.device) for epoch in self.epochs])
        losses = torch.cat([call(logits, batch) for call in self.calls])[self.order.to(logits.device)]
        backward(losses.sum() * first.loss_scale)
        norms = self.net.hand_out_gradients()
        losses = losses.detach()
        is_healthy = (losses + norms + 0 * inputs.flatten(1).sum(1)).isfinite().tolist()
        self._clip(norms)
        going = [fine and epoch.error is None for fine, epoch in zip(is_healthy, self.epochs, strict=True)]
        step_together([epoch.optimizer for epoch, goes in zip(self.epochs, going, strict=True) if goes])
        for epoch, own, loss, goes in zip(self.epochs, batch.about.batches, losses, going, strict=True):
            if goes:
                epoch.count_step(loss, len(own.target))
            elif epoch.error is None:
                epoch.fail(own)

    def _clip(self, norms: Tensor) -> None:
        """As `torch.nn.utils.clip_grad_norm_` does for each run alone."""
        if self.clip is None:
            return
        factors = (self.clip / (norms + 1e-6)).clamp(max=1)
        for own, factor in zip(self.net.own_parameters, factors.unbind(), strict=True):
            torch._foreach_mul_([each.grad for each in own.values() if each.grad is not None], factor)


class _LossCall:
    """One call of a loss for several runs, if it is the same for them; else of one."""

    def __init__(self, classifiers: Sequence[Any], places: Sequence[int]) -> None:
        self.places = places
        self.loss = classifiers[places[0]].loss
        if len(places) > 1:
            self.loss = copy(self.loss)
            self.loss.reduction = "none"

    def __call__(self, logits: Tensor, batch: StackedBatch) -> Tensor:
        """The mean loss of each run, in the order of ``places``."""
        if len(self.places) == 1:
            place = self.places[0]
            index = batch.about.index(place, logits.device)
            return mean_member_loss(self.loss, logits[place], batch.target[place], index)[None]
        own, target = logits[self.places], batch.target[self.places].flatten(0, 1)
        each = mean_member_loss(self.loss, own.flatten(0, 1), target)
        means: Tensor = each.view(len(self.places), -1).mean(1)
        return means


def _sharing(classifiers: Sequence[Any]) -> list[list[int]]:
    """The places of the runs by the configuration of their loss, each alone where a call is of one run only."""

    def key(place: int) -> str:
        loss = classifiers[place].loss
        is_mean = getattr(loss, "reduction", None) == "mean" and getattr(loss, "activation", "softmax") == "softmax"
        is_plain = is_mean and serves_all(loss)
        return f"shared {classifiers[place].hparams['config']['loss']}" if is_plain else f"own {place}"

    return [list(places) for _, places in groupby(sorted(range(len(classifiers)), key=key), key)]


class Stack(pl.LightningModule):
    """Trains what arrives, epoch after epoch, until nothing does.

    Args:
        arrive: waits until each run has come to its next epoch or has ended; returns the epochs of those that have one.
        clip: the maximum norm of each run's gradient, or None.
    """

    def __init__(self, arrive: Arrive, clip: float | None = None) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.arrive = arrive
        self.clip = clip
        self.groups: list[Group] = []

    def train_dataloader(self) -> Any:
        """The steps of an epoch; the runs arrive when the first is asked for."""
        return torch.utils.data.DataLoader(_Steps(self._steps), batch_size=None)

    def _steps(self) -> Iterator[StackedBatch]:
        epochs = self.arrive()
        self.trainer.should_stop = not epochs
        for _, together in groupby(sorted(epochs, key=_steps_left), _steps_left):
            group = Group(list(together), self.clip)
            self.groups.append(group)
            for batches in zip(*(epoch.batches() for epoch in group.epochs), strict=True):
                inputs = torch.stack([each.input for each in batches])
                targets = torch.stack([each.target for each in batches])
                yield StackedBatch(inputs, targets, About(group, batches))

    def training_step(self, batch: StackedBatch, batch_idx: int) -> None:
        """One step of every run of a group."""
        batch.about.group.step(batch, self.manual_backward)

    def on_train_epoch_end(self) -> None:
        """Let the runs go on alone, each with its own weights."""
        for group in self.groups:
            group.net.release()
        self.groups = []

    def configure_optimizers(self) -> None:
        """None: every run has its own."""


class _Steps(IterableDataset[StackedBatch]):
    def __init__(self, steps: Callable[[], Iterator[StackedBatch]]) -> None:
        self.steps = steps

    def __iter__(self) -> Iterator[StackedBatch]:
        return self.steps()


def _steps_left(epoch: Epoch) -> int:
    return epoch.steps
