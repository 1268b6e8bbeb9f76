"""Sentences for mistakes in a command line or a configuration."""

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.compose import compose_config, config_directory, extra_config_directories
from imbalance_lab.errors import UsageError
from imbalance_lab.validation import did_you_mean

RENAMED = {
    "deploy_prior": "prior_correction=deploy_prior 'prior_correction.deploy_prior=[…]'",
    "logit_adjustment": "prior_correction=logit_adjustment prior_correction.tau=…",
    "preflight": "data_summary",
    "preflight.auroc": "data_summary.auroc",
    "preflight.width": "data_summary.width",
    "data.normalise": "data.normalize",
    "operating_point.at_least": "operating_point.min_recall or operating_point.min_precision",
    "operating_point.at_most": "operating_point.max_fpr",
    "operating_point.least_positives": "operating_point.min_positives",
    "sampler.k": "sampler.m",
}
"""Keys of the previous release; for one release, using them is an error that names the new key."""

RENAMED_CHOICES = {
    "sampler=stratified": "sampler=m_per_class",
    "operating_point=recall": "operating_point=min_recall",
    "operating_point=precision": "operating_point=min_precision",
    "operating_point=fpr": "operating_point=max_fpr",
    "operating_point=budget": "operating_point=alert_budget",
    "operating_point=cost": "operating_point=min_cost",
}


def format_error(error: Exception) -> str | None:
    """One sentence for a mistake in the command line or the configuration; None for any other error."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        return _unknown_choice(str(error.missing_cfg_file), error.options)
    if isinstance(error, ConfigCompositionException | OmegaConfBaseException):
        first = str(error).strip().splitlines()[0]
        if first.startswith("Could not override '"):
            return _unknown_key(first.split("'")[1])
        if first.startswith("Could not append to config. An item is already at '"):
            key = first.split("'")[1]
            return f"{key} is already in the configuration: leave out the +"
        return first
    if isinstance(error, ValueError) and "Config group override must be" in str(error):
        return _not_a_choice(sys.argv[1:])
    return None


def _unreadable(override: str) -> str:
    return (
        f"cannot read {override!r} as KEY=VALUE: put it in single quotes, without spaces, "
        "as in 'loss.alpha=[0.25,0.75]'"
    )


def _not_a_choice(arguments: Iterable[str]) -> str:
    """For ``loss=null`` and ``data=5``: a group is chosen by the name of one of its files."""
    for argument in arguments:
        group, _, value = argument.partition("=")
        folder = config_directory() / group
        if folder.is_dir() and (value in ("null", "None", "true", "false", "") or not value[:1].isalpha()):
            choices = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
            return f"{argument} is not a choice: {group} is one of {choices}"
    return "a configuration group is chosen by the name of one of its files, as in loss=focal"


def _unknown_choice(file: str, options: Iterable[str]) -> str:
    group, _, choice = file.rpartition("/")
    if renamed := RENAMED_CHOICES.get(f"{group}={choice}"):
        return f"{group}={choice} is now called {renamed}"
    names = list(options)
    near = did_you_mean(choice, names).replace("mean '", f"mean {group}=").replace("'?", "?")
    return f"there is no {group}={choice}{near} (choices: {', '.join(names)})"


def _unknown_key(key: str) -> str:
    if renamed := RENAMED.get(key):
        return f"{key} is now called {renamed}"
    if key.startswith("trainer.") and key.removeprefix("trainer.") in trainer_arguments():
        return f"{key} is an argument of Lightning's Trainer that the configuration does not list: write +{key}=…"
    near = did_you_mean(key, configuration_keys()).replace("'", "")
    return f"there is no {key!r} in this configuration{near} (--help lists what there is)"


def configuration_keys() -> list[str]:
    """Every key of the configuration that the command line selects, ignoring invalid overrides."""
    extra = extra_config_directories(sys.argv[1:])
    folders = (folder for root in (config_directory(), *extra) for folder in root.iterdir() if folder.is_dir())
    groups = {folder.name for folder in folders}
    choices = [word for word in sys.argv[1:] if word.partition("=")[0] in groups and "," not in word]
    try:
        config = compose_config(choices, extra)
    except (HydraException, OmegaConfBaseException):
        config = compose_config([])
    return [*groups, *_flat(OmegaConf.to_container(config), "")]


@cache
def trainer_arguments() -> frozenset[str]:
    """The names of the arguments of Lightning's Trainer, read from its source: importing it takes seconds."""
    import ast

    spec = find_spec("lightning")
    if spec is None or spec.origin is None:
        return frozenset()
    source = Path(spec.origin).parent / "pytorch" / "trainer" / "trainer.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    trainer = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Trainer")
    init = next(node for node in trainer.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    return frozenset(each.arg for each in init.args.kwonlyargs)


def _flat(node: Any, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _flat(value, f"{prefix}{key}.")
