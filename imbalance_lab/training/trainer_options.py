"""What a Trainer may be told on the command line and yet no run can come of: refused before the first step.

A run chooses its best model, its calibration and its thresholds by the validation split, and is scored on the test
split, so it needs a batch of each, and a validation of the net while it trains.
"""

import math
from typing import Any

import torch

from imbalance_lab.errors import UsageError
from imbalance_lab.training.datamodule import DataModule


def batches_an_epoch(trainer: Any, data: DataModule) -> int:
    """Training batches of an epoch, as far as ``trainer.limit_train_batches`` lets them."""
    return _limited(len(data.train_dataloader()), trainer.limit_train_batches)


def check_trainer(trainer: Any, data: DataModule, *, fit: bool, ckpt_path: str | None) -> None:
    """Refuse options that leave nothing to train, to select by or to score, or with which nothing can be resumed.

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
            f"trainer.fast_dev_run={trainer.fast_dev_run} saves no checkpoint, and it is one that is tested: "
            "for a quick look choose max_epochs=1 trainer.limit_train_batches=1"
        )
    loaders = {"val": data.val_dataloader(), "test": data.test_dataloader()}
    for split, loader in loaders.items():
        limit = getattr(trainer, f"limit_{split}_batches")
        if not _limited(len(loader), limit):
            use = "select the model and fit the thresholds by" if split == "val" else "score the model on"
            raise UsageError(
                f"trainer.limit_{split}_batches={limit} of {len(loader)} leaves no batch to {use}: "
                "leave it out, or choose a whole number ≥ 1"
            )
    if fit:
        batches = batches_an_epoch(trainer, data)
        _check_fit(trainer, batches)
        if ckpt_path is not None:
            _check_resume(ckpt_path, batches)


def _check_resume(path: str, now: int) -> None:
    """Refuse to resume where an epoch had another number of batches: its progress is counted in them.

    An epoch that was finished would pass for one half done, or the reverse, and the schedule would jump.
    """
    content = torch.load(path, map_location="cpu", weights_only=True)
    progress = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    current, epoch = progress["current"]["processed"], content["epoch"]
    if progress["is_last_batch"]:
        before = current
    elif epoch:
        before = (progress["total"]["processed"] - current) // epoch
    else:
        return  # nothing tells how many the first epoch would have had
    if before != now:
        raise UsageError(
            f"ckpt_path={path} was trained with {before} batches an epoch, and here an epoch has {now}: "
            "resume with the batch_size, the data, the sampler and the limit_train_batches that it began with"
        )


def _check_fit(trainer: Any, batches: int) -> None:
    if not batches:
        limit = trainer.limit_train_batches
        raise UsageError(f"trainer.limit_train_batches={limit} leaves no batch to train on: choose a whole number ≥ 1")
    if not trainer.max_steps:
        raise UsageError("trainer.max_steps=0 trains nothing: choose a whole number ≥ 1, or leave it out")
    every = trainer.check_val_every_n_epoch
    if every is None or trainer.max_epochs == -1:
        return
    steps = math.ceil(batches / trainer.accumulate_grad_batches)
    whole = math.ceil(trainer.max_steps / steps)
    epochs = trainer.max_epochs if trainer.max_steps == -1 else min(trainer.max_epochs, whole)
    if every > epochs:
        raise UsageError(
            f"trainer.check_val_every_n_epoch={every} never validates in {epochs} epochs, "
            "and nothing is then left to select the model by: choose at most that"
        )


def _limited(batches: int, limit: int | float) -> int:
    """A whole number is one of batches, any other a share of them, rounded down as Lightning does."""
    return min(batches, limit) if isinstance(limit, int) else int(batches * limit)
