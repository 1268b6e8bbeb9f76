"""``resume=continue``: the weights of a checkpoint, trained on with other settings."""

import warnings
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping
from torch.optim.lr_scheduler import LRScheduler

from imbalance_lab.training.trainer_options import batches_per_epoch, steps_per_epoch


class ContinueTraining(pl.Callback):
    """Adapts the checkpoint while Lightning restores it, so that the new settings apply.

    The optimizer keeps its state (momentum, moments) and takes the new learning rate, weight decay and so on; another
    optimizer begins without a state. The schedule is the new one, at the place that corresponds to the epochs that are
    done. If an epoch has another number of batches now, one that was interrupted begins again.
    """

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Change what Lightning has not restored yet: optimizer, schedule and progress."""
        module: Any = pl_module
        loops = checkpoint["loops"]["fit_loop"]
        batches, any_trainer = _batches_per_epoch(loops), module.trainer
        now = batches_per_epoch(any_trainer, any_trainer.datamodule)
        steps = steps_per_epoch(trainer, now)
        progress = loops["epoch_progress"]["current"]
        done = int(checkpoint["global_step"])
        if batches != now:
            done = progress["processed"] * steps
            checkpoint.pop("loops")
            _begin_epoch(any_trainer, progress["processed"], int(checkpoint["global_step"]))
        self._adapt_optimizer(module, checkpoint, done)
        for callback in any_trainer.callbacks:
            state = checkpoint["callbacks"].get(callback.state_key)
            if isinstance(callback, EarlyStopping) and state is not None:
                state["patience"] = callback.patience

    def _adapt_optimizer(self, module: Any, checkpoint: dict[str, Any], done: int) -> None:
        """Put the new hyperparameters, and a schedule after ``done`` steps, in the place of the old ones."""
        fresh = module.configure_optimizers()
        optimizer, schedulers = (fresh[0][0], fresh[1]) if isinstance(fresh, tuple) else (fresh, [])
        for scheduler in (each["scheduler"] for each in schedulers):
            _move_to(scheduler, done)
        old = checkpoint["optimizer_states"][0]
        state = optimizer.state_dict()
        if _fits(old, state) and _optimizer_name(checkpoint) == _name(optimizer):
            state["state"] = old["state"]
        checkpoint["optimizer_states"] = [state]
        checkpoint["lr_schedulers"] = [each["scheduler"].state_dict() for each in schedulers]


def _batches_per_epoch(loops: dict[str, Any]) -> int | None:
    """The batches of an epoch of the earlier run; None if it did not finish one."""
    progress, epochs = loops["epoch_loop.batch_progress"], loops["epoch_progress"]["current"]["processed"]
    current = int(progress["current"]["processed"])
    if progress["is_last_batch"]:
        return current
    return (int(progress["total"]["processed"]) - current) // epochs if epochs else None


def _begin_epoch(trainer: Any, epoch: int, step: int) -> None:
    """Set Lightning's counters to the start of an epoch."""
    loop = trainer.fit_loop
    for counters in (loop.epoch_progress.current, loop.epoch_progress.total):
        counters.ready = counters.started = counters.processed = counters.completed = epoch
    optimizer_steps = loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step.total
    optimizer_steps.ready = optimizer_steps.completed = step


def _move_to(scheduler: LRScheduler, step: int) -> None:
    """Put a schedule, and the rates of its optimizer, where they are after ``step`` steps."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")  # before the optimizer's
        for _ in range(step):
            scheduler.step()


def _fits(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return [group["params"] for group in old["param_groups"]] == [group["params"] for group in new["param_groups"]]


def _optimizer_name(checkpoint: dict[str, Any]) -> str:
    return str(checkpoint["hyper_parameters"]["config"]["optimizer"]["_target_"]).rpartition(".")[2]


def _name(optimizer: Any) -> str:
    return type(optimizer).__name__
