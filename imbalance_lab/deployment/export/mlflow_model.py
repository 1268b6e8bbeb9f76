"""A directory that MLflow loads: the graph, its description and the code that encodes raw inputs."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import imbalance_lab
from imbalance_lab.data.columns import Column
from imbalance_lab.data.date_parts import DatePart
from imbalance_lab.data.encode_columns import source_columns
from imbalance_lab.data.schema import ArraySchema, ImageSchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.export.graph import Graph
from imbalance_lab.deployment.export.parity import Outputs
from imbalance_lab.deployment.export.pyfunc import DESCRIPTION, GRAPH, PATH_COLUMN
from imbalance_lab.deployment.export.rows import Rows
from imbalance_lab.deployment.export.torch_file import write_torch
from imbalance_lab.errors import UsageError
from imbalance_lab.files import write_json
from imbalance_lab.posthoc import Threshold

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

REQUIREMENTS = ("torch", "numpy", "pandas", "pillow", "pyarrow", "rich")
"""The packages that `pyfunc` imports, in the versions that are installed here."""


def check_mlflow() -> None:
    """Raise an error if MLflow, or pandas, which it needs, is not installed.

    Raises:
        UsageError: with the command that installs it.
    """
    try:
        with _quiet():
            import mlflow.pyfunc  # noqa: F401
            import pandas  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name or 'mlflow'} is not installed: pip install 'imbalance-lab[mlflow]'") from error


def write_mlflow(graph: Graph, program: torch.export.ExportedProgram, description: dict[str, Any], path: Path) -> None:
    """Write the directory ``path``, which must not exist."""
    import mlflow.pyfunc

    with TemporaryDirectory() as folder, _quiet():
        data = Path(folder) / "model"
        data.mkdir()
        write_torch(program, data / GRAPH)
        write_json(data / DESCRIPTION, description)
        mlflow.pyfunc.save_model(
            path,
            loader_module="imbalance_lab.deployment.export.pyfunc",
            data_path=str(data),
            code_paths=[str(Path(imbalance_lab.__file__).parent)],
            signature=_signature(graph),
            input_example=_example(graph),
            pip_requirements=[f"{package}=={version(package).partition('+')[0]}" for package in REQUIREMENTS],
        )


def predict_mlflow(path: Path, graph: Graph, rows: Rows) -> Outputs:
    """What MLflow's own client says of the rows, given as a user gives them, by the names of the graph's outputs."""
    import mlflow.pyfunc

    with _quiet():
        frame = mlflow.pyfunc.load_model(str(path)).predict(_raw_of(rows, graph.model.schema))
    classes, n = graph.model.classes, len(rows)
    found = {"probabilities": _by_class(frame, "p", classes, n), "flags": _by_class(frame, "flag", classes, n) == 1}
    if "labels" in graph.output_names:
        found["labels"] = np.array([classes.index(name) for name in frame["predicted"]])
    if "sets" in graph.output_names:
        found["sets"] = _by_class(frame, "set", classes, n) == 1
    return found


def _by_class(frame: Any, prefix: str, classes: Sequence[str], n: int) -> NDArray[np.float64]:
    """The columns of each class, (N, C); 0 where a class has none, as a flag without a threshold."""
    columns = [f"{prefix}_{name}" for name in classes]
    return np.stack([frame[each].to_numpy(np.float64) if each in frame else np.zeros(n) for each in columns], 1)


def raw_table(schema: TableSchema, encoded: Tensor) -> Any:
    """Encoded rows (N, F) as the DataFrame that is encoded so; a code 0 is a missing value."""
    import pandas as pd

    values = dict(zip((column.name for column in schema.columns), encoded.numpy().T, strict=True))
    found = {}
    for column in schema.columns:
        if column.date is None:
            found[column.name] = _values(column, values[column.name])
        elif column.date.part == "days":
            found[column.source] = _dates(column.date, values)
    return pd.DataFrame(found)


def _dates(days: DatePart, values: Mapping[str, NDArray[np.float32]]) -> Any:
    """ISO texts; where the hour is known too, whole days are rounded to agree with it."""
    hour = values.get(replace(days, part="hour").name)
    elapsed = values[days.name].astype(np.float64)
    if hour is not None:
        elapsed = np.round(elapsed - hour / 24) + hour.astype(np.float64) / 24
    missing = np.isnan(elapsed)
    times = np.datetime64(days.start, "us") + np.round(np.nan_to_num(elapsed) * 86_400e6).astype("m8[us]")
    texts = np.datetime_as_string(times).astype(object)
    texts[missing] = None
    return texts


def _values(column: Column, encoded: NDArray[np.float32]) -> Any:
    if column.kind == "number":
        return encoded.astype(np.float64)
    values = np.empty(len(encoded), object)
    values[:] = [None if code == 0 else column.categories[int(code) - 1] for code in encoded]
    return values


def _example(graph: Graph) -> Any:
    """One made-up input, since a model may go where its data may not: medians and first categories, or zeros."""
    schema = graph.model.schema
    if isinstance(schema, TableSchema):
        median: Any = graph.model.prepare.median
        return raw_table(schema, torch.cat([median, torch.ones(len(schema.cardinalities))])[None])
    if isinstance(schema, ImageSchema):
        return None  # there is no file that is everywhere
    dtype = schema.dtype if isinstance(schema, ArraySchema) else "float32"
    return np.zeros((1, *schema.input_shape), dtype)


def _raw_of(rows: Rows, schema: InputSchema) -> Any:
    """The rows as a user gives them to MLflow."""
    if isinstance(schema, TableSchema):
        return raw_table(schema, rows.inputs)
    if not isinstance(schema, ImageSchema):
        return rows.inputs.numpy()
    if rows.paths is None:
        raise UsageError("MLflow's form takes paths of images, but these data are no files: use --to torch_export")
    import pandas as pd

    return pd.DataFrame({PATH_COLUMN: rows.paths})


def _signature(graph: Graph) -> "ModelSignature":
    """Inputs and outputs for MLflow. Columns are of any type: it would refuse whole numbers where it expects others."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema, TensorSpec

    schema, classes = graph.model.schema, graph.model.classes
    inputs: list[ColSpec | TensorSpec]
    if isinstance(schema, TableSchema):
        inputs = [ColSpec(AnyType(), name) for name in source_columns(schema.columns)]  # type: ignore[no-untyped-call]
    elif isinstance(schema, ImageSchema):
        inputs = [ColSpec("string", PATH_COLUMN)]
    else:
        dtype = schema.dtype if isinstance(schema, ArraySchema) else "float32"
        inputs = [TensorSpec(np.dtype(dtype), (-1, *schema.input_shape))]
    outputs: list[ColSpec | TensorSpec] = [ColSpec("double", f"p_{name}") for name in classes]
    if "labels" in graph.output_names:
        outputs.append(ColSpec("string", "predicted"))
    thresholds = zip(classes, graph.postprocessor.thresholds, strict=True)
    outputs += [ColSpec("boolean", f"flag_{name}") for name, each in thresholds if isinstance(each, Threshold)]
    if "sets" in graph.output_names:
        outputs += [ColSpec("boolean", f"set_{name}") for name in classes]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without MLflow's advice, which its own users would see as ours."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
