"""Short texts for the settings of runs: values that are paths or long are shortened, and stay different."""

from collections.abc import Sequence
from itertools import takewhile

from imbalance_lab.text import shorten_middle

LONG = 32
"""Characters of a value that is shown whole."""


def short_values(values: Sequence[str]) -> dict[str, str]:
    """A short text for each of the values of one key; different values never get the same text.

    Of paths the folders that all have in common are left out, and the names of files stay whole. Other long values are
    shortened in the middle, so far as they remain different.

    >>> short_values(["/data/a/2023.csv", "/data/b/2023.csv"])
    {'/data/a/2023.csv': 'a/2023.csv', '/data/b/2023.csv': 'b/2023.csv'}
    >>> short_values(["data/cats.csv", "data/dogs.csv"])
    {'data/cats.csv': 'cats.csv', 'data/dogs.csv': 'dogs.csv'}
    >>> short_values(["0.001", "0.01"])
    {'0.001': '0.001', '0.01': '0.01'}
    """
    unique = list(dict.fromkeys(values))
    short = _without_common_folders(unique)
    for most in range(LONG, max(map(len, short), default=0) + 1):
        candidates = [_shortened(each, most) for each in short]
        if len(set(candidates)) == len(unique):
            return dict(zip(unique, candidates, strict=True))
    return dict(zip(unique, short, strict=True))


def _without_common_folders(values: Sequence[str]) -> list[str]:
    """Paths without the folders that all of them begin with; a single path by its last part."""
    if not all(map(_is_path, values)) or not values:
        return list(values)
    parts = [each.split("/") for each in values]
    levels = zip(*(each[:-1] for each in parts), strict=False)
    common = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    short = ["/".join(each[common:]) for each in parts]
    return short if len(set(short)) == len(values) and all(short) else list(values)


def _is_path(value: str) -> bool:
    return "/" in value and "://" not in value and not value.endswith("/") and value[0] not in "[{("


def _shortened(value: str, most: int) -> str:
    """A value of at most ``most`` characters; of a path the last part stays whole, and its folders are shortened."""
    folders, slash, name = value.rpartition("/")
    if not slash or not _is_path(value):
        return shorten_middle(value, most)
    return value if len(value) <= most else f"{shorten_middle(folders, max(1, most - 1 - len(name)))}/{name}"
