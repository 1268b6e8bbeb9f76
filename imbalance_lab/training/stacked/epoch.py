"""A run's side of the stack: its Trainer lets the steps of an epoch be taken together with those of other runs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loops.optimization.automatic import _AutomaticOptimization
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.data import Batch
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.training.callbacks import NonFiniteGuard
from imbalance_lab.training.callbacks.nonfinite_guard import describe_step

CHUNK = 2**15
"""Examples that are gathered at once; one read for many steps costs less than one a step."""


class Epoch:
    """The steps that are left of one epoch of one run.

    Args:
        trainer: of the run, in its training loop.
        classifier: its model.
        optimizer: its own.
        first_step: of the epoch, other than 0 only in a run that was resumed within one.
    """

    def __init__(self, trainer: pl.Trainer, classifier: Any, optimizer: torch.optim.Optimizer, first_step: int) -> None:
        self.trainer = trainer
        self.classifier = classifier
        self.optimizer = optimizer
        self.first_step = first_step
        self.steps = int(trainer.num_training_batches) - first_step
        self.global_step = trainer.global_step
        self.done = 0
        self.error: FloatingPointError | None = None
        self.losses: list[Tensor] = []
        self.sizes: list[int] = []

    def batches(self) -> Iterator[Batch]:
        """The batches that the run's own loader would yield."""
        data: Any = self.trainer
        sampler: Any = data.datamodule.train_dataloader().batch_sampler
        sampler.set_epoch(self.trainer.current_epoch)
        sampler.resume(self.first_step)
        source = data.datamodule.splits.train
        waiting: list[SampledIndices] = []
        for step, indices in enumerate(sampler):
            waiting.append(indices)
            is_last = step + 1 == self.steps
            if is_last or len(waiting) * len(indices.positions) >= CHUNK:
                yield from _gather(source, waiting)
                waiting = []
            if is_last:
                return

    def generator(self, device: torch.device) -> torch.Generator:
        """What dropout draws from in the next step, seeded as `Classifier.on_train_batch_start` does."""
        key = seeding.hash_seeds(self.classifier.seed, self.global_step + self.done, 0) >> 1
        return torch.Generator(device).manual_seed(key)

    def count_step(self, loss: Tensor, size: int) -> None:
        """Note that the optimizer has taken a step; the learning rate follows, but not after the last step.

        That is left to the run's own loop.
        """
        self.losses.append(loss)
        self.sizes.append(size)
        self.done += 1
        if self.done < self.steps:
            loop: Any = self.trainer.fit_loop.epoch_loop
            loop.update_lr_schedulers("step", update_plateau_schedulers=False)

    def fail(self, batch: Batch) -> None:
        """End the run at this step, whose batch, loss or gradient is not finite, with the guard's sentence."""
        epoch, step, device = self.trainer.current_epoch, self.global_step + self.done, self.classifier.device
        fields: Any = (field.to(device) if isinstance(field, Tensor) else field for field in batch)
        batch = Batch(*fields)
        self.error = FloatingPointError(describe_step(self.classifier, [batch], epoch, step))


class StackedSteps(_AutomaticOptimization):
    """Takes the place of what Lightning does with a batch: takes all steps of the epoch, together with other runs.

    Afterwards the loop's counters stand where they would after the last batch but one, so that Lightning ends the epoch
    with this batch: it validates, calls the callbacks and saves as ever.

    Args:
        trainer: of the run; `install` puts this into its loop.
        take_steps: called with an `Epoch`; returns when its steps have been taken.
    """

    def __init__(self, trainer: pl.Trainer, take_steps: Callable[[Epoch], None]) -> None:
        super().__init__(trainer)
        self.take_steps = take_steps

    def install(self) -> None:
        """Let the Trainer use this."""
        self.trainer.fit_loop.epoch_loop.automatic_optimization = self

    def run(self, optimizer: torch.optim.Optimizer, batch_idx: int, kwargs: Any) -> dict[str, Any]:
        """Called by Lightning with the first batch of an epoch, or the first that is left of it."""
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, NonFiniteGuard):
                callback.batches.clear()  # of the step that is not taken here
        epoch = Epoch(self.trainer, self.trainer.lightning_module, optimizer, batch_idx)
        self.take_steps(epoch)
        if epoch.error is not None:
            raise epoch.error
        losses, sizes = torch.stack(epoch.losses), torch.tensor(epoch.sizes)
        epoch.classifier.train_loss.update(losses, sizes.to(losses.device))
        self._count(epoch.steps)
        return {}

    def _count(self, steps: int) -> None:
        """Count these steps, of whose last one Lightning counts the end."""
        loop: Any = self.trainer.fit_loop.epoch_loop
        for progress in (self.optim_progress.optimizer.step, self.optim_progress.optimizer.zero_grad):
            _add(progress, steps)
        _add(loop.batch_progress, steps - 1)
        loop.batch_progress.is_last_batch = True
        loop._batches_that_stepped += steps - 1


def _add(progress: Any, steps: int) -> None:
    """Add to all counters of one of Lightning's progress trackers."""
    for counters in (progress.total, progress.current):
        for name in vars(counters):
            setattr(counters, name, getattr(counters, name) + steps)


def _gather(source: Any, steps: Sequence[SampledIndices]) -> Iterator[Batch]:
    """The batches of several steps, read from the source at once."""
    whole: Any = source.__getitems__(SampledIndices(*(torch.cat(parts) for parts in zip(*steps, strict=True))))
    sizes = [len(each.positions) for each in steps]
    fields: Any = [torch.split(field, sizes) if isinstance(field, Tensor) else [field] * len(sizes) for field in whole]
    yield from (Batch(*each) for each in zip(*fields, strict=True))
