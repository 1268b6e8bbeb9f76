"""The callbacks and the strategies of a job: the user's beside ours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from imbalance_lab.app.build import allowed_packages, instantiate_node
from imbalance_lab.app.instantiate import Experiment
from imbalance_lab.app.resume import is_plain
from imbalance_lab.app.without_validation import refuse
from imbalance_lab.errors import UsageError
from imbalance_lab.validation import check_integer, check_number

if TYPE_CHECKING:
    from imbalance_lab.training.strategies import Strategy


def build_callbacks(config: DictConfig, experiment: Experiment) -> list[Any]:
    """The user's callbacks, and after them those that every job has.

    Raises:
        UsageError: naming the callback that cannot be built, or whose state is not unique.
    """
    callbacks = [*_users(config, experiment), *_ours(config, experiment)]
    _check_state_keys(callbacks)
    return callbacks


def callback_nodes(config: DictConfig) -> dict[str, DictConfig]:
    """The user's callbacks by their keys, from the group ``callbacks`` and from ``trainer.callbacks``.

    Raises:
        UsageError: for one without a ``_target_``.
    """
    listed = config.trainer.get("callbacks") or []
    nodes = {f"callbacks.{name}": node for name, node in config.callbacks.items()}
    nodes |= {f"trainer.callbacks[{place}]": node for place, node in enumerate(listed)}
    _check_targets(nodes, "a callback class")
    return nodes


def build_strategies(config: DictConfig, experiment: Experiment) -> "list[Strategy]":
    """The chosen strategies, which may change batches, losses and priors.

    Raises:
        UsageError: naming the strategy that cannot be built.
    """
    from imbalance_lab.training.strategies import Strategy

    nodes = strategy_nodes(config)
    if not nodes:
        return []
    facts = _facts(config, experiment) | {
        "targets": experiment.splits.train.targets,
        "loss": experiment.loss,
        "head": experiment.head,
        "sampler": experiment.sampler,
        "input_shape": experiment.splits.prepared_shape,
        "cardinalities": experiment.splits.schema.cardinalities,
    }
    built: list[Strategy] = []
    for label, node in nodes.items():
        strategy = instantiate_node(label, node, allowed_packages(config), **facts)
        if not isinstance(strategy, Strategy):
            raise UsageError(
                f"{label}: {type(strategy).__name__} is not a subclass of imbalance_lab.training.strategies.Strategy"
            )
        built.append(strategy)
    _check_state_keys(built, "strategies")
    _check_combination(dict(zip(nodes, built, strict=True)))
    return sorted(built, key=lambda strategy: strategy.extra_epochs)  # what is last decides what the logits stand for


def _check_combination(strategies: "Mapping[str, Strategy]") -> None:
    """Raise an error for strategies, by their keys, of which only one can be had."""
    from imbalance_lab.training.strategies import MaxNorm, Mixing, WeightAverage

    mixing = [key for key, each in strategies.items() if isinstance(each, Mixing)]
    averages = [type(each).__name__ for each in strategies.values() if isinstance(each, WeightAverage)]
    staged = [key for key, each in strategies.items() if each.extra_epochs]
    if len(mixing) > 1:
        raise UsageError(f"{' and '.join(mixing)} both mix the examples of a batch: choose one of them")
    if len(averages) > 1:
        raise UsageError(f"strategy: {' and '.join(averages)} both say which weights are evaluated: choose one of them")
    if len(staged) > 1:
        raise UsageError(f"{' and '.join(staged)} each have a second stage of the training: choose one of them")
    if staged and averages:
        raise UsageError(
            f"strategy: {averages[0]} averages the weights of the training, but {staged[0]} trains another head in its "
            "second stage: leave one of them out"
        )
    if staged and any(isinstance(each, MaxNorm) for each in strategies.values()):
        raise UsageError(
            f"strategy: max_norm limits the head of the training, but {staged[0]} trains the head again in its second "
            "stage: leave one of them out, or choose strategy=weight_balancing, which limits that one"
        )


def strategy_nodes(config: DictConfig) -> dict[str, DictConfig]:
    """The chosen strategies by their keys; none for the plain training of earlier releases.

    Raises:
        UsageError: for one without a name or without a ``_target_``.
    """
    chosen = config.strategy
    if isinstance(chosen.get("_target_"), str):
        if is_plain(chosen):
            return {}
        raise UsageError(
            f"strategy needs a name above its _target_: write mine: {{_target_: {chosen._target_}, …}} in its file"
        )
    nodes = {f"strategy.{name}": node for name, node in chosen.items()}
    _check_targets(nodes, "a strategy class")
    return nodes


def _check_targets(nodes: Mapping[str, Any], what: str) -> None:
    for key, node in nodes.items():
        if not isinstance(node, DictConfig) or not isinstance(node.get("_target_"), str):
            raise UsageError(f"{key} needs a _target_, the path of {what}, got {node!r}")


def _users(config: DictConfig, experiment: Experiment) -> list[Any]:
    from lightning.pytorch import Callback
    from lightning.pytorch.callbacks import EarlyStopping

    built = []
    facts = _facts(config, experiment)
    for label, node in callback_nodes(config).items():
        callback = instantiate_node(label, node, allowed_packages(config), **_selection(config, experiment), **facts)
        if not isinstance(callback, Callback):
            raise UsageError(f"{label}: {type(callback).__name__} is not a Lightning callback")
        if isinstance(callback, EarlyStopping):  # which compares them only in training
            if experiment.splits.val is None:
                refuse(f"{label}", "stops by a score on validation", "leave it out")
            _check_early_stopping(label, callback)
        built.append(callback)
    return built


def _selection(config: DictConfig, experiment: Experiment) -> dict[str, Any]:
    """The score that callbacks may watch; None without a validation split."""
    return {"monitor": None if experiment.splits.val is None else config.monitor, "mode": config.monitor_mode}


def _check_early_stopping(label: str, callback: Any) -> None:
    try:
        check_integer(f"{label}.patience", callback.patience, minimum=1)
        check_number(f"{label}.min_delta", abs(callback.min_delta), minimum=0)  # negated for mode=min
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def _check_state_keys(callbacks: Sequence[Any], kind: str = "callbacks") -> None:
    """In a checkpoint, Lightning stores callback states by ``state_key``, which must be unique."""
    keys = Counter(callback.state_key for callback in callbacks)
    for callback in callbacks:
        if keys[callback.state_key] > 1 and callback.state_dict():
            name = type(callback).__name__
            raise UsageError(
                f"two {name} {kind} have the same settings (state_key): leave one out, or make them differ"
            )


def _ours(config: DictConfig, experiment: Experiment) -> list[Any]:
    from lightning.pytorch.callbacks import EarlyStopping

    from imbalance_lab.report.tensorboard import CurveFigures
    from imbalance_lab.report.terminal import console
    from imbalance_lab.training.callbacks import ContinueTraining, EpochLogger, KeepFrozen, NonFiniteGuard, ProgressBar

    own: list[Any] = [
        NonFiniteGuard(config.guard),
        KeepFrozen(),
        EpochLogger(),
        *([ProgressBar()] if console().is_terminal else []),
        CurveFigures(experiment.splits.class_counts.tolist(), experiment.splits.limits),
    ]
    if config.fit and config.ckpt_path is not None and config.resume == "continue":
        own.append(ContinueTraining())
    if config.early_stopping:
        patience = 10 if config.early_stopping is True else config.early_stopping
        own.append(EarlyStopping(config.monitor, mode=config.monitor_mode, patience=patience))
    return own


def _facts(config: DictConfig, experiment: Experiment) -> dict[str, Any]:
    """Arguments that a strategy or a callback receives if its constructor has them."""
    return {
        "task": experiment.task,
        "class_counts": experiment.splits.class_counts,
        "max_epochs": config.max_epochs,
        "seed": config.seed,
    }
