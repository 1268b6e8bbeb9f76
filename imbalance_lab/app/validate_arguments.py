"""Checks of the command line itself, before Hydra reads it: flags, keys given twice or deleted, empty sweeps."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from imbalance_lab.app.compose import config_directory
from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.app.quoting import check_path
from imbalance_lab.errors import UsageError
from imbalance_lab.text import is_of_sweep, split_override
from imbalance_lab.validation import did_you_mean

FLAGS: dict[str, tuple[str, ...] | None] = {
    **dict.fromkeys(("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r"), None),
    **dict.fromkeys(("--multirun", "-m", "--shell-completion", "-sc"), None),
    **dict.fromkeys(("--package", "-p", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"), ()),
    "--experimental-rerun": (),
    **dict.fromkeys(("--cfg", "-c"), ("job", "hydra", "all")),
    **dict.fromkeys(("--info", "-i"), ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")),
}
"""Hydra's flags: None for one without a value, else the values that it takes, () for any."""

DELETABLE = ("callbacks", "strategy", "hydra")
"""Where ``~KEY`` takes something out; elsewhere it would leave the choice to a default that no file shows."""

SEVERAL = ("callbacks", "strategy")
"""Groups of which several can be chosen at once, as in ``strategy=[drw,ema]``."""

SAME_AS = {("loss=class_balanced", "loss.weight=null"): "loss=cross_entropy"}
"""Pairs that undo the only purpose of a choice, and the choice that they amount to."""


def validate_arguments(words: Sequence[str]) -> None:
    """Raise an error for what Hydra takes, and then runs something else than what was meant, or nothing at all.

    Raises:
        UsageError: naming the argument and the remedy.
    """
    overrides = list(_overrides(words))
    _check_repeated(overrides)
    for word in overrides:
        key, is_set, value = word.partition("=")
        if not key or not (is_set or key.startswith("~")):
            raise UsageError(f"cannot read {word!r} as KEY=VALUE: write both, as in max_epochs=10")
        _check_deleted(key)
        _check_choice(word, key.lstrip("+").partition("@")[0], value)
        _check_added(word, key, overrides)
        check_path(word)
        if check := HYDRA.get(key):
            check(word, value)
    for pair, choice in SAME_AS.items():
        if set(pair) <= set(overrides):
            raise UsageError(f"{' '.join(pair)} is the same as {choice}: choose that")
    if {"-m", "--multirun", "hydra.mode=MULTIRUN"} & set(words):
        _check_sweeps(overrides)
    elif of_sweep := [word for word in overrides if is_of_sweep(word) and word != "sweep=grid"]:
        raise UsageError(f"{of_sweep[0]} says how several runs are run: add -m, or leave it out")


def written_out(words: Sequence[str]) -> list[str]:
    """The words of a command line with ``cv=5`` as ``cv.folds=5``."""
    return [f"cv.folds={word.removeprefix('cv=')}" if word.startswith("cv=") else word for word in words]


def _overrides(words: Sequence[str]) -> Iterator[str]:
    """The words of the command line that are neither flags nor their values; an error for an unknown flag."""
    following = iter(words)
    for word in following:
        flag, _, value = word.partition("=")
        if not word.startswith("-"):
            yield word
            continue
        if flag not in FLAGS:
            near = did_you_mean(flag, FLAGS, cutoff=0.75).replace("'", "")
            raise UsageError(f"there is no flag {flag}{near}; values are given as KEY=VALUE, as in max_epochs=10")
        choices = FLAGS[flag]
        if choices is None:
            continue
        value = value or next(following, "")
        if choices and value not in choices and (value or flag not in ("--info", "-i")):
            raise UsageError(f"{flag} must be followed by one of {', '.join(choices)}, got {value!r}")
        if not choices and not value:
            raise UsageError(f"{flag} must be followed by a value (--hydra-help lists the flags)")


def _check_repeated(overrides: Sequence[str]) -> None:
    given: dict[str, str] = {}
    for word in overrides:
        key, _ = split_override(word)
        if given.setdefault(key, word) != word:
            raise UsageError(f"{key} is given twice, as {given[key]} and as {word}: leave one out")


