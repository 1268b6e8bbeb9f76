"""The initial weights of a backbone from a file: which of its tensors fit, and what a file of another net lacks."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.backbones.weights_file import WeightsFile, read_weights

COUNTER = "num_batches_tracked"
"""Of a batch normalization: old files lack it, and no evaluation reads it."""

NAMED = 4
"""Tensors that a sentence names."""


@dataclass(frozen=True)
class InitialWeights:
    """What was taken from a file; plain values, stored with the run.

    Args:
        file: its path as given.
        sha256: of its bytes, in hexadecimal.
        tensors: how many of the net's tensors it gave, which are all but counters.
        under: the name of the dictionary within the file, "" for the outermost.
        prefix: the beginning of its names that the net's lack.
        added: the beginning of the net's names that those of the file lack.
        summed: the first convolution that was summed over three colors, for gray images; "" for none.
        left_out: the tensors of the file that the net has no place for, as those of its head.
        by_order: whether the tensors were assigned by their order, because the names are of another program.
    """

    file: str
    sha256: str
    tensors: int
    under: str = ""
    prefix: str = ""
    added: str = ""
    summed: str = ""
    left_out: Sequence[str] = ()
    by_order: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint or JSON."""
        return asdict(self) | {"left_out": list(self.left_out)}

    def describe(self) -> str:
        """One sentence."""
        parts = [f"all {self.tensors} tensors of the backbone are from {Path(self.file).name}"]
        if self.under:
            parts.append(f"from its {self.under}")
        if self.prefix:
            parts.append(f"whose names begin with {self.prefix}")
        if self.by_order:
            parts.append("whose names are others, so that they were assigned by order and shape")
        if self.summed:
            parts.append(f"{self.summed} summed over the colors")
        if self.left_out:
            parts.append(f"without its {_listed(self.left_out)}")
        return f"{', '.join(parts)}; sha256 {self.sha256[:16]}…"


class _Match(NamedTuple):
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


def applied_afterwards(factory: Callable[..., Any]) -> list[str]:
    """The keys of a backbone's configuration that are applied once it is built: those that its class does not take."""
    every = dict.fromkeys(("weights", "freeze"))
    return [key for key in every if key not in accepted_arguments(factory, every)]


def load_weights(backbone: nn.Module, path: str) -> InitialWeights:
    """Copy the weights of a file into a backbone.

    The file may have the names of the net (timm's, torchvision's, or ours) after any beginning, as ``module.`` or
    ``backbone.``, in any dictionary of it; a checkpoint of this program is such a file. Every tensor of the net must be
    there, in its shape; of the file's other tensors only those of a head or of parts beside the net may be left.
    If its names are those of another program, but all tensors have the net's order, kinds (weight, bias, …) and shapes,
    they are assigned by order, as timm's own conversions do.

    Args:
        backbone: its weights are replaced; nothing else of it changes.
        path: see `imbalance_lab.backbones.weights_file.read_weights`.

    Raises:
        ValueError: naming the file, and the first tensors that it lacks, has too many, or in other shapes.
    """
    file = read_weights(path)
    expected = backbone.state_dict()
    name = _name(backbone)
    best = _best_match(file, expected, name)
    stored = file.groups[best.under]
    left_out = [each for each in stored if each not in best.names and not each.endswith(COUNTER)]
    if not best.by_order:
        _check_left_out(f"{file.path}", name, best, stored, left_out, getattr(backbone, "removed_head", ()))
    values, summed = _fitting(f"{file.path}", name, {net: stored[own] for own, net in best.names.items()}, expected)
    backbone.load_state_dict(values, strict=False)
    tensors = sum(not each.endswith(COUNTER) for each in values)
    found = best.under, best.prefix, best.added, summed
    return InitialWeights(path, file.sha256, tensors, *found, left_out=left_out, by_order=best.by_order)


def _best_match(file: WeightsFile, expected: Mapping[str, Tensor], name: str) -> _Match:
    """The dictionary of the file that has the whole net, by names or else by order."""
    best = max((_match(expected, *group) for group in file.groups.items()), key=lambda each: len(each.names))
    missing = best.missing(expected)
    if missing and file.is_ordered:
        ordered = [match for group in file.groups.items() if (match := _match_order(expected, *group)) is not None]
        if ordered:
            return ordered[0]
    if not best.names:
        first = next(iter(file.groups[best.under]))
        raise ValueError(
            f"{file.path} has no tensor of {name}: its names begin with {first}, those of the net with "
            f"{next(iter(expected))}, and their shapes differ too: choose a file of this net"
        )
    if missing:
        raise ValueError(
            f"{file.path} lacks {len(missing)} of {len(expected)} tensors of {name}, {_listed(missing)}: "
            "choose a file of this net"
        )
    return best


