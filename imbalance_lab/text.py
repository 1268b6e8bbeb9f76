"""Text that comes from data, for places where some characters act: a terminal, a shell, a spreadsheet."""

import re
import shlex
import unicodedata
from collections.abc import Iterable
from typing import Any

JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian and Hindi words and emoji are spelled."""

_FORMULA = tuple("=+-@\t\r\n'")
_PLAIN = re.compile(r"(?!(?i:null|true|false|nan|inf)\Z)([\w./+-]*/[\w./+-]*|[A-Za-z_][\w.+-]*)", re.ASCII)
_ITEM = re.compile(r"(?!(?i:null|true|false|nan|inf)\Z)[A-Za-z_][\w./-]*", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def visible(text: str, keep: str = "") -> str:
    r"""``text`` with control characters, and those that turn the direction of writing, as escapes: ``\x1b``.

    Args:
        text: of any origin.
        keep: control characters that stay, such as a line end.

    >>> visible("cat\x1b[2J\r\u202egod")
    'cat\\x1b[2J\\r\\u202egod'
    """
    if text.isprintable():
        return text
    return "".join(char if char in keep or _is_visible(char) else _escaped(char) for char in text)


def shell_words(*words: str) -> str:
    r"""Words as a shell takes them, on one line even if they have line ends.

    >>> shell_words("imbalance-lab", "evaluate", "my runs/$(date)")
    "imbalance-lab evaluate 'my runs/$(date)'"
    """
    return " ".join(_ansi_quoted(word) if visible(word) != word else shlex.quote(word) for word in words)


def override(key: str, value: str) -> str:
    r"""``KEY=VALUE`` as Hydra reads it back, whatever the value; for a shell, `shell_words` has to follow.

    >>> override("ckpt_path", "runs/1/best.ckpt"), override("ckpt_path", "my runs/it's.ckpt")
    ('ckpt_path=runs/1/best.ckpt', 'ckpt_path="my runs/it\'s.ckpt"')
    """
    return f"{key}={value if _PLAIN.fullmatch(value) else hydra_quoted(value, mark=chr(34))}"


def list_override(key: str, values: Iterable[str]) -> str:
    r"""``KEY=[VALUE,…]`` as a word of a shell, which Hydra reads back.

    >>> list_override("data.drop", ["id"]), list_override("data.drop", ["", "my id", "it's"])
    ("'data.drop=[id]'", '\'data.drop=["","my id","it\'"\'"\'s"]\'')
    """
    return shell_words(f"{key}=[{','.join(_list_item(value) for value in values)}]")


def split_override(word: str) -> tuple[str, str]:
    """The key and the value of an override as it was given; a leading + or ~ belongs to neither.

    >>> split_override("+trainer.callbacks=[]"), split_override("~callbacks.mine")
    (('trainer.callbacks', '[]'), ('callbacks.mine', ''))
    """
    key, _, value = word.lstrip("+~").partition("=")
    return key, value


def is_of_sweep(word: str) -> bool:
    """Whether an override is about how a sweep is run, and so no setting of its runs.

    >>> is_of_sweep("sweep=parallel"), is_of_sweep("sweep.jobs=2"), is_of_sweep("seed=0,1")
    (True, True, False)
    """
    return split_override(word)[0].split(".")[0] == "sweep"


def hydra_quoted(value: str, mark: str = "'") -> str:
    """Text as one value of Hydra's grammar: a quote in it ends nothing, and ``${…}`` is no interpolation."""
    escaped = re.sub(rf"(\\*){mark}", rf"\1\1\\{mark}", value)  # a backslash counts only before a quote
    at_end = len(escaped) - len(escaped.rstrip("\\"))
    return mark + re.sub(r"(\\*)\$\{", r"\1\1\\${", escaped) + "\\" * at_end + mark


def _list_item(value: str) -> str:
    if _ITEM.fullmatch(value):
        return value
    is_simple = not set(value) & set('"\\$')
    return f'"{value}"' if is_simple else hydra_quoted(value)


def csv_cell(value: Any) -> Any:
    """``value`` for a CSV file: text that a spreadsheet would calculate gets an apostrophe in front.

    That is text that begins with ``= + - @``, a tab or a line end; and with an apostrophe, so that removing one
    restores every text. Numbers stay as they are, also those that are text.

    >>> csv_cell("=1+1"), csv_cell("-1"), csv_cell(-1.5), csv_cell("cat")
    ("'=1+1", '-1', -1.5, 'cat')
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def shorten_middle(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters: its middle is left out, since names often differ at the end.

    >>> shorten_middle("Larus argentatus argenteus", 16), shorten_middle("cat", 16)
    ('Larus ar…genteus', 'cat')
    """
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def _is_visible(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _ansi_quoted(word: str) -> str:
    """As ``$'…'``, which bash, zsh and ksh read back."""
    quoted = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(char if _is_visible(char) else _escaped(char) for char in quoted) + "'"
