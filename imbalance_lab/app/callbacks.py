"""The callbacks and the strategy of a job: the user's beside ours."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from imbalance_lab.app.build import allowed_packages, instantiate_node, instantiate_part
from imbalance_lab.app.instantiate import Experiment
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
    for key, node in nodes.items():
        if not isinstance(node, DictConfig) or not isinstance(node.get("_target_"), str):
            raise UsageError(f"{key} needs a _target_, the path of a callback class, got {node!r}")
    return nodes


def build_strategy(config: DictConfig, experiment: Experiment) -> "Strategy":
    """The chosen strategy, which may change batches, losses and priors."""
    from imbalance_lab.training.strategies import Strategy

    strategy = instantiate_part(config, "strategy", **_facts(config, experiment))
    if not isinstance(strategy, Strategy):
        raise UsageError(f"strategy: {type(strategy).__name__} is not a subclass of imbalance_lab.training.Strategy")
    return strategy


def _users(config: DictConfig, experiment: Experiment) -> list[Any]:
    from lightning.pytorch import Callback
    from lightning.pytorch.callbacks import EarlyStopping

    built = []
    facts = _facts(config, experiment)
    for label, node in callback_nodes(config).items():
        callback = instantiate_node(
            label, node, allowed_packages(config), monitor=config.monitor, mode=config.monitor_mode, **facts
        )
        if not isinstance(callback, Callback):
            raise UsageError(f"{label}: {type(callback).__name__} is not a Lightning callback")
        if isinstance(callback, EarlyStopping):  # which compares them only in training
            _check_early_stopping(label, callback)
        built.append(callback)
    return built


def _check_early_stopping(label: str, callback: Any) -> None:
    try:
        check_integer(f"{label}.patience", callback.patience, minimum=1)
        check_number(f"{label}.min_delta", abs(callback.min_delta), minimum=0)  # negated for mode=min
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def _check_state_keys(callbacks: list[Any]) -> None:
    """In a checkpoint, Lightning stores callback states by ``state_key``, which must be unique."""
    keys = Counter(callback.state_key for callback in callbacks)
    for callback in callbacks:
        if keys[callback.state_key] > 1 and callback.state_dict():
            name = type(callback).__name__
            raise UsageError(
                f"two {name} callbacks have the same settings (state_key): leave one out, or make them differ"
            )


def _ours(config: DictConfig, experiment: Experiment) -> list[Any]:
    from lightning.pytorch.callbacks import EarlyStopping

    from imbalance_lab.report.tensorboard import CurveFigures
    from imbalance_lab.report.terminal import console
    from imbalance_lab.training.callbacks import ContinueTraining, EpochLogger, NonFiniteGuard, ProgressBar

    own: list[Any] = [
        NonFiniteGuard(config.guard),
        EpochLogger(),
        *([ProgressBar()] if console().is_terminal else []),
        CurveFigures(experiment.splits.class_counts.tolist()),
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
