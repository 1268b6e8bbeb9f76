"""The data of the last run of this process, for the next run of a sweep: the same files are read once.

What a run could change is its own: the module that is fitted on the training split is part of the model, so every run
has a copy. Sources are never written to.
"""

import glob
import json
import os
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.data import InputSchema, Splits
from imbalance_lab.task import Task

OURS = "imbalance_lab."
"""Whose sources are known to depend on their configuration and files alone."""

Key = tuple[Any, ...]

_last: dict[Key, Splits] = {}


def cached_splits(
    read: Callable[..., Splits],
    config: DictConfig,
    *,
    schema: InputSchema | None = None,
    trained: Task | None = None,
    slices: Sequence[str] = (),
) -> Splits:
    """The splits of a configuration, those of the last run if nothing differs on which they depend.

    Args:
        read: reads them, with the same arguments; of other people's sources it does so for every run.
        config, schema, trained, slices: see `imbalance_lab.app.splits.instantiate_splits`.
    """
    node: Any = OmegaConf.to_container(config.data, resolve=True)
    about = repr(schema), repr(trained), tuple(slices), OmegaConf.to_yaml(config.get("cv") or {})
    if not all(target.startswith(OURS) for target in _targets(node)):
        return read(config, schema=schema, trained=trained, slices=slices)
    key = (json.dumps(node, sort_keys=True, default=str), about, tuple(_files(node)))
    if key not in _last:
        _last.clear()  # first: only one data set is in memory at a time
        _last[key] = read(config, schema=schema, trained=trained, slices=slices)
    splits = _last[key]
    return replace(splits, fitted=deepcopy(splits.prepare))


def _targets(node: Any) -> Iterator[str]:
    """Every ``_target_`` in nested values."""
    for name, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if name == "_target_":
            yield str(value)
        else:
            yield from _targets(value)


def _files(node: Any, name: str = "") -> Iterator[tuple[str, int, int]]:
    """Every file that a value names, also by its directory or a pattern, with its size and time of change.

    The directory ``cache`` only holds what was computed from the others.
    """
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _files(value, str(key))
    elif isinstance(node, list):
        for value in node:
            yield from _files(value, name)
    elif isinstance(node, str) and name not in ("cache", "_target_") and node:
        path = os.path.expanduser(node)
        for found in [path] if os.path.exists(path) else sorted(glob.glob(path)):
            yield from _states(found)


def _states(path: str) -> Iterator[tuple[str, int, int]]:
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders.sort()
            for each in sorted(names):
                yield from _state(os.path.join(folder, each))
    else:
        yield from _state(path)


def _state(path: str) -> Iterator[tuple[str, int, int]]:
    try:
        stat = os.stat(path)
    except OSError:
        return  # a link to nothing
    yield path, stat.st_size, stat.st_mtime_ns
