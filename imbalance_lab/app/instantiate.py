"""Instantiates the objects of a configuration, each checked when it is built.

Nothing here imports Lightning, which takes seconds: a mistake is reported before.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from imbalance_lab.app.automatic import choose_automatic, is_rate_automatic
from imbalance_lab.app.baselines import check_baselines
from imbalance_lab.app.build import instantiate_part, require_attributes
from imbalance_lab.app.build_net import build_net
from imbalance_lab.app.checkpoint import CheckpointContent, adopt_checkpoint, check_classes
from imbalance_lab.app.choose_backbone import choose_backbone
from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.app.fitted_head import describe_examples, plan_fitted_head
from imbalance_lab.app.postprocessing import validate_conformal, validate_head, validate_postprocessing
from imbalance_lab.app.resume import Changes, check_data, check_resume
from imbalance_lab.app.slices import check_slices, slice_columns
from imbalance_lab.app.split_cache import cached_splits
from imbalance_lab.app.splits import instantiate_splits
from imbalance_lab.app.tuned_backbone import warn_of_random_weights
from imbalance_lab.app.validate_config import validate_config
from imbalance_lab.app.validate_loss import validate_loss
from imbalance_lab.app.validate_optimizer import validate_optimizer
from imbalance_lab.app.without_validation import leave_out_validation
from imbalance_lab.backbones import CosineHead
from imbalance_lab.backbones.fitted_heads import FittedHead
from imbalance_lab.backbones.members import MemberHeads
from imbalance_lab.data import Source, Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.losses import LDAMLoss
from imbalance_lab.posthoc import NoPredictionSets
from imbalance_lab.samplers import RepeatedSampler, SampledIndices, Sampler
from imbalance_lab.task import Task
from imbalance_lab.training.batch_statistics import check_batch_statistics


@dataclass(frozen=True)
class Experiment:
    """The objects of a configuration that do not need Lightning."""

    splits: Splits
    task: Task
    loss: nn.Module
    backbone: nn.Module
    head: nn.Module
    sampler: Sampler
    augment: Callable[[Tensor, Tensor], Tensor]
    optimizer: Callable[..., torch.optim.Optimizer]
    scheduler: Callable[..., torch.optim.lr_scheduler.LRScheduler]
    train_prior: tuple[float, ...] | None
    overrides: Sequence[str] = ()
    checkpoint: CheckpointContent | None = None
    changes: Changes = field(default_factory=dict)
    initial_weights: Mapping[str, Any] | None = None


def instantiate_experiment(config: DictConfig, overrides: Sequence[str] = ()) -> Experiment:
    """Instantiate, and so check, the objects of a configuration.

    Args:
        config: with ``ckpt_path``, its backbone, head and loss become those of the checkpoint; ``backbone=auto``
            becomes the one that is chosen.
        overrides: of the command line, ``KEY=VALUE``.

    Raises:
        UsageError: naming the part of the configuration that is wrong.
    """
    validate_config(config)
    plan_fitted_head(config, overrides)
    optimization = None if is_rate_automatic(config) else _optimization(config)
    augment = instantiate_part(config, "augment")
    checkpoint = None if config.ckpt_path is None else adopt_checkpoint(config, overrides)
    changes = {} if checkpoint is None or not config.fit else check_resume(config, checkpoint)
    splits = _splits(config, checkpoint, overrides)
    optimizer, scheduler = optimization or _optimization(config)
    loss = _loss(config, splits)
    task = replace(splits.task, activation=_activation(loss, splits.task))
    if config.fit:
        validate_loss(config, loss, task)
    _check_augment(augment, splits.train)
    notes = choose_backbone(config, splits.prepared_shape)
    backbone, head, weights = build_net(config, splits, task)
    notes += [] if weights is None else [weights.describe()]
    splits = replace(splits, guesses=[*splits.guesses, *notes])
    if config.fit and checkpoint is None:
        warn_of_random_weights(config)
    if config.fit:
        check_batch_statistics((backbone, head), len(splits.train), config.batch_size)
    _warn_of_head(loss, head)
    if checkpoint is not None:
        _check_fit(config, checkpoint, splits, task, {"prepare": splits.prepare, "backbone": backbone, "head": head})
    sampler = _sampler(config, splits)
    prior = train_prior(loss, sampler, splits.class_counts, head)
    validate_postprocessing(config, task, prior, has_validation=splits.val is not None, overrides=overrides)
    validate_head(config, head)
    _check_conformal(config, splits)
    return Experiment(
        *(splits, task, loss, backbone, head, sampler, augment, optimizer, scheduler, prior),
        overrides=tuple(overrides),
        checkpoint=None if checkpoint is None else replace(checkpoint, weights={}),  # they are as large as the model
        changes=changes,
        initial_weights=getattr(checkpoint, "initial_weights", None) if weights is None else weights.as_dict(),
    )


def _splits(config: DictConfig, checkpoint: CheckpointContent | None, overrides: Sequence[str]) -> Splits:
    """The data; in ``config``, what depends on them is filled in."""
    trained = (None, None) if checkpoint is None else (checkpoint.schema, checkpoint.task)
    facts: Any = {"schema": trained[0], "trained": trained[1], "slices": slice_columns(config)}
    splits = cached_splits(instantiate_splits, config, **facts)
    check_slices(config, splits)
    check_baselines(config, splits, overrides)
    if splits.val is None:
        splits = replace(splits, guesses=[*splits.guesses, leave_out_validation(config, overrides)])
    choose_automatic(config, len(splits.train))
    describe_examples(config, splits)
    return splits


def _optimization(config: DictConfig) -> tuple[Any, Any]:
    """What makes the optimizer, and what makes the scheduler."""
    optimizer, scheduler = instantiate_part(config, "optimizer"), instantiate_part(config, "scheduler")
    validate_optimizer(config, optimizer, scheduler)
    return optimizer, scheduler


def _check_conformal(config: DictConfig, splits: Splits) -> None:
    """Raise an error if the calibration split does not suffice for the prediction sets that are asked for."""
    held_out, limit = splits.calibration, config.trainer.limit_test_batches
    counts = None if held_out is None else splits.task.count(held_out.targets).tolist()
    method = validate_conformal(config, splits.classes, counts)
    is_limited = not (limit is None or (isinstance(limit, float) and limit == 1))
    if is_limited and not isinstance(method, NoPredictionSets):
        raise UsageError(
            f"trainer.limit_test_batches={limit} leaves out calibration examples too: leave it out, or choose "
            "conformal=none"
        )


def _check_fit(
    config: DictConfig, checkpoint: CheckpointContent, splits: Splits, task: Task, modules: dict[str, nn.Module]
) -> None:
    """Raise an error if a checkpoint is not of these classes, these data (to resume on) and this model."""
    from imbalance_lab.model import check_state_dict  # here: what it imports takes seconds

    check_classes(checkpoint, task)
    if config.fit:
        check_data(checkpoint, splits)
    check_state_dict(f"ckpt_path={checkpoint.path}", checkpoint.weights, modules)


def train_prior(
    loss: nn.Module, sampler: Sampler, class_counts: Tensor, head: nn.Module | None = None
) -> tuple[float, ...] | None:
    """The class priors that the logits stand for after training with this sampler and loss; a fitted head has its own.

    None where the sampler or the loss does not say.
    """
    if isinstance(head, FittedHead):
        return head.implied_prior(class_counts)
    if not (hasattr(sampler, "class_priors") and hasattr(loss, "implied_prior")):
        return None
    share: Any = sampler.class_priors(class_counts)
    implied: Any = loss.implied_prior
    prior = implied(share.double() / share.double().sum())
    return None if prior is None else tuple(prior.tolist())


def _sampler(config: DictConfig, splits: Splits) -> Sampler:
    sampler: Sampler = instantiate_part(
        config,
        "sampler",
        targets=splits.train.targets,
        seed=config.seed,
        max_epochs=config.max_epochs * config.passes,
        batch_size=config.batch_size,
    )
    require_attributes("sampler", sampler, "order")
    return sampler if config.passes == 1 else RepeatedSampler(sampler, config.passes)


def _loss(config: DictConfig, splits: Splits) -> nn.Module:
    facts = {"num_labels": splits.task.num_classes} if splits.task.is_multilabel else {}
    loss: nn.Module = instantiate_part(
        config,
        "loss",
        class_counts=splits.class_counts,
        num_examples=len(splits.train),
        num_indices=int(splits.train.index.max()) + 1,
        max_epochs=config.max_epochs * config.passes,
        positive=splits.task.positive,
        **facts,
    )
    if not splits.task.is_multilabel:
        return loss
    own = getattr(loss, "num_labels", None)
    if own is not None and own != splits.task.num_classes:
        raise UsageError(f"loss: num_labels={own}, but the data have {splits.task.num_classes} labels: leave it null")
    if own is None and getattr(loss, "activation", "softmax") != "sigmoid":
        raise UsageError(
            "the data are multilabel, but the loss takes one class an example: "
            "choose loss=sigmoid_focal, asymmetric or auc_margin"
        )
    return loss


def _activation(loss: nn.Module, task: Task) -> Any:
    return task.activation if task.is_multilabel else getattr(loss, "activation", "softmax")


def _check_augment(augment: Callable[[Tensor, Tensor], Tensor], train: Source) -> None:
    """Let an augmentation refuse the data, by ``check_input_shape``, or ``check_inputs`` of up to 16 examples."""
    check_shape, check_inputs = (getattr(augment, f"check_{what}", None) for what in ("input_shape", "inputs"))
    try:
        if check_shape is not None:
            check_shape(train.input_shape)
        if check_inputs is not None:
            positions = torch.arange(0, len(train), max(1, len(train) // 16))[:16]
            check_inputs(train.__getitems__(SampledIndices(positions, positions)).input)
    except ValueError as error:
        raise UsageError(f"augment: {error}") from error


def _warn_of_head(loss: nn.Module, head: nn.Module) -> None:
    """Warn if the margins of LDAM, which are differences of scaled cosines, are used with another head or scale."""
    if not isinstance(loss, LDAMLoss) or not is_first_process():
        return
    if isinstance(head, MemberHeads):
        head = head.heads[0]
    if not isinstance(head, CosineHead):
        found, remedy = f"the head is {type(head).__name__}", "choose head=cosine"
    elif head.scale != loss.scale:
        found, remedy = f"head.scale={head.scale:g} and loss.scale={loss.scale:g}", "leave out loss.scale"
    else:
        return
    print(f"warning: LDAM has margins between cosines of the head's scale, but {found}: {remedy}", file=sys.stderr)
