"""Short texts for the settings of runs: values that are paths or long are shortened, and stay different."""

import re
from collections.abc import Sequence
from itertools import takewhile

from imbalance_lab.text import shorten_middle

LONG = 32
"""Characters of a value that is shown whole."""

LONG_NUMBER, FEWEST_DIGITS = 8, 4
"""Characters of a number that is shown whole, and the digits that any other keeps."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def short_values(values: Sequence[str]) -> dict[str, str]:
    """A short text for each of the values of one key; different values never get the same text.

    Of paths the folders that all have in common are left out, and the names of files stay whole. Other long values are
    shortened in the middle, so far as they remain different, and numbers with many digits, as a search tries them, are
    rounded.

    >>> short_values(["/data/a/2023.csv", "/data/b/2023.csv"])
    {'/data/a/2023.csv': 'a/2023.csv', '/data/b/2023.csv': 'b/2023.csv'}
    >>> short_values(["data/cats.csv", "data/dogs.csv"])
    {'data/cats.csv': 'cats.csv', 'data/dogs.csv': 'dogs.csv'}
    >>> short_values(["0.001", "0.01"])
    {'0.001': '0.001', '0.01': '0.01'}
    >>> short_values(["0.0004906241083254889", "3.5"])
    {'0.0004906241083254889': '0.0004906', '3.5': '3.5'}
    """
    unique = list(dict.fromkeys(values))
    bare = [_unquoted(each) for each in unique]
    are_paths = bool(bare) and all(map(_is_path, bare))
    short = _without_common_folders(bare) if are_paths else bare
    if len(set(short)) < len(unique):
        short = unique
    if all(_NUMBER.fullmatch(each) for each in short if each) and any(map(_is_long, short)):
        return dict(zip(unique, _rounded(short), strict=True))
    for most in range(LONG, max(map(len, short), default=0) + 1):
        candidates = [_shortened_path(each, most) if are_paths else shorten_middle(each, most) for each in short]
        if len(set(candidates)) == len(unique):
            return dict(zip(unique, candidates, strict=True))
    return dict(zip(unique, short, strict=True))


def _rounded(numbers: Sequence[str]) -> Sequence[str]:
    """Numbers with as few digits as keep them different; those that are short stay as they are."""
    for digits in range(FEWEST_DIGITS, 18):
        texts = [f"{float(each):.{digits}g}" if _is_long(each) else each for each in numbers]
        if len(set(texts)) == len(numbers):
            return texts
    return numbers


def _is_long(number: str) -> bool:
    """Whether a number is rounded: none that is whole, which may be a date or a code."""
    return len(number) > LONG_NUMBER and not number.lstrip("+-").isdigit()


def _unquoted(value: str) -> str:
    """A value without the quotes that the command line needed around it."""
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" and value[0] not in value[1:-1]
    return value[1:-1] if is_quoted else value


def _is_path(value: str) -> bool:
    return "/" in value and "://" not in value and not value.endswith("/") and value[0] not in "[{("


def _without_common_folders(paths: Sequence[str]) -> list[str]:
    """Paths without the folders that all of them begin with; a single path by its last part."""
    parts = [each.split("/") for each in paths]
    levels = zip(*(each[:-1] for each in parts), strict=False)
    common = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    return ["/".join(each[common:]) for each in parts]


def _shortened_path(path: str, most: int) -> str:
    """A path of at most ``most`` characters: its folders are shortened, its last part stays whole even if longer."""
    folders, slash, name = path.rpartition("/")
    if len(path) <= most or not slash:
        return path
    return f"{shorten_middle(folders, max(1, most - 1 - len(name)))}/{name}"
