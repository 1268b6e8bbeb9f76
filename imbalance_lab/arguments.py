"""Calling a constructor with as much of what is known as it asks for."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any


def accepted_arguments(factory: Callable[..., Any], available: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the ``available`` arguments that ``factory`` takes by name; ``**kwargs`` asks for none.

    >>> accepted_arguments(lambda seed, **kwargs: ..., {"seed": 1, "task": None})
    {'seed': 1}
    """
    parameters = signature(factory).parameters
    return {name: value for name, value in available.items() if name in parameters}