def _check_deleted(key: str) -> None:
    name = key.removeprefix("~")
    group, _, inner = name.partition(".")
    if name != key and not (inner and group in DELETABLE):
        raise UsageError(f"{key} deletes what every run needs: leave it out, or choose a value with {name}=…")


def parsed_override(word: str) -> Override | None:
    """What Hydra reads in a word; None if it cannot, which it reports itself."""
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None


def _check_choice(word: str, group: str, value: str) -> None:
    """An error for a group that is set to anything but the name of one of its files: a number, a path, a list."""
    if group not in _groups() or word.startswith("~"):
        return
    if word.startswith("+"):
        raise UsageError(f"{word}: a choice of {group} replaces the one that there is: leave out the +")
    if (parsed := parsed_override(word)) is None:
        return
    chosen = value if parsed.is_sweep_override() else parsed.value()
    names = chosen if isinstance(chosen, list) and group in SEVERAL else [chosen]
    for name in names:
        if not isinstance(name, str) or name.startswith("/") or ".." in name or name.endswith((".yaml", ".yml")):
            choices = sorted(file.stem for file in (config_directory() / group).glob("*.yaml"))
            raise UsageError(f"{word} is not a choice: {group} is one of {', '.join(choices)}")


def _check_added(word: str, key: str, overrides: Sequence[str]) -> None:
    """An error for a new key that nothing would read, as in ``+max_epoch=10``."""
    name = key.lstrip("+").partition("@")[0]
    top = re.split(r"[./]", name)[0]
    if key.startswith("+") and top not in (*_groups(), "hydra") and not any(f"${{{top}" in each for each in overrides):
        near = did_you_mean(name, _top_keys()).replace("'", "")
        raise UsageError(f"{word}: nothing reads {name}{near}; leave it out (--help lists what there is)")


def _check_sweeps(overrides: Sequence[str]) -> None:
    for word in overrides:
        try:
            parsed: Override = OverridesParser.create().parse_override(word)
            is_empty = parsed.is_sweep_override() and next(parsed.sweep_iterator(), None) is None
        except HydraException:
            continue  # reported by Hydra, or a glob, which only its configuration resolves
        except ValueError as error:
            raise UsageError(f"cannot read the sweep {word} ({error})") from error
        if is_empty:
            raise UsageError(f"{word} has no value, so that the sweep would have no run: widen the range")


def _check_output_subdir(word: str, value: str) -> None:
    if is_first_process():  # the others write nothing
        raise UsageError(f"{word} would hide the configuration of the run from `evaluate` and `compare`: leave it out")


def _check_max_batch_size(word: str, value: str) -> None:
    if not re.fullmatch("[1-9][0-9]*|null", value):
        raise UsageError(f"{word}: it must be an integer ≥ 1, or null for all runs of the sweep at once")


def _check_directory(word: str, value: str) -> None:
    if value.strip("'\"") in ("", "null"):
        raise UsageError(f"{word} names no directory: write a path, or leave it out")


def _check_subdir(word: str, value: str) -> None:
    if "${" not in value:
        raise UsageError(f"{word} is the same directory for every run: use ${{hydra.job.num}} in it")


HYDRA: dict[str, Callable[[str, str], None]] = {
    "hydra.output_subdir": _check_output_subdir,
    "hydra.sweeper.max_batch_size": _check_max_batch_size,
    "hydra.run.dir": _check_directory,
    "hydra.sweep.dir": _check_directory,
    "hydra.sweep.subdir": _check_subdir,
}
"""Hydra's own keys with values that it accepts and then stumbles over."""


@cache
def _groups() -> frozenset[str]:
    return frozenset(folder.name for folder in config_directory().iterdir() if folder.is_dir())


def _top_keys() -> list[str]:
    content: dict[str, Any] = yaml.safe_load((config_directory() / "train.yaml").read_text(encoding="utf-8"))
    return [key for key in content if key not in ("defaults", "hydra")]
