"""Instantiates one part of the configuration; an error of its constructor becomes one sentence."""

from functools import partial
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.errors import UsageError


def instantiate_part(config: DictConfig, part: str, **available: Any) -> Any:
    """Instantiate ``config[part]``, with those ``available`` arguments that it accepts and the config does not set.

    Raises:
        UsageError: for what the constructor refuses.
    """
    return instantiate_node(part, config[part], **available)


def instantiate_node(name: str, node: DictConfig, **available: Any) -> Any:
    """Instantiate one ``_target_``; ``name`` is what a message calls it.

    Hydra builds what is nested in the node; the available objects are passed by Python, because Hydra would turn
    dataclasses among them into configurations.
    """
    try:
        factory = instantiate(node, _partial_=True)
        unset = {key: value for key, value in available.items() if node.get(key) is None}
        arguments = accepted_arguments(factory.func, unset)
        return partial(factory, **arguments) if node.get("_partial_") else factory(**arguments)
    except Exception as error:
        cause = (error.__cause__ or error) if isinstance(error, InstantiationException) else error
        if not _is_expected(cause):
            raise
        raise usage_error(name, node, cause) from error


def _is_expected(error: BaseException | None) -> bool:
    """Whether the error is about the arguments or the import path; anything else is a bug."""
    # Lightning's own error by name: a mistake in the loss must not wait for the import of Lightning.
    # Hydra's own without a cause is about a _target_ that is no import path, or not of something callable.
    expected = isinstance(error, ValueError | TypeError | OSError | ImportError | InstantiationException)
    return expected or type(error).__name__ == "MisconfigurationException"


def require_attributes(name: str, built: Any, *attributes: str) -> None:
    """Raise an error if ``_target_`` names a class of another family, which has not the ``attributes`` of this one.

    Raises:
        UsageError: naming the class and what it lacks.
    """
    for attribute in attributes:
        if not hasattr(built, attribute):
            raise UsageError(f"{name}: {type(built).__name__} has no {attribute}: choose a _target_ that is a {name}")


def usage_error(name: str, node: DictConfig, error: BaseException | None) -> UsageError:
    """An error that names the part of the configuration, and for a TypeError its values."""
    given = " ".join(f"{key!s}={value}" for key, value in node.items() if not str(key).startswith("_"))
    return UsageError(f"{name}: {' '.join(str(error).split())}" + (f" (given {given})" * isinstance(error, TypeError)))
