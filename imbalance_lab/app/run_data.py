"""The data of a finished run, read again as its model takes them: what is compared with it after training.

The checkpoint stores the configuration of the data with every value resolved. It is data: no resolver is called, and
nothing that it names is imported unless `imbalance_lab.trusted` or the user allows it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.splits import instantiate_splits
from imbalance_lab.data import InputSchema, Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import read_checkpoint
from imbalance_lab.task import Task
from imbalance_lab.text import split_override
from imbalance_lab.validation import did_you_mean

LOCATIONS = ("path", "val_path", "test_path", "train", "val", "test", "root", "cache")
"""The keys of our data that say where files are; a sentence about missing files names those that the run has."""


def validation_data(directory: RunDirectory, overrides: Sequence[str] = (), allow: Sequence[str] = ()) -> Splits:
    """The splits of a run, the same as in training, with the columns and classes of its best model.

    Args:
        directory: of the run.
        overrides: ``data.KEY=VALUE``, where the files are now, as in ``data.path=moved.csv``.
        allow: packages that the configuration may name, as that of a data source of your own.

    Raises:
        UsageError: for a key that the run's data do not have; for files that are missing or cannot be read; for data
            whose examples, classes or splits are not those of training.
    """
    content = read_checkpoint(directory.find_model())
    hparams = content["hyper_parameters"]
    config = _data_config(directory, hparams["config"])
    for override in overrides:
        _apply(config, override)
    schema = InputSchema.from_dict(hparams["input_schema"])
    folds = hparams["config"].get("cv")  # of earlier releases none
    whole = OmegaConf.create({"data": config, "allow": list(allow), "cv": folds})
    try:
        splits = instantiate_splits(whole, schema=schema, trained=Task.from_dict(hparams["task"]))
    except UsageError as error:
        if isinstance(error.__cause__, UsageError):  # of a class that is not trusted
            raise
        raise UsageError(f"the data of {directory.path} cannot be read, {error}; {_remedy(config)}") from error
    if hparams.get("data_fingerprint") not in (None, splits.fingerprint):
        raise UsageError(
            f"the data are not those that {directory.path} was trained on, they have other examples, other classes or "
            f"another split: {_remedy(config)}"
        )
    return splits


def _data_config(directory: RunDirectory, stored: Mapping[str, Any]) -> DictConfig:
    """The group ``data`` of a stored configuration, all values of which are plain."""
    node = stored.get("data")
    if not isinstance(node, Mapping) or "${" in str(node):  # training stored what interpolations resolved to
        raise UsageError(f"{directory.best_checkpoint} is damaged: its configuration has no data with plain values")
    return OmegaConf.create(dict(node))


def _apply(config: DictConfig, override: str) -> None:
    """Set one key of the data."""
    key, _ = split_override(override)
    name = key.removeprefix("data.")
    if name == key or override[0] in "+~" or "=" not in override:
        raise UsageError(f"{override} says nothing about the run's data: write data.KEY=VALUE, as in data.path=FILE")
    if name.split(".")[0] not in config or name.split(".")[-1].startswith("_"):
        known = [f"data.{each}" for each in map(str, config) if not each.startswith("_")]
        hint = did_you_mean(key, known) or f": there are {', '.join(known)}"
        raise UsageError(f"{key} is not a key of the run's data{hint}")
    parsed = OverridesParser.create().parse_override(override)
    if parsed.is_sweep_override() or "${" in override:
        raise UsageError(f"{override} must be one plain value, as in data.path=FILE")
    OmegaConf.update(config, name, parsed.value(), merge=False)


def _remedy(config: DictConfig) -> str:
    keys = [f"data.{key}=…" for key in LOCATIONS if config.get(key) is not None]
    return f"if the files have moved, say where they are with {' '.join(keys or ['data.KEY=…'])}"
