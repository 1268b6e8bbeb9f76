"""Calling a constructor with as much of what is known as it asks for."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any


def accepted_arguments(factory: Callable[..., Any], available: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the ``available`` arguments that ``factory`` takes by name.

    >>> accepted_arguments(lambda seed: ..., {"seed": 1, "task": None})
    {'seed': 1}
    """
    parameters = signature(factory).parameters
    if any(each.kind == Parameter.VAR_KEYWORD for each in parameters.values()):
        return dict(available)
    return {name: value for name, value in available.items() if name in parameters}
