"""The runs of a sweep that are trained as one (``sweep=batched``), see `imbalance_lab.training.stacked`.

Every run is a job as any other, in a `Coroutine`: it pauses at each of its epochs until the other runs are there.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.coroutine import Coroutine, current_coroutine
from imbalance_lab.app.resume import flatten
from imbalance_lab.text import visible

if TYPE_CHECKING:
    from imbalance_lab.app.session import Session
    from imbalance_lab.training.stacked.epoch import Epoch

SHARED = (
    *("data", "batch_size", "passes", "augment"),  # the batches of all runs are one tensor
    *("backbone", "head", "finetune", "ensemble"),  # and so are their weights
    *("trainer", "strategy", "features"),  # the steps are taken by one Trainer
)
"""The keys and groups in which runs must agree to be trained as one.

Everything else may differ: every run has its own order of examples (seed, sampler), loss, optimizer with its learning
rate and weight decay, scheduler, early stopping and number of epochs, and evaluation.
"""

PLAIN_TRAINER = {
    "precision": ("32-true", 32, "32"),
    "accumulate_grad_batches": (1,),
    "max_steps": (-1,),
    "max_time": (None,),
    "val_check_interval": (None, 1.0),
    "num_nodes": (1,),
    "gradient_clip_algorithm": (None, "norm"),
}
"""The values of ``trainer`` with which an epoch is nothing but steps of one device, each of one batch."""


def shared_settings(config: DictConfig) -> str | None:
    """The settings in which runs must agree, as text; None where they cannot be resolved, as ``run`` will say."""
    try:
        parts = {key: OmegaConf.select(config, key) for key in SHARED}
        plain: dict[str, Any] = {
            key: OmegaConf.to_container(part, resolve=True) if OmegaConf.is_config(part) else part
            for key, part in parts.items()
        }
    except OmegaConfBaseException:
        return None
    plain["trainer"].pop("max_epochs", None)
    return json.dumps(plain, sort_keys=True, default=str)


def differing_key(settings: str, others: str) -> str:
    """The first setting, ``KEY=VALUE``, in which a run differs from others."""
    own, theirs = dict(flatten(json.loads(settings), "")), dict(flatten(json.loads(others), ""))
    key = next(key for key in (own | theirs) if own.get(key) != theirs.get(key))
    return f"{key}={own.get(key)}"


def train_together(jobs: Sequence[Callable[[], Any]], config: DictConfig) -> list[Any]:
    """Run jobs whose `shared_settings` agree; return their results.

    Args:
        jobs: run one after the other, up to their first epoch; a failing one does not stop the others.
        config: of one of them.

    Raises:
        BaseException: that has ended a job, as a signal does, after all of them have ended.
    """
    from imbalance_lab.app.ignored_warnings import ignore_warnings
    from imbalance_lab.termination import STOP

    runs = [Coroutine(job) for job in jobs]
    ignore_warnings()
    with STOP.deferred():
        epochs = _arrive(runs)
        if epochs:
            try:
                _train(runs, epochs, config)
            except Exception as error:
                for run in runs:
                    while not run.is_done:
                        run.resume(error)
    for run in runs:
        if run.error is not None:
            raise run.error
    return [run.result for run in runs]


def _arrive(runs: Sequence[Coroutine]) -> "list[Epoch]":
    """Let each run go on to its next epoch, or to its end; the epochs of those that have one."""
    from imbalance_lab.termination import STOP

    epochs = []
    for run in runs:
        is_new = not run.has_started
        if not run.is_done and not (is_new and STOP.signum is not None):
            epoch = run.resume()
            epochs += [] if epoch is None else [epoch]
    return epochs


def _train(runs: Sequence[Coroutine], epochs: "list[Epoch]", config: DictConfig) -> None:
    import lightning.pytorch as pl

    from imbalance_lab.training.stacked.stack import Stack
    from imbalance_lab.training.trainer_options import own_signals

    waiting = [epochs]

    def arrive() -> "list[Epoch]":
        there = waiting.pop() if waiting else _arrive(runs)
        if there:
            first = min(epoch.trainer.current_epoch for epoch in there) + 1
            print(f"{len(there)} of {len(runs)} runs train as one, epoch {first}", flush=True)
        return there

    options = config.trainer
    trainer = pl.Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    own_signals(trainer)
    trainer.fit(Stack(arrive, options.get("gradient_clip_val")))


def join(config: DictConfig, session: "Session") -> None:
    """Let a run that is about to be trained take its steps with others, if it is one of several and they can be."""
    run = current_coroutine()
    if run is None:
        return
    from imbalance_lab.training.stacked.epoch import StackedSteps

    reason = why_alone(config, session)
    if reason is None:
        StackedSteps(session.trainer, run.pause).install()
    else:
        print(f"trained alone: {visible(reason)}", flush=True)


def why_alone(config: DictConfig, session: "Session") -> str | None:
    """Why a run cannot be trained together with others; None if it can."""
    classifier, options = session.classifier, config.trainer
    for key, plain in PLAIN_TRAINER.items():
        if options.get(key) not in plain and key in options:
            return f"trainer.{key}={options[key]}"
    if session.trainer.world_size > 1:
        return f"it has {session.trainer.world_size} processes"
    named: Mapping[str, bool] = {
        f"guard={config.guard}": config.guard != "stop",
        "checkpoint.every_minutes saves within an epoch": config.checkpoint.every_minutes is not None,
        "it has a strategy": bool(session.strategies),
        "it has callbacks of its own": bool(config.callbacks or options.get("callbacks")),
        "the inputs are augmented": getattr(config.augment, "_target_", "") != NO_AUGMENTATION,
        "the loss learns parameters": any(each.requires_grad for each in classifier.loss.parameters()),
    }
    return next((reason for reason, holds in named.items() if holds), None) or _unstackable(classifier)


NO_AUGMENTATION = "imbalance_lab.data.NoAugmentation"


def _unstackable(classifier: Any) -> str | None:
    from torch import nn

    from imbalance_lab.backbones import MLP, CosineHead, ResidualMLP
    from imbalance_lab.backbones.member_layers import MemberLinear

    if not isinstance(classifier.backbone, MLP | ResidualMLP):
        return f"backbone {type(classifier.backbone).__name__}, not MLP or ResidualMLP"
    if not isinstance(classifier.head, nn.Linear | MemberLinear | CosineHead):
        return f"head {type(classifier.head).__name__}, not linear or cosine"
    if not all(each.requires_grad for part in (classifier.backbone, classifier.head) for each in part.parameters()):
        return "not all weights are trained"
    return None
