"""Checks of arguments: each returns the value, or raises with a sentence that names the argument and the value."""

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from numbers import Integral, Real

MAX_SEED = 2**63 - 1
"""The largest seed: generators and hashes take 64 bits with a sign."""


def check_number(
    name: str,
    value: object,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """A finite number within bounds: ``minimum`` and ``maximum`` are allowed, ``above`` and ``below`` are not.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not finite or out of bounds.

    >>> check_number("gamma", 2, minimum=0)
    2.0
    >>> check_number("dropout", 1, minimum=0, below=1)
    Traceback (most recent call last):
    ValueError: dropout must be a finite number in [0, 1), got 1
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    inside = (
        math.isfinite(number)
        and (minimum is None or number >= minimum)
        and (maximum is None or number <= maximum)
        and (above is None or number > above)
        and (below is None or number < below)
    )
    if not inside:
        raise ValueError(
            f"{name} must be a finite number{_bounds(minimum, maximum, above, below)}, got {_text(number)}"
        )
    return number


def check_integer(name: str, value: object, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """An integer within bounds, both allowed.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it is out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):  # NumPy's integers too
        raise TypeError(f"{name} must be an integer{_bounds(minimum, maximum, None, None)}, got {value!r}")
    number = int(value)
    if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
        raise ValueError(f"{name} must be an integer{_bounds(minimum, maximum, None, None)}, got {value!r}")
    return number


def check_bool(name: str, value: object) -> bool:
    """True or false.

    Raises:
        TypeError: if it is neither.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false, got {value!r}")
    return value


def check_text(name: str, value: object) -> str:
    """A text that is not empty.

    Raises:
        TypeError: if it is not a text.
        ValueError: if it is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, got {value!r}")
    if not value.strip():
        raise ValueError(f"{name} must not be empty")
    return value


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """One of ``choices``.

    Raises:
        ValueError: naming the choices.
    """
    names = tuple(choices)
    if value not in names:
        raise ValueError(f"{name} must be one of {', '.join(names)}, got {value!r}")
    return str(value)


def check_list(name: str, value: object, length: int | None = None) -> Sequence[object]:
    """A list, not a single value; of ``length`` entries if that is given.

    Raises:
        TypeError: if it is not a list.
        ValueError: if it has another length.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{name} must be a list, got {value!r}")
    if length is not None and len(value) != length:
        raise ValueError(f"{name} must have {length} entries, got {len(value)}: {list(value)!r}")
    return value


def raise_together(problems: Sequence[str]) -> None:
    """Nothing without a problem; one is told as it is, several as a list.

    Raises:
        ValueError: with all of them, a line each.
    """
    if len(problems) == 1:
        raise ValueError(problems[0])
    if problems:
        raise ValueError(f"{len(problems)} things to put right:" + "".join(f"\n  - {each}" for each in problems))


def did_you_mean(given: object, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The end of a sentence that names the nearest of ``known``; empty if none is near.

    >>> did_you_mean("gama", ["gamma", "alpha"])
    "; did you mean 'gamma'?"
    """
    near = get_close_matches(str(given), list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


def _bounds(minimum: float | None, maximum: float | None, above: float | None, below: float | None) -> str:
    """The range in words: "≥ 0", "in [0, 1)", or nothing without a bound."""
    low, high = (minimum if above is None else above), (maximum if below is None else below)
    if low is not None and high is not None:
        return f" in {'[' if above is None else '('}{_text(low)}, {_text(high)}{']' if below is None else ')'}"
    if low is not None:
        return f" {'≥' if above is None else '>'} {_text(low)}"
    return "" if high is None else f" {'≤' if below is None else '<'} {_text(high)}"


def _text(number: float) -> str:
    """As short as possible without changing the value: 1 for 1.0, 1048576 for 2**20, 1.0000001 as it is."""
    if isinstance(number, int):
        return str(number)
    short = f"{number:g}"
    return short if not math.isfinite(number) or float(short) == number else repr(number)
