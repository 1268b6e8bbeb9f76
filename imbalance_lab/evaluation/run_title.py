"""What a run is, in a few words: its data, loss and backbone, and the overrides that these do not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml

from imbalance_lab.evaluation.run_directory import RESTORE, RunDirectory
from imbalance_lab.evaluation.stored_files import reading
from imbalance_lab.text import split_override

GROUPS = ("data", "loss", "backbone")
"""The parts of a title, in this order; each is a group of the configuration."""

FILES = {"table": "path", "image_table": "path", "image_folder": "root"}
"""Data that are named by their file or folder, and the key that has its path."""


@dataclass(frozen=True)
class RunTitle:
    """What a run is.

    Args:
        parts: the names of its data, loss and backbone, as far as they are known.
        overrides: those of the command line that ``parts`` does not say, as they were given.
    """

    parts: tuple[str, ...]
    overrides: tuple[str, ...]

    @classmethod
    def read(cls, run: RunDirectory) -> "RunTitle":
        """From the configuration that the run left; what is absent is left out.

        Raises:
            UsageError: for a damaged file.
        """
        given = run.read_override_list() if run.overrides.is_file() else []
        return run_title(_choices(run), _config(run), given)


def run_title(choices: Mapping[str, Any], config: Mapping[str, Any], overrides: list[str]) -> RunTitle:
    """The title of a run.

    Args:
        choices: the option chosen in each group, by group; without them the overrides and ``_target_`` tell.
        config: the composed configuration.
        overrides: of the command line.
    """
    given = dict(map(split_override, overrides))
    parts, said = [], set(GROUPS)
    for group in GROUPS:
        options = _mapping(config.get(group))
        chosen = given.get(group) or choices.get(group)
        target = f"{group}._target_"
        path_key = FILES.get(str(chosen), "")
        path = options.get(path_key)
        if target in given:
            said.add(target)
            parts.append(_last(given[target]))
        elif isinstance(path, str) and PurePath(path).name:
            said.add(f"{group}.{path_key}")
            parts.append(PurePath(path).name)
        elif chosen or options.get("_target_"):
            parts.append(str(chosen) if chosen and chosen != "auto" else _chosen(options))
    return RunTitle(tuple(parts), tuple(each for each in overrides if split_override(each)[0] not in said))


def _chosen(options: Mapping[str, Any]) -> str:
    """What a part is by its own options: the model of a library by its name, any other by its class."""
    return str(options.get("name") or _last(str(options.get("_target_"))))


def _last(target: str) -> str:
    """The class of an import path."""
    return target.strip("'\"").rpartition(".")[2]


def _choices(run: RunDirectory) -> Mapping[str, Any]:
    if not run.hydra.is_file():
        return {}
    with reading(run.hydra, RESTORE):
        content = _mapping(yaml.safe_load(run.hydra.read_text(encoding="utf-8")))
    return _mapping(_mapping(_mapping(content.get("hydra")).get("runtime")).get("choices"))


def _config(run: RunDirectory) -> Mapping[str, Any]:
    text = run.read_config_text()
    if text is None:
        return {}
    with reading(run.config, RESTORE):
        return _mapping(yaml.safe_load(text))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
