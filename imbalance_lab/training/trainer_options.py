"""Trainer options that are valid for Lightning but leave a run without a result: refused before the first step.

A run selects its best model, calibration and thresholds on the validation split and is scored on the test split, so it
needs at least one batch of each, and at least one validation during training. Without a validation split it only needs
the test split.
"""

import math
import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import torch
from torch import nn

from imbalance_lab.errors import UsageError
from imbalance_lab.training.batch_statistics import check_batch_statistics
from imbalance_lab.training.datamodule import DataModule

USES = {
    "val": "select the model and fit the thresholds by",
    "test": "score the model on",
    "calibration": "predict of the calibration split",
}
"""What each split is for."""


def batches_per_epoch(trainer: Any, data: DataModule) -> int:
    """The number of training batches in an epoch, after ``trainer.limit_train_batches``."""
    return _limited(len(data.train_dataloader()), trainer.limit_train_batches)


def steps_per_epoch(trainer: Any, batches: int) -> int:
    """The optimizer steps of an epoch of so many batches."""
    accumulated: int = trainer.accumulate_grad_batches
    return math.ceil(batches / accumulated)


def planned_epochs(trainer: Any, batches: int) -> int:
    """The epochs that are begun within ``trainer.max_epochs`` and ``trainer.max_steps``."""
    epochs, steps = int(trainer.max_epochs), int(trainer.max_steps)
    return epochs if steps == -1 else min(epochs, math.ceil(steps / steps_per_epoch(trainer, batches)))


def check_trainer(trainer: Any, data: DataModule, modules: Iterable[nn.Module] = (), *, fit: bool) -> None:
    """Raise an error for options that leave no batch to train, validate or test on, or too little in one.

    Args:
        trainer, data: of the job.
        modules: of the model, in training mode.
        fit: whether it trains.

    Raises:
        UsageError: naming the option, its value and what to write instead.
    """
    if data.batch_size < trainer.world_size:
        raise UsageError(
            f"batch_size={data.batch_size} cannot be shared by {trainer.world_size} processes: "
            f"choose batch_size ≥ {trainer.world_size}, the examples of a step over all of them"
        )
    if trainer.fast_dev_run:
        raise UsageError(
            f"trainer.fast_dev_run={trainer.fast_dev_run} saves no checkpoint to test: "
            "for a quick run choose max_epochs=1 trainer.limit_train_batches=1"
        )
    loaders = {"test": data.test_dataloader()}
    if data.splits.val is not None:
        loaders = {"val": data.val_dataloader(), **loaders}
    if data.splits.calibration is not None:
        loaders["calibration"] = data.calibration_dataloader()
    for split, loader in loaders.items():
        option = "limit_val_batches" if split == "val" else "limit_test_batches"
        limit = getattr(trainer, option)
        if not _limited(len(loader), limit):
            raise UsageError(
                f"trainer.{option}={limit} of {len(loader)} leaves no batch to {USES[split]}: "
                "leave it out, or choose a whole number ≥ 1"
            )
    if fit:
        batches = batches_per_epoch(trainer, data)
        _check_fit(trainer, batches, is_validated=data.splits.val is not None)
        synced = getattr(trainer.strategy, "_layer_sync", None) is not None
        length, processes = data.epoch_length, trainer.world_size
        check_batch_statistics(modules, length, data.batch_size, world_size=processes, synced=synced)


def own_signals(trainer: Any) -> None:
    """Leave the signals to `imbalance_lab.termination`.

    Lightning's handlers talk to other processes from inside a signal handler, where they hang; turn SIGTERM into exit
    code 0; and under Slurm save to a file of their own.
    """
    trainer._signal_connector.register_signal_handlers = lambda: None


def look_for_gpus_quickly() -> None:
    """Where there are no GPUs, let torch ask the CUDA runtime for them, not the driver's library as Lightning wants.

    Optimizers ask at every step: .004 ms instead of .2 to .5 ms, up to a tenth of a step on a table. Lightning's way
    keeps a process with a GPU fit to be forked, so there it stays.
    """
    if not torch.cuda.is_available():
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)


def set_timeout(trainer: Any, seconds: float) -> None:
    """Set how long a process waits for the others at each step that they take together."""
    if hasattr(trainer.strategy, "_timeout"):
        trainer.strategy._timeout = timedelta(seconds=seconds)


def _check_fit(trainer: Any, batches: int, *, is_validated: bool) -> None:
    if not batches:
        limit = trainer.limit_train_batches
        raise UsageError(f"trainer.limit_train_batches={limit} leaves no batch to train on: choose a whole number ≥ 1")
    if not trainer.max_steps:
        raise UsageError("trainer.max_steps=0 trains nothing: choose a whole number ≥ 1, or leave it out")
    every = trainer.check_val_every_n_epoch
    if every is None or trainer.max_epochs == -1 or not is_validated:
        return
    epochs = planned_epochs(trainer, batches)
    if every > epochs:
        raise UsageError(
            f"trainer.check_val_every_n_epoch={every} never validates in {epochs} epochs, "
            f"so no model can be selected: choose at most {epochs}"
        )


def _limited(batches: int, limit: int | float) -> int:
    """An integer limit is a number of batches, a float a fraction of them, rounded down as Lightning does."""
    return min(batches, limit) if isinstance(limit, int) else int(batches * limit)
