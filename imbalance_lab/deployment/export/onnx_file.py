"""An ONNX file: runs in onnxruntime, without Python's torch and without this package."""

import warnings
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.deployment.export.graph import Graph
from imbalance_lab.errors import UsageError

OPSET = 20
"""Of ONNX's operators: of 2023, which onnxruntime runs since 1.17."""

MAX_BYTES = 2**31 - 2**20
"""An ONNX file is one protocol buffer, which has 2 GiB at most."""


def write_onnx(graph: Graph, program: torch.export.ExportedProgram, path: Path) -> None:
    """Write one file, weights included.

    Raises:
        UsageError: if a package is missing, an operator has no ONNX form, or the file would have more than 2 GiB.
    """
    check_packages()
    from imbalance_lab.deployment.export.onnx_operators import translations

    size = sum(tensor.numel() * tensor.element_size() for tensor in graph.state_dict().values() if _is_tensor(tensor))
    if size > MAX_BYTES:
        raise UsageError(f"the weights have {size:,} bytes, and an ONNX file 2 GiB at most: use --to torch_export")
    batch = torch.export.Dim("N")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "# The axis name: N will not be used")  # two inputs share it, as meant
            exported = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                custom_translation_table=translations(),
                input_names=list(graph.input_names),
                output_names=list(graph.output_names),
                dynamic_shapes=(tuple({0: batch} for _ in graph.input_names),),
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        backbone = type(graph.model.backbone).__name__
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise UsageError(f"{backbone} cannot be exported to ONNX ({reason}): use --to torch_export") from error
    assert exported is not None
    exported.save(path)


def check_packages() -> None:
    """Raise an error if what writes or runs ONNX is not installed.

    Raises:
        UsageError: with the command that installs it.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # type: ignore[import-untyped]  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name or 'onnx'} is not installed: pip install 'imbalance-lab[export]'") from error


class OnnxFile:
    """An ONNX file in onnxruntime, on the CPU."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self.session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        self.names = [each.name for each in self.session.get_inputs()]

    def __call__(self, *inputs: Tensor) -> tuple[NDArray[Any], ...]:
        """Inputs → outputs, both in order."""
        given = {name: part.contiguous().numpy() for name, part in zip(self.names, inputs, strict=True)}
        return tuple(self.session.run(None, given))


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)
