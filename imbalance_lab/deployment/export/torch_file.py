"""PyTorch's own file, ``torch.export``: runs wherever torch is, without this package."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.errors import UsageError

if TYPE_CHECKING:
    from imbalance_lab.deployment.export.graph import Graph


def trace(graph: "Graph", example: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    """The graph with a free batch dimension.

    Args:
        graph: in evaluation mode.
        example: inputs of at least two rows; what they hold does not matter.

    Raises:
        UsageError: for a net whose steps depend on what its inputs hold.
    """
    batch = torch.export.Dim("N")
    try:
        with torch.no_grad():
            return torch.export.export(graph, example, dynamic_shapes=(tuple({0: batch} for _ in example),))
    except Exception as error:  # whatever code of a user's backbone does that cannot be followed
        backbone = type(graph.model.backbone).__name__
        reason = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
        raise UsageError(
            f"{backbone} cannot be exported, torch.export cannot follow it ({reason[:200]}): write its forward without "
            "branches on values and without a fixed batch size"
        ) from error


def write_torch(program: torch.export.ExportedProgram, path: Path) -> None:
    """Write a ``.pt2`` file."""
    with path.open("wb") as file, warnings.catch_warnings():  # a file: torch refuses names that do not end in .pt2
        # Weights in channels-last order are whole, and are stored so.
        warnings.filterwarnings("ignore", "No complete tensor found in the group")
        torch.export.save(program, file)


class TorchFile:
    """A ``.pt2`` file, loaded by torch alone."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.module = torch.export.load(file).module()

    def __call__(self, *inputs: Tensor) -> tuple[NDArray[Any], ...]:
        """Inputs → outputs, both in order."""
        with torch.inference_mode():
            return tuple(output.numpy() for output in self.module(*inputs))
