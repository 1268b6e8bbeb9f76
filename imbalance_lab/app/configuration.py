"""The configuration of a finished run, with another post-processing."""

from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.validate_arguments import validate_arguments
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory

POSTPROCESSING = ("operating_point", "calibration", "prior_correction", "report")
"""The keys and groups that ``evaluate`` may change."""


def evaluation_config(directory: RunDirectory, overrides: list[str]) -> DictConfig:
    """The stored configuration of a run, with its post-processing changed by ``KEY=VALUE``.

    The overrides of the run and the new ones are composed by Hydra together, as if the run had been started so.

    Raises:
        UsageError: for a key that only another training could change.
    """
    stored = OmegaConf.load(directory.config)
    assert isinstance(stored, DictConfig)
    if not overrides:
        return stored
    validate_arguments(overrides)
    for override in overrides:
        key = override.partition("=")[0]
        if key.lstrip("+~").split(".")[0].split("@")[0] not in POSTPROCESSING:
            raise UsageError(
                f"{key} cannot be changed without training again: choose among {', '.join(POSTPROCESSING)}"
            )
    composed = compose_config(_replaced(directory, overrides), _stored_config_directories(directory))
    for key in {override.lstrip("+~").partition("=")[0].split(".")[0] for override in overrides}:
        OmegaConf.update(stored, key, composed[key], merge=False, force_add=True)
    return stored


def _replaced(directory: RunDirectory, overrides: list[str]) -> list[str]:
    """The overrides of the run that are not replaced, then the new ones.

    A new choice of a group takes the place of the old choice and of the old values in that group.
    """
    given = {each.partition("=")[0] for each in overrides}

    def is_replaced(override: str) -> bool:
        key = override.lstrip("+~").partition("=")[0]
        return key in given or key.split(".")[0] in given

    return [*(each for each in directory.read_override_list() if not is_replaced(each)), *overrides]


def _stored_config_directories(directory: RunDirectory) -> list[Path]:
    """The ``--config-dir`` directories of the run that still exist."""
    if not directory.hydra.is_file():
        return []
    content: Any = yaml.safe_load(directory.hydra.read_text(encoding="utf-8"))
    sources = content["hydra"]["runtime"]["config_sources"]
    paths = (Path(each["path"]) for each in sources if each["provider"] == "command-line")
    return [path for path in paths if path.is_dir()]
