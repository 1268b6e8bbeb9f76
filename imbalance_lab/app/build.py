"""Instantiates one part of the configuration; an error of its constructor becomes one sentence."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.errors import UsageError
from imbalance_lab.trusted import locate
from imbalance_lab.validation import ITEM, SeveralError, check_list


def instantiate_part(config: DictConfig, part: str, **available: Any) -> Any:
    """Instantiate ``config[part]``, with those ``available`` arguments that it accepts and the config does not set.

    Raises:
        UsageError: for what the constructor refuses.
    """
    return instantiate_node(part, config[part], allowed_packages(config), **available)


def allowed_packages(config: DictConfig) -> Sequence[str]:
    """The packages that the user allows a ``_target_`` to name, beside those that `imbalance_lab.trusted` lists.

    Raises:
        UsageError: for ``allow`` that is not a list of names.
    """
    node = config.get("allow") or []  # configurations of earlier releases have no such key
    given: Any = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
    try:
        names = check_list("allow", given)
    except TypeError as error:
        raise UsageError(f"{error}: write allow=[mypackage]") from error
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"allow must be names of packages, got {name!r}: write allow=[mypackage]")
    return [str(name) for name in names]


def instantiate_node(name: str, node: DictConfig, allow: Sequence[str], /, **available: Any) -> Any:
    """Instantiate one ``_target_``; ``name`` is what a message calls it.

    Hydra builds what is nested in the node; the available objects are passed by Python, because Hydra would turn
    dataclasses among them into configurations.

    Raises:
        UsageError: for a ``_target_`` that is not to be trusted, in the node or nested in it, before any is imported;
            and for what a constructor refuses.
    """
    check_targets(name, OmegaConf.to_container(node, resolve=True), allow)
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


def check_targets(name: str, content: Any, allow: Sequence[str]) -> None:
    """Raise an error if ``content``, plain values, names what `imbalance_lab.trusted.locate` does not trust.

    Raises:
        UsageError: naming the place and the target.
    """
    for place, target in _targets(name, content):
        try:
            locate(target, allow, "add allow=[{package}]")
        except UsageError as error:
            raise UsageError(f"{place}: _target_ names {error}") from error


def _targets(place: str, content: Any) -> Iterator[tuple[str, Any]]:
    """Every ``_target_`` in nested values, with its place."""
    if isinstance(content, dict):
        if "_target_" in content:
            yield place, content["_target_"]
        for key, value in content.items():
            yield from _targets(f"{place}.{key}", value)
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from _targets(f"{place}[{at}]", value)


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
    parts = str(error).split(ITEM) if isinstance(error, SeveralError) else [str(error)]
    sentence = ITEM.join(" ".join(part.split()) for part in parts)
    return UsageError(f"{name}: {sentence}" + (f" (given {given})" * isinstance(error, TypeError)))
