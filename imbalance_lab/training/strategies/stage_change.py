"""What changes in Lightning's objects between the stages of a training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

from imbalance_lab.samplers import ClassBalancedSampler, RepeatedSampler
from imbalance_lab.training.callbacks import BestCheckpoint, LastCheckpoint
from imbalance_lab.training.strategies.strategy import Strategy


def check_processes(trainer: pl.Trainer) -> None:
    """Raise a ValueError if the optimizers cannot be made anew while the Trainer fits."""
    if not isinstance(trainer.strategy, SingleDeviceStrategy | DDPStrategy):
        name = type(trainer.strategy).__name__
        raise ValueError(f"two stages need one process or DDP, but the Trainer has {name}: choose trainer=ddp")


def early_stoppings(trainer: Any) -> Iterator[EarlyStopping]:
    """The early stopping of a run, if it has any."""
    return (each for each in trainer.callbacks if isinstance(each, EarlyStopping))


def is_stopped_early(trainer: pl.Trainer) -> bool:
    """Whether early stopping has asked for the end; a limit of time or steps is another reason to stop."""
    return any(each.stopping_reason != EarlyStoppingReason.NOT_STOPPED for each in early_stoppings(trainer))


def begin_anew(stopping: EarlyStopping) -> None:
    """Forget the scores so far."""
    stopping.wait_count = stopping.stopped_epoch = 0
    stopping.stopping_reason, stopping.stopping_reason_message = EarlyStoppingReason.NOT_STOPPED, None
    stopping.best_score = torch.tensor(torch.inf if stopping.mode == "min" else -torch.inf)


def keep_best(trainer: Any) -> Path | None:
    """Keep the best model so far as that of stage 1; return its checkpoint, None for a Trainer that saves none."""
    best: BestCheckpoint | None = next((each for each in trainer.callbacks if isinstance(each, BestCheckpoint)), None)
    last: LastCheckpoint | None = next((each for each in trainer.callbacks if isinstance(each, LastCheckpoint)), None)
    return None if best is None else best.end_stage(trainer, None if last is None else last.path)


def renew_optimizers(trainer: Any) -> None:
    """Make optimizer and schedule anew, for the parameters that are to be trained now."""
    strategy = trainer.strategy
    if isinstance(strategy, DDPStrategy):
        # DDP looks once which parameters have gradients, and waits for each of them at every step.
        strategy.model = trainer.lightning_module
        strategy.configure_ddp()
    strategy.setup_optimizers(trainer)


def leave_out_others(trainer: Any, strategy: Strategy) -> None:
    """Let no other strategy act from here on: its loss, its draws or its mixtures are those of stage 1."""
    for each in trainer.callbacks:
        if isinstance(each, Strategy) and each is not strategy:
            each.leave(trainer)
    trainer.callbacks = [each for each in trainer.callbacks if each is strategy or not isinstance(each, Strategy)]


def sample_classes_equally(trainer: Any, seed: int) -> None:
    """Draw from here on a class with equal probability, and then one of its training examples."""
    data = trainer.datamodule
    sampler: Any = ClassBalancedSampler(targets=data.splits.train.targets, seed=seed)
    if isinstance(data.sampler, RepeatedSampler):
        sampler = RepeatedSampler(sampler, data.sampler.passes)
    draw_by(trainer, sampler)


def draw_by(trainer: Any, sampler: Any) -> None:
    """Draw the training examples by another sampler from the next epoch on."""
    trainer.datamodule.sampler = sampler
    if (loader := trainer.train_dataloader) is not None:  # there is none yet when a run is resumed
        loader.batch_sampler.source = sampler
