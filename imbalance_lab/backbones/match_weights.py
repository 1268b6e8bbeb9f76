"""Which tensors of a file are those of a net, whose names begin otherwise, or are another program's."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from imbalance_lab.backbones.weights_file import WeightsFile

COUNTER = "num_batches_tracked"
"""Of a batch normalization: old files lack it, and no evaluation reads it."""

NAMED = 4
"""Tensors that a sentence names."""


class Match(NamedTuple):
    """Names of the net by names of the file, after ``prefix`` is taken from these and ``added`` put before them."""

    under: str
    names: Mapping[str, str]
    prefix: str = ""
    added: str = ""
    by_order: bool = False

    def missing(self, expected: Iterable[str]) -> list[str]:
        """The names of the net that have no tensor."""
        found = set(self.names.values())
        return [each for each in expected if each not in found and not each.endswith(COUNTER)]

    def place(self) -> str:
        """Where in the file they are, for a sentence."""
        names = f"the names that begin with {self.prefix}" if self.prefix else ""
        return " and ".join(filter(None, (self.under, names))) or "its outermost names"


def best_match(file: WeightsFile, expected: Mapping[str, Tensor], name: str) -> Match:
    """The tensors of a file that are the whole net, by names or else by order.

    Args:
        file: its tensors.
        expected: those of the net.
        name: of the net, for a sentence.

    Raises:
        ValueError: if there are none, or those of several nets.
    """
    found = [match for group in file.groups.items() for match in _matches(expected, *group)]
    best = max(found, key=lambda each: len(each.names))
    missing = best.missing(expected)
    if missing and file.is_ordered:
        ordered = [match for group in file.groups.items() if (match := _match_order(expected, *group)) is not None]
        if ordered:
            return ordered[0]
    if not best.names:
        raise ValueError(_strangers(file, best, expected, name))
    if missing:
        raise ValueError(
            f"{file.path} lacks {len(missing)} of {len(expected)} tensors of {name}, {listed(missing)}: "
            "choose a file of this net"
        )
    whole = [each for each in found if not each.missing(expected)]
    if others := [each for each in whole if not _is_same(file, each, whole[0])]:
        raise ValueError(
            f"{file.path} holds several nets that {name} could start from, in {whole[0].place()} "
            f"and in {others[0].place()}: save the tensors of one alone, torch.save(STATE, FILE)"
        )
    return best


def is_gray(shape: torch.Size, stored: torch.Size) -> bool:
    """Whether a convolution of one channel (out, 1, h, w) can have the sum of one of three (out, 3, h, w)."""
    return shape[1] == 1 and stored[1] == 3 and stored[:1] + stored[2:] == shape[:1] + shape[2:]


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _strangers(file: WeightsFile, best: Match, expected: Mapping[str, Tensor], name: str) -> str:
    """What a file without a name of the net differs in."""
    if not file.is_ordered and any(_shapes(group) == _shapes(expected) for group in file.groups.values()):
        why = (
            "; its shapes are those of the net, but safetensors does not keep the order by which they could be "
            "assigned: choose a file of torch.save"
        )
    else:
        why = ", and it has not the same shapes in the same order: choose a file of this net"
    first = next(iter(file.groups[best.under]))
    return (
        f"{file.path} has no tensor of {name}: its names begin with {first}, those of the net with "
        f"{next(iter(expected))}{why}"
    )


def _shapes(tensors: Mapping[str, Tensor]) -> list[tuple[int, ...]]:
    """Those of all tensors but counters, sorted."""
    return sorted(tuple(each.shape) for name, each in tensors.items() if not name.endswith(COUNTER))


def _is_same(file: WeightsFile, a: Match, b: Match) -> bool:
    """Whether two matches give the net the same weights."""
    if a.under == b.under and a.names == b.names:
        return True
    of_a, of_b = ({net: file.groups[each.under][own] for own, net in each.names.items()} for each in (a, b))
    return all(
        net in of_b and torch.equal(value, of_b[net]) for net, value in of_a.items() if not net.endswith(COUNTER)
    )


def _match_order(expected: Mapping[str, Tensor], under: str, stored: Mapping[str, Tensor]) -> Match | None:
    """The tensors one after the other, if kinds and shapes are equal and only layers of a head are left at the end."""
    ours = [each for each in expected if not each.endswith(COUNTER)]
    theirs = [each for each in stored if not each.endswith(COUNTER)]
    if len(theirs) < len(ours) or any(stored[each].ndim > 2 for each in theirs[len(ours) :]):
        return None
    names = dict(zip(theirs, ours, strict=False))
    for own, net in names.items():
        shapes = expected[net].shape, stored[own].shape
        is_same = shapes[0] == shapes[1] or (own == theirs[0] and stored[own].ndim == 4 and is_gray(*shapes))
        if own.split(".")[-1] != net.split(".")[-1] or not is_same:
            return None
    return Match(under, names, by_order=True)


def _matches(expected: Mapping[str, Tensor], under: str, stored: Mapping[str, Tensor]) -> Iterator[Match]:
    """The most frequent differences between the names of the net and those of the file; of whole nets every one."""
    found: Counter[tuple[str, str]] = Counter()
    for added in _beginnings(expected):
        inner = {each.removeprefix(added) for each in expected}
        for own in stored:
            found.update((own.removesuffix(end), added) for end in _ends(own) if end in inner)
    needed = sum(not each.endswith(COUNTER) for each in expected)
    # Of equally frequent ones first that which changes the least.
    ranked = sorted(found, key=lambda each: (-found[each], len(each[0]) + len(each[1])))
    for prefix, added in [*ranked[:1], *(each for each in ranked[1:] if found[each] >= needed)] or [("", "")]:
        names = {own: added + own.removeprefix(prefix) for own in stored if own.startswith(prefix)}
        yield Match(under, {own: net for own, net in names.items() if net in expected}, prefix, added)


def _beginnings(names: Iterable[str]) -> list[str]:
    """Nothing, and what all names begin with up to their first dot, as the ``net.`` of a wrapped net."""
    first = {name.split(".")[0] for name in names}
    return ["", f"{first.pop()}."] if len(first) == 1 else [""]


def _ends(name: str) -> list[str]:
    """A name, and what remains of it after each dot."""
    parts = name.split(".")
    return [".".join(parts[at:]) for at in range(len(parts))]
