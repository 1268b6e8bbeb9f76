"""Which classes and functions a configuration or a checkpoint may name: what is loaded is data, and executes nothing.

One rule for ``_target_`` in configurations and in checkpoints:

- of this package: the classes of its parts, the functions that load data, and the choice of a backbone;
- of torch, torchvision, timm, torchmetrics and lightning: modules, optimizers, schedulers, callbacks, loggers and the
  parts of a Trainer; no functions, and nothing that loads files or code;
- of a package that the user allows by name: everything that is defined in it.

What counts is where an object is *defined*: ``torch.os.system`` belongs to no trusted package.
"""

from collections.abc import Callable, Collection
from importlib import import_module
from types import ModuleType
from typing import Any

from imbalance_lab.errors import UsageError
from imbalance_lab.text import visible

OURS = ("losses", "samplers", "backbones", "posthoc", "data", "training")
"""The parts of this package whose classes may be named."""

FUNCTIONS = frozenset(
    [
        *(f"imbalance_lab.data.{name}" for name in ("cifar10", "cifar100", "digits", "fashion_mnist")),
        *(f"imbalance_lab.data.{name}" for name in ("binary", "large_table", "long_tailed", "medmnist", "table")),
        *(f"imbalance_lab.data.image_{name}" for name in ("folder", "lists", "shards", "table")),
        "imbalance_lab.backbones.by_size.by_size",
        "imbalance_lab.training.loggers.no_logger",
    ]
)
"""The functions of this package that may be named."""

PLACES = (
    *(f"imbalance_lab.{part}" for part in OURS),
    "torch.nn",
    "torch.optim",
    "torchvision.models",
    "torchvision.ops",
    "torchvision.transforms",
    "timm.layers",
    "timm.loss",
    "timm.models",
    "timm.optim",
    "torchmetrics.aggregation",
    "torchmetrics.classification",
    "torchmetrics.regression",
    *(f"lightning.pytorch.{part}" for part in ("accelerators", "callbacks", "loggers", "plugins", "profilers")),
    *(f"lightning.pytorch.{part}" for part in ("strategies", "trainer")),
    *(f"lightning.fabric.{part}" for part in ("accelerators", "loggers", "plugins", "strategies")),
)
"""The modules of trusted packages in and below which a class must be defined."""

KINDS = frozenset(
    [
        "torch.nn.modules.module.Module",
        "torch.optim.optimizer.Optimizer",
        "torch.optim.lr_scheduler.LRScheduler",
        *(f"lightning.pytorch.{name}" for name in ("callbacks.callback.Callback", "loggers.logger.Logger")),
        *(f"lightning.pytorch.{name}" for name in ("trainer.trainer.Trainer", "profilers.profiler.Profiler")),
        "lightning.fabric.strategies.strategy.Strategy",
        "lightning.pytorch.strategies.strategy.Strategy",
        "lightning.pytorch.accelerators.accelerator.Accelerator",
        "lightning.fabric.accelerators.accelerator.Accelerator",
        "lightning.fabric.plugins.precision.precision.Precision",
        "lightning.fabric.plugins.environments.cluster_environment.ClusterEnvironment",
        "lightning.pytorch.plugins.layer_sync.LayerSync",
    ]
)
"""Base classes, by where they are defined: a class of another package than this must have one of them."""


def trusted_packages() -> frozenset[str]:
    """The packages that need no permission."""
    return frozenset(place.partition(".")[0] for place in PLACES)


def locate(target: object, allow: Collection[str], remedy: str) -> Callable[..., Any]:
    """The class or function that ``target``, a dotted path, names.

    Args:
        target: a ``_target_``; nothing of it is imported before its package is known to be trusted.
        allow: further packages.
        remedy: how a package is allowed, with ``{package}`` in it.

    Raises:
        UsageError: naming the target, if it may not be named or is not there; the sentence goes on after "… names ".
    """
    if not isinstance(target, str) or not all(part.isidentifier() for part in target.split(".")):
        raise UsageError(f"{target!r}, which is not the dotted path of a class")
    package = target.partition(".")[0]
    if package not in trusted_packages() and package not in allow:
        raise UsageError(
            f"{target}, which is of a package that is not trusted: if you trust it, {remedy.format(package=package)}"
        )
    if package not in allow and not _is_public(target):
        raise UsageError(f"{target}, {_REFUSED}")
    found: Callable[..., Any] = _imported(target)
    _check_definition(target, found, allow, remedy)
    return found


_REFUSED = "but only modules, optimizers, schedulers, callbacks, loggers and parts of a Trainer may be named"


def _is_public(target: str) -> bool:
    """Whether a target of a trusted package is worth importing: nothing private, and at or below one of `PLACES`."""
    places = (*PLACES, "torchmetrics", "lightning.pytorch.Trainer")
    return "._" not in target and any(f"{target}.".startswith(f"{place}.") for place in places)


def _imported(target: str) -> Any:
    """The object at a dotted path, importing modules where an attribute is not there yet."""
    names = target.split(".")
    try:
        found: Any = import_module(names[0])
        for place, name in enumerate(names[1:], 2):
            if not hasattr(found, name) and isinstance(found, ModuleType):
                import_module(".".join(names[:place]))
            found = getattr(found, name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{target}, which cannot be imported: {visible(str(error))}") from error
    return found


def _check_definition(target: str, found: Any, allow: Collection[str], remedy: str) -> None:
    """Raise an error for an object that is defined elsewhere, or is none of `KINDS`."""
    home = str(getattr(found, "__module__", None) or "")
    package = home.partition(".")[0]
    if not callable(found):
        raise UsageError(f"{target}, which is not a class or a function")
    if package in allow:
        return
    if package not in trusted_packages():
        raise UsageError(
            f"{target}, which is defined in {home or 'no module'}, whose package is not trusted: "
            f"if you trust it, {remedy.format(package=package or 'PACKAGE')}"
        )
    if not (_is_ours(target, home, found) if package == "imbalance_lab" else _is_kind(home, found)):
        raise UsageError(f"{target}, {_REFUSED}")


def _is_ours(target: str, home: str, found: Any) -> bool:
    if isinstance(found, type):
        return _is_at(home)
    return target in FUNCTIONS


def _is_kind(home: str, found: Any) -> bool:
    if not isinstance(found, type) or not _is_at(home):
        return False
    return any(f"{base.__module__}.{base.__qualname__}" in KINDS for base in found.__mro__)


def _is_at(home: str) -> bool:
    return any(f"{home}.".startswith(f"{place}.") for place in PLACES)
