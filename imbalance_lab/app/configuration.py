"""The configuration of a finished run, with another post-processing.

The files of a run are data: nothing that they name is imported unless `imbalance_lab.trusted` allows it, they allow no
packages themselves, and they call no resolvers of OmegaConf.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.messages import RENAMED
from imbalance_lab.app.slices import slice_columns
from imbalance_lab.app.validate_arguments import validate_arguments
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RESTORE, RunDirectory
from imbalance_lab.evaluation.stored_files import reading
from imbalance_lab.text import split_override
from imbalance_lab.validation import check_bool

POSTPROCESSING = ("operating_point", "calibration", "prior_correction", "conformal", "report")
"""The keys and groups that ``evaluate`` may change."""

RESOLVER = re.compile(r"\$\{[^{}]*?[\w.]+:")
"""The beginning of a call of a resolver, as in ``${oc.env:HOME}``; ``${seed}`` is none."""


def evaluation_config(directory: RunDirectory, overrides: list[str]) -> DictConfig:
    """The stored configuration of a run, with its post-processing changed by ``KEY=VALUE``.

    The overrides of the run and the new ones are composed by Hydra together, as if the run had been started so.

    Raises:
        UsageError: for a key that only another training could change, and for a damaged file.
    """
    check_overrides(overrides)
    stored = _stored_config(directory)
    if "conformal" not in stored:  # of an earlier release
        stored["conformal"] = {"_target_": "imbalance_lab.posthoc.NoPredictionSets"}
    if overrides:
        composed = _composed(directory, overrides)
        for key in {split_override(override)[0].split(".")[0] for override in overrides}:
            OmegaConf.update(stored, key, _without_resolvers(composed[key]), merge=False, force_add=True)
    _check_postprocessing(directory, stored)
    return stored


def check_overrides(overrides: Sequence[str]) -> None:
    """Raise an error for an override that ``evaluate`` cannot apply, whatever the run.

    Raises:
        UsageError: naming it.
    """
    for override in overrides:
        key, _, _ = override.partition("=")
        group = key.lstrip("+~").split(".")[0]
        if group in RENAMED:
            raise UsageError(f"{group} is now called {RENAMED[group]}")
        if group not in (*POSTPROCESSING, "allow"):
            raise UsageError(
                f"{key} cannot be changed without training again: choose among {', '.join(POSTPROCESSING)}"
            )
        if key.startswith("~"):
            raise UsageError(f"{override} would leave no {key[1:]}: choose another, as in {group}=…")
    validate_arguments(overrides)


def _stored_config(directory: RunDirectory) -> DictConfig:
    """What the run stored, without the packages that it allowed: the user of ``evaluate`` decides about them."""
    with reading(directory.config, RESTORE):
        content = OmegaConf.load(directory.config)
        if not isinstance(content, DictConfig):
            raise TypeError("it is not a configuration")
        stored: DictConfig = _without_resolvers(content)
        stored["allow"] = []
        return stored


def _without_resolvers(config: Any) -> Any:
    """A copy of a configuration in which a value that calls a resolver is missing; any other value as it is."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return "???" if isinstance(value, str) and RESOLVER.search(value) else value

    if not OmegaConf.is_config(config):
        return config
    return OmegaConf.create(plain(OmegaConf.to_container(config, resolve=False)))


def _composed(directory: RunDirectory, overrides: Sequence[str]) -> DictConfig:
    """The run as if it had been started with ``overrides``."""
    kept, folders = _kept(directory, overrides), _stored_config_directories(directory)
    try:
        return compose_config([*kept, *overrides], folders)
    except (HydraException, OmegaConfBaseException):
        with reading(directory.overrides, RESTORE):  # whose fault is it?
            compose_config(kept, folders)
        raise


def _kept(directory: RunDirectory, overrides: Sequence[str]) -> list[str]:
    """The overrides of the run that are not replaced by new ones, without any for Hydra itself.

    A new choice of a group takes the place of the old choice and of the old values in that group.
    """
    given = {each.partition("=")[0] for each in overrides}

    def is_kept(override: str) -> bool:
        key = split_override(override)[0]
        if re.split(r"[./@]", key)[0] in ("hydra", "allow", "sweep"):
            return False
        return key not in given and key.split(".")[0] not in given

    kept = [each for each in directory.read_override_list() if is_kept(each)]
    for override in kept:
        if "." not in split_override(override)[0] and RESOLVER.search(override):  # Hydra would call it to find the file
            with reading(directory.overrides, RESTORE):
                raise ValueError(f"{override} chooses a configuration by a resolver")
    return kept


def _stored_config_directories(directory: RunDirectory) -> list[Path]:
    """The ``--config-dir`` directories of the run that still exist."""
    if not directory.hydra.exists():
        return []
    with reading(directory.hydra, RESTORE):
        content: Any = yaml.safe_load(directory.hydra.read_text(encoding="utf-8"))
        sources = content["hydra"]["runtime"]["config_sources"]
        paths = [Path(each["path"]) for each in sources if each["provider"] == "command-line"]
        return [path for path in paths if path.is_dir()]


def _check_postprocessing(directory: RunDirectory, config: DictConfig) -> None:
    """Raise an error for post-processing that cannot be instantiated; `imbalance_lab.app.build` checks the rest."""
    for group in POSTPROCESSING:
        node: Any = config.get(group)
        if group == "report":
            images = OmegaConf.select(node, "images", default=False) if isinstance(node, DictConfig) else False
            if node is not None and not isinstance(node, DictConfig):
                raise UsageError(f"report has keys of its own, got report={node!r}: write report.images=true")
            try:
                check_bool("report.images", images)
            except TypeError as error:
                raise UsageError(f"{error}") from error
            slice_columns(config)
        elif not isinstance(node, DictConfig) or not isinstance(node.get("_target_"), str):
            raise UsageError(f"{directory.config}: {group} names no class with _target_: choose one with {group}=…")
        for key in _without_value(node):
            raise UsageError(
                f"{directory.config}: {group}.{key} has no value that may be read from a file (resolvers such as "
                f"${{oc.env:…}} are not called): give it, as in {group}.{key}=…"
            )


def _without_value(node: Any) -> Iterator[str]:
    """The keys of a group that are missing, or refer to what is missing."""
    for key in node if isinstance(node, DictConfig) else ():
        try:
            value = node[key]
            if OmegaConf.is_config(value):
                OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
        except OmegaConfBaseException:
            yield str(key)
