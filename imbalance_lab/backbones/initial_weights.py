"""The initial weights of a backbone from a file: which of its tensors fit, and what a file of another net lacks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.backbones.match_weights import COUNTER, Match, best_match, is_gray, listed
from imbalance_lab.backbones.weights_file import read_weights


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
        assigned: if the names are of another program, and the tensors were assigned by their order, the name in the
            file of each of the net's; else empty.
    """

    file: str
    sha256: str
    tensors: int
    under: str = ""
    prefix: str = ""
    added: str = ""
    summed: str = ""
    left_out: Sequence[str] = ()
    assigned: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint or JSON."""
        return asdict(self) | {"left_out": list(self.left_out), "assigned": dict(self.assigned)}

    def describe(self) -> str:
        """One sentence."""
        parts = [f"all {self.tensors} tensors of the backbone are from {Path(self.file).name}"]
        if self.under:
            parts.append(f"from its {self.under}")
        if self.prefix:
            parts.append(f"whose names begin with {self.prefix}")
        if self.assigned:
            net, own = next(iter(self.assigned.items()))
            parts.append(
                "whose names are others, so that they were assigned by order and shape "
                f"({net} is its {own}, and so on: run.json lists all)"
            )
        if self.summed:
            parts.append(f"{self.summed} summed over the colors")
        if self.left_out:
            parts.append(f"without its {listed(self.left_out)}")
        return f"{', '.join(parts)}; sha256 {self.sha256[:16]}…"


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
    best = best_match(file, expected, name)
    stored = file.groups[best.under]
    left_out = [each for each in stored if each not in best.names and not each.endswith(COUNTER)]
    if not best.by_order:
        _check_left_out(f"{file.path}", name, best, stored, left_out, getattr(backbone, "removed_head", ()))
    values, summed = _fitting(f"{file.path}", name, {net: stored[own] for own, net in best.names.items()}, expected)
    backbone.load_state_dict(values, strict=False)
    tensors = sum(not each.endswith(COUNTER) for each in values)
    found = best.under, best.prefix, best.added, summed, left_out
    assigned = {net: own for own, net in best.names.items()} if best.by_order else {}
    return InitialWeights(path, file.sha256, tensors, *found, assigned)


def _check_left_out(
    path: str, name: str, match: Match, stored: Mapping[str, Tensor], left_out: Sequence[str], head: Collection[str]
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
            f"{path} has {len(strange)} tensors more than {name}, {listed(strange)}: it is of another net; choose a "
            "file of this one"
        )


def _fitting(
    path: str, name: str, values: dict[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], str]:
    """The values in the shapes of the net; and the convolution that was summed over the colors."""
    summed = ""
    for key, value in values.items():
        shape = expected[key].shape
        if value.shape != shape and not summed and value.ndim == 4 and is_gray(shape, value.shape):
            # A gray image is one of three equal colors: the same output as for these.
            values[key] = value = value.sum(1, keepdim=True)
            summed = key
        if value.shape != shape:
            raise ValueError(
                f"{path} has {key} in the shape {tuple(value.shape)}, {name} has {tuple(shape)}: choose a file of this "
                "net, for images of these channels and this size"
            )
        if value.is_floating_point() != expected[key].is_floating_point():
            raise ValueError(
                f"{path} has {key} as {str(value.dtype).removeprefix('torch.')}, {name} has "
                f"{str(expected[key].dtype).removeprefix('torch.')}: choose a file whose weights are not quantized"
            )
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"{path} has values in {key} that are not finite: choose another file")
    return values, summed


def _name(backbone: nn.Module) -> str:
    """The architecture, as in "timm's resnet18"."""
    named: object = getattr(backbone, "architecture", None)
    return named if isinstance(named, str) else type(backbone).__name__