def _match_order(expected: Mapping[str, Tensor], under: str, stored: Mapping[str, Tensor]) -> _Match | None:
    """The tensors one after the other, if kinds and shapes are equal and only layers of a head are left at the end."""
    ours = [each for each in expected if not each.endswith(COUNTER)]
    theirs = [each for each in stored if not each.endswith(COUNTER)]
    if len(theirs) < len(ours) or any(stored[each].ndim > 2 for each in theirs[len(ours) :]):
        return None
    names = dict(zip(theirs, ours, strict=False))
    for own, net in names.items():
        shapes = expected[net].shape, stored[own].shape
        is_same = shapes[0] == shapes[1] or (own == theirs[0] and stored[own].ndim == 4 and _is_gray(*shapes))
        if own.split(".")[-1] != net.split(".")[-1] or not is_same:
            return None
    return _Match(under, names, by_order=True)


def _match(expected: Mapping[str, Tensor], under: str, stored: Mapping[str, Tensor]) -> _Match:
    """The most frequent difference between the names of the net and those of the file."""
    found: Counter[tuple[str, str]] = Counter()
    for added in _beginnings(expected):
        inner = {each.removeprefix(added) for each in expected}
        for own in stored:
            found.update((own.removesuffix(end), added) for end in _ends(own) if end in inner)
    # Of equally frequent ones that which changes the least.
    prefix, added = max(found, key=lambda each: (found[each], -len(each[0]) - len(each[1])), default=("", ""))
    names = {own: added + own.removeprefix(prefix) for own in stored if own.startswith(prefix)}
    return _Match(under, {own: net for own, net in names.items() if net in expected}, prefix, added)


def _beginnings(names: Iterable[str]) -> list[str]:
    """Nothing, and what all names begin with up to their first dot, as the ``net.`` of a wrapped net."""
    first = {name.split(".")[0] for name in names}
    return ["", f"{first.pop()}."] if len(first) == 1 else [""]


def _ends(name: str) -> list[str]:
    """A name, and what remains of it after each dot."""
    parts = name.split(".")
    return [".".join(parts[at:]) for at in range(len(parts))]


def _check_left_out(
    path: str, name: str, match: _Match, stored: Mapping[str, Tensor], left_out: Sequence[str], head: Collection[str]
) -> None:
    """Raise a ValueError if what is left of the file is a part of a net: it is then one of another size."""
    used = {own.removeprefix(match.prefix).split(".")[0] for own in match.names}
    strange = []
    for own in left_out:
        inner = own.removeprefix(match.prefix)
        is_beside = not own.startswith(match.prefix)
        is_head = any(f"{match.added}{inner}.".startswith(f"{each}.") for each in head)
        is_linear = inner.split(".")[0] not in used and stored[own].ndim <= 2
        if not (is_beside or is_head or is_linear):
            strange.append(own)
    if strange:
        raise ValueError(
            f"{path} has {len(strange)} tensors more than {name}, {_listed(strange)}: it is of another net; choose a "
            "file of this one"
        )


def _fitting(
    path: str, name: str, values: dict[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], str]:
    """The values in the shapes of the net; and the convolution that was summed over the colors."""
    summed = ""
    for key, value in values.items():
        shape = expected[key].shape
        if value.shape != shape and not summed and value.ndim == 4 and _is_gray(shape, value.shape):
            # A gray image is one of three equal colors: the same output as for these.
            values[key] = value = value.sum(1, keepdim=True)
            summed = key
        if value.shape != shape:
            raise ValueError(
                f"{path} has {key} in the shape {tuple(value.shape)}, {name} has {tuple(shape)}: choose a file of this "
                "net, for images of these channels and this size"
            )
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"{path} has values in {key} that are not finite: choose another file")
    return values, summed


def _is_gray(shape: torch.Size, stored: torch.Size) -> bool:
    return shape[1] == 1 and stored[1] == 3 and stored[:1] + stored[2:] == shape[:1] + shape[2:]


def _name(backbone: nn.Module) -> str:
    """The architecture, as in "timm's resnet18"."""
    named: object = getattr(backbone, "architecture", None)
    return named if isinstance(named, str) else type(backbone).__name__


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
