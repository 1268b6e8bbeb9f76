"""Paths and other text on the command line that Hydra's grammar reads as something else: how they are quoted."""

import os
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from imbalance_lab.errors import UsageError
from imbalance_lab.text import hydra_quoted, shell_words

PATHS = ("path", "root", "cache", "dir")
"""How the last part of keys ends whose values are paths."""


def quoted(key: str, value: str) -> str:
    """``KEY=VALUE`` for a shell, so that Hydra reads this very text, whatever its characters.

    >>> print(quoted("data.path", "my data (1).csv"))
    'data.path="my data (1).csv"'
    """
    return shell_words(f"{key}={hydra_quoted(value, mark=chr(34))}")


def check_path(word: str) -> None:
    """Refuse a path that Hydra would read as another text, a number, a list or a sweep, if that cannot be meant.

    Raises:
        UsageError: with the override as it has to be written.
    """
    key, _, value = word.partition("=")
    name = key.lstrip("+")
    if not is_path(name) or _has_quotes(value) or value in ("", "null"):
        return
    read = _read(word)
    if read == value and "${" not in value:
        return
    if read is not None and not isinstance(read, str | Sequence):
        raise UsageError(f"{word} is read as {str(read).lower()}, not as text: write {quoted(key, value)}")
    if os.path.exists(os.path.expanduser(value)):
        raise UsageError(f"{word!r} names a file, but not as it stands: write {quoted(key, value)}")


def is_path(key: str) -> bool:
    """Whether the values of a key are paths."""
    return key.rpartition(".")[2].endswith(PATHS)


def bare(value: str) -> str:
    """The text within a pair of quotes, or as it is."""
    return value[1:-1] if _has_quotes(value) else value


def _has_quotes(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""


def _read(word: str) -> Any:
    """What Hydra makes of a word: a value; an empty list if it cannot read it, or reads several values."""
    try:
        parsed = OverridesParser.create().parse_override(word)
        return [] if parsed.is_sweep_override() else parsed.value()
    except (HydraException, ValueError):
        return []
