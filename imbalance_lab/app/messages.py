"""Sentences for mistakes in a command line or a configuration."""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, InstantiationException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.compose import compose_config, config_directory, extra_config_directories
from imbalance_lab.app.quoting import bare, is_path, quoted
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
    "augment=random_resized_crop": "augment=strong",
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
    if isinstance(error, InstantiationException):
        return None  # of a constructor: its cause may be a bug
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _composition(error)
    return None


def _composition(error: Exception) -> str:
    """For an override that does not fit to the configuration, by the first line of Hydra's message."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    named = first.split("'")[1] if first.count("'") >= 2 else ""
    if first.startswith("Could not override '"):
        return _unknown_key(named)
    if first.startswith("Could not append to config. An item is already at '"):
        return f"{named} is already in the configuration: leave out the +"
    if first.startswith("Ambiguous value for argument '"):
        key, _, value = named.partition("=")
        several = f"{named} has several values: add -m to run each of them, or write"
        return f"{several} {quoted(key, value)} for text" if is_path(key) else f"{several} '{key}=[{value}]' for a list"
    cause = str(error.__cause__ or "").strip()
    full_key = getattr(error, "full_key", None)
    where = f"{full_key}: " if full_key and full_key not in first else ""
    return where + (f"{first}: {cause.splitlines()[0]}" if cause and cause not in first else first)


def _unreadable(override: str) -> str:
    key, _, value = override.partition("=")
    remedy = "write both, as in max_epochs=10"
    if re.fullmatch(r"\+{0,2}\w+([./]\w+)*", key):
        remedy = f"if the value is text, write {quoted(key, bare(value))}"
        if bare(value)[:1] in ("[", "{", "(") and not is_path(key):
            remedy = "close every bracket, and put all in single quotes, as in 'loss.alpha=[0.25,0.75]'"
    return f"cannot read {override!r} as KEY=VALUE: {remedy}"


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
    keys = configuration_keys()
    if key in keys:
        return f"{key} is a mapping without the key that is set in it: add that with +{key}.KEY=VALUE"
    if having := _choices_with(key):
        return f"there is no {key!r} in this configuration, but there is with {', '.join(having)}: choose that too"
    near = did_you_mean(key, keys).replace("'", "")
    return f"there is no {key!r} in this configuration{near} (--help lists what there is)"


def _choices_with(key: str) -> list[str]:
    """The choices of a group that have a key which the present one lacks, as ``loss=focal`` has ``loss.gamma``."""
    group, _, name = key.partition(".")
    files = sorted((config_directory() / group).glob("*.yaml")) if group.isidentifier() else []
    indent = " *" if group == "sweep" else ""  # whose files hold keys of other groups too
    having = [
        file.stem for file in files if re.search(rf"^{indent}{re.escape(name)}:", file.read_text("utf-8"), re.MULTILINE)
    ]
    return [f"{group}={choice}" for choice in having][:4] if name else []


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
