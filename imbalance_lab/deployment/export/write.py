"""Exports a model: written to a temporary place, compared with the model by its own runtime, then moved, or not."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from imbalance_lab.deployment.export.description import describe
from imbalance_lab.deployment.export.graph import Graph
from imbalance_lab.deployment.export.inputs import graph_inputs
from imbalance_lab.deployment.export.parity import Outputs, Parity, batches, compare, joined
from imbalance_lab.deployment.export.rows import Rows
from imbalance_lab.deployment.export.thresholds import robust_thresholds
from imbalance_lab.deployment.export.torch_file import TorchFile, trace, write_torch
from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write, is_disk_error, write_json
from imbalance_lab.model import Model

Target = Literal["onnx", "torch_export", "mlflow"]
SUFFIXES: dict[Target, str] = {"onnx": ".onnx", "torch_export": ".pt2", "mlflow": ""}
"""Of the files of each form; MLflow's is a directory."""

MLFLOW_FILE = "MLmodel"
"""What every directory of a model of MLflow's has."""


class Export(NamedTuple):
    """What was written, and how far it was compared with the model."""

    files: tuple[Path, ...]
    parity: Parity


def export_model(model: Model, rows: Rows, to: Target, path: Path) -> Export:
    """Write a model as one file, with its JSON description beside it, or as a directory of MLflow's.

    Args:
        model: evaluated, on the CPU.
        rows: to compare on.
        to: the form.
        path: of the file or directory; an earlier export is replaced.

    Raises:
        UsageError: for what cannot be exported, or says something else than the model; nothing is written then.
    """
    check_target(to, path)
    graph = build_graph(model, rows)
    inputs = graph_inputs(model.schema, rows.inputs)
    program = trace(graph, tuple(_two_rows(part) for part in inputs))
    if to == "mlflow":
        return _write_directory(graph, program, rows, path)
    return _write_file(graph, program, rows, to, path)


def build_graph(model: Model, rows: Rows) -> Graph:
    """The graph of a model, with thresholds between the log-odds of validation examples."""
    thresholds = robust_thresholds(model.evaluated_postprocessor.log_odds_thresholds.numpy(), rows.log_odds)
    return Graph(model.folded(), torch.from_numpy(thresholds)).eval()


def check_target(to: Target, path: Path) -> None:
    """Raise an error, before anything is computed, for a missing package or a path that cannot be written.

    Raises:
        UsageError: naming it.
    """
    if to == "mlflow" and path.exists() and not (path / MLFLOW_FILE).is_file():
        raise UsageError(f"{path} is there, and not a model of MLflow's that an export may replace: choose another -o")
    if to != "mlflow" and path.is_dir():
        raise UsageError(f"{path} is a folder, but --to {to} writes a file: name one, as in -o {path / 'model'}…")
    if to != "mlflow" and path.suffix != SUFFIXES[to]:
        raise UsageError(f"{path} must end in {SUFFIXES[to]}, as files of --to {to} do: choose another -o")
    if to == "onnx":
        from imbalance_lab.deployment.export.onnx_file import check_packages

        check_packages()
    elif to == "mlflow":
        from imbalance_lab.deployment.export.mlflow_model import check_mlflow

        check_mlflow()


def description_path(path: Path) -> Path:
    """The JSON description beside an exported file."""
    return path.with_name(f"{path.name}.json")


def _write_file(graph: Graph, program: torch.export.ExportedProgram, rows: Rows, to: Target, path: Path) -> Export:
    beside = description_path(path)
    with atomic_write(path) as temporary:
        runtime = _write_onnx(graph, program, temporary) if to == "onnx" else _write_torch(program, temporary)
        inputs = batches(graph_inputs(graph.model.schema, rows.inputs))
        found: Outputs = joined(dict(zip(graph.output_names, runtime(*part), strict=True)) for part in inputs)
        parity = compare(f"the file of --to {to}", found, rows)
        write_json(beside, _described(graph, to, parity))
    return Export((path, beside), parity)


def _write_torch(program: torch.export.ExportedProgram, path: Path) -> Callable[..., tuple[Any, ...]]:
    write_torch(program, path)
    return TorchFile(path)


def _write_onnx(graph: Graph, program: torch.export.ExportedProgram, path: Path) -> Callable[..., tuple[Any, ...]]:
    from imbalance_lab.deployment.export.onnx_file import OnnxFile, write_onnx

    write_onnx(graph, program, path)
    return OnnxFile(path)


def _write_directory(graph: Graph, program: torch.export.ExportedProgram, rows: Rows, path: Path) -> Export:
    from imbalance_lab.deployment.export.mlflow_model import predict_mlflow, write_mlflow

    with _atomic_directory(path) as temporary:
        write_mlflow(graph, program, _described(graph, "mlflow", None), temporary)
        parity = compare("the model of --to mlflow", predict_mlflow(temporary, graph, rows), rows)
    return Export((path,), parity)


def _described(graph: Graph, to: Target, parity: Parity | None) -> dict[str, Any]:
    checked = None if parity is None else {"rows": parity.rows, "largest_difference": parity.difference}
    return {"written_for": to, **describe(graph), "parity": checked}


@contextmanager
def _atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a path for a directory beside ``path``, which replaces it at the end unless there was an error."""
    unique = uuid.uuid4().hex[:8]
    temporary, old = (path.with_name(f"{path.name}.{unique}.{word}") for word in ("part", "old"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if path.exists():
            os.replace(path, old)
        os.replace(temporary, path)
    except OSError as error:
        if not is_disk_error(error):
            raise
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another -o") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _two_rows(part: Tensor) -> Tensor:
    """Inputs of two rows: a batch of one would be taken for a constant."""
    return part[:2] if len(part) > 1 else torch.cat([part, part])
