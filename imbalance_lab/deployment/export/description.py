"""What an exported graph takes and returns, as JSON: enough to feed it without this package."""

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from scipy.special import expit

from imbalance_lab.data.schema import ArraySchema, ImageSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.export.graph import Graph
from imbalance_lab.model import Model
from imbalance_lab.posthoc import Threshold

FORMAT = 1
"""The layout of the description; a number for each that a reader has to tell apart."""

PACKAGES = ("imbalance-lab", "torch", "numpy", "onnx", "onnxruntime", "onnxscript", "mlflow")

MEANINGS = {
    "probabilities": "of each class, in the order of classes: calibrated, for the class priors in prior",
    "labels": "the position of the most probable class in classes",
    "flags": "whether each class reaches its threshold; a class without one never does",
    "sets": "which classes are in the prediction set",
}
TYPES = {"probabilities": "float64", "labels": "int64", "flags": "bool", "sets": "bool"}

DECODING = (
    "turn the image upright by its EXIF orientation; cut out the square in the center; resize it bilinearly, with "
    "antialiasing; color becomes gray by luminance, gray becomes color by repetition, transparent pixels become black"
)


def describe(graph: Graph) -> dict[str, Any]:
    """Plain values: inputs and outputs by name, classes, thresholds, class priors and versions."""
    model, prior = graph.model, graph.postprocessor.prior
    return {
        "format": FORMAT,
        "task": model.task.as_dict(),
        "classes": list(model.classes),
        "inputs": describe_inputs(model),
        "outputs": [
            {
                "name": name,
                "dtype": TYPES[name],
                "shape": ["N"] if name == "labels" else ["N", len(model.classes)],
                "meaning": MEANINGS[name],
            }
            for name in graph.output_names
        ],
        "thresholds": _thresholds(graph),
        "prior": None if prior is None else list(prior),
        "input_schema": model.schema.as_dict(),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def describe_inputs(model: Model) -> list[dict[str, Any]]:
    """The inputs in their order, each with name, type, shape and how it is filled."""
    schema = model.schema
    if isinstance(schema, TableSchema):
        numbers = [column.name for column in schema.columns if column.kind == "number"]
        categories = [column for column in schema.columns if column.kind == "category"]
        has_dates = any(column.date is not None for column in schema.columns)
        parts: list[dict[str, Any]] = []
        if numbers:
            missing = "missing values are NaN, infinite ones are not allowed"
            shape = ["N", len(numbers)]
            how = missing + "; (days) since start, (hour) since midnight, each with its fraction" * has_dates
            parts += [{"name": "numbers", "dtype": "float32", "shape": shape, "columns": numbers, "how": how}]
        if categories:
            how = "the code of a category is its position in categories, from 1; 0 for a missing value or another one"
            columns = [{"name": each.name, "categories": list(each.categories)} for each in categories]
            shape = ["N", len(categories)]
            parts += [{"name": "categories", "dtype": "int64", "shape": shape, "columns": columns, "how": how}]
        return parts
    if isinstance(schema, ImageSchema):
        dtype, most = ("uint16", 65535) if schema.is_16bit else ("uint8", 255)
        deeper = "; 8-bit images times 257" * schema.is_16bit
        how = f"{DECODING}; values from 0 to {most}{deeper}"
        return [{"name": "images", "dtype": dtype, "shape": ["N", *schema.input_shape], "how": how}]
    dtype = schema.dtype if isinstance(schema, ArraySchema) else "float32"
    how = "as the arrays of training, not normalized; every value finite"
    return [{"name": "inputs", "dtype": dtype, "shape": ["N", *schema.input_shape], "how": how}]


def _thresholds(graph: Graph) -> list[dict[str, Any]]:
    """Of each class: log-odds and probability in the graph, and the log-odds that the run chose; or why it has none.

    Log-odds are null for a threshold that nothing reaches.
    """
    found: list[dict[str, Any]] = []
    moved = graph.thresholds.tolist()
    for name, threshold, log_odds in zip(graph.model.classes, graph.postprocessor.thresholds, moved, strict=True):
        if not isinstance(threshold, Threshold):
            found.append({"class": name, "refused": threshold})
            continue
        values = {"log_odds": log_odds, "threshold": float(expit(log_odds)), "log_odds_of_run": threshold.log_odds}
        plain = {key: value if np.isfinite(value) else None for key, value in values.items()}
        found.append({"class": name, "rule": threshold.rule, **plain})
    return found


def _versions() -> dict[str, str]:
    """Of those packages that are installed."""
    found = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
