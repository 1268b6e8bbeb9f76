"""Exported files, each run by its own runtime in an interpreter that knows nothing of this package."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from imbalance_lab.backbones import MLP, ConvNet, ResidualMLP
from imbalance_lab.deployment.export.inputs import graph_inputs
from imbalance_lab.deployment.export.mlflow_model import raw_table
from imbalance_lab.deployment.export.write import description_path, export_model
from imbalance_lab.model import Model
from tests.helpers.untrained import untrained

BY_TORCH = """
import sys
import numpy as np, torch
graph = torch.export.load(sys.argv[1]).module()
given = np.load(sys.argv[2])
for n in (0, 1, 2, 7, 1000):
    outputs = graph(*(torch.from_numpy(given[name][:n]) for name in given.files))
np.savez(sys.argv[3], *(output.numpy() for output in outputs))
assert "imbalance_lab" not in sys.modules
"""

BY_ONNXRUNTIME = """
import csv, json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
described = json.load(open(sys.argv[1] + ".json"))
rows = list(csv.DictReader(open(sys.argv[2], newline="")))
given = {}
for part in described["inputs"]:
    if part["name"] == "numbers":
        columns = [[float(row[name] or "nan") for row in rows] for name in part["columns"]]
    else:
        known = [{str(value): code for code, value in enumerate(each["categories"], 1)} for each in part["columns"]]
        names = [each["name"] for each in part["columns"]]
        columns = [[codes.get(row[name], 0) for row in rows] for name, codes in zip(names, known)]
    given[part["name"]] = np.array(columns, part["dtype"]).T
names = [each["name"] for each in described["outputs"]]
for n in (0, 1, 2, 7, 1000):
    outputs = session.run(names, {name: values[:n] for name, values in given.items()})
for each, output in zip(described["outputs"], outputs):
    assert str(output.dtype) == each["dtype"], each
    assert output.shape == tuple(n if size == "N" else size for size in each["shape"]), each
np.savez(sys.argv[3], *outputs)
assert "torch" not in sys.modules
"""


def elsewhere(program: str, *arguments: Path, folder: Path) -> list[np.ndarray]:
    """The outputs that a program in a process of its own saved, in order."""
    answers = folder / "answers.npz"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *map(str, arguments), str(answers)],
        cwd=folder,
        env={"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(np.load(answers).values())


def assert_equal_to_the_model(found: list[np.ndarray], model: Model, expected: Any) -> None:
    ours = [expected.probabilities, expected.labels, expected.flags]
    for theirs, own in zip(found, [each for each in ours if each is not None], strict=True):
        if own.dtype == np.float64:
            np.testing.assert_allclose(theirs, own[:1000], rtol=0, atol=1e-5)
        else:
            np.testing.assert_array_equal(theirs, own[:1000])


def test_a_file_of_torch_export_needs_torch_alone(tmp_path: Path) -> None:
    model, rows = untrained("mixed", ResidualMLP, kind="multilabel", activation="sigmoid", calibration="bias_corrected")
    export_model(model, rows, "torch_export", tmp_path / "model.pt2")
    names = [each["name"] for each in json.loads((tmp_path / "model.pt2.json").read_text())["inputs"]]
    given = (part.numpy() for part in graph_inputs(model.schema, rows.inputs))
    np.savez(tmp_path / "given.npz", **dict(zip(names, given, strict=True)))
    found = elsewhere(BY_TORCH, tmp_path / "model.pt2", tmp_path / "given.npz", folder=tmp_path)
    assert_equal_to_the_model(found, model, rows.output)


def test_a_csv_is_fed_to_onnxruntime_by_the_description_alone(tmp_path: Path) -> None:
    model, rows = untrained("quantile", MLP, kind="binary", calibration="bias_corrected", prior=True, head="cosine")
    export_model(model, rows, "onnx", tmp_path / "model.onnx")
    raw_table(model.schema, rows.inputs).to_csv(tmp_path / "raw.csv", index=False)
    found = elsewhere(BY_ONNXRUNTIME, tmp_path / "model.onnx", tmp_path / "raw.csv", folder=tmp_path)
    assert_equal_to_the_model(found, model, rows.output)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "answers.npz",
        "model.onnx",
        "model.onnx.json",
        "raw.csv",
    ]


@pytest.mark.parametrize("data", ["bytes", "gray16"])
def test_images(tmp_path: Path, data: str) -> None:
    model, rows = untrained(data, ConvNet, n=40, widths=(4, 8))
    parity = export_model(model, rows, "torch_export", tmp_path / "model.pt2").parity
    assert parity.rows == 40
    assert parity.difference < 1e-6
    (described,) = json.loads(description_path(tmp_path / "model.pt2").read_text())["inputs"]
    assert (described["name"], described["dtype"], described["shape"]) == (
        ("images", "uint16", ["N", 1, 32, 32]) if data == "gray16" else ("inputs", "uint8", ["N", 1, 8, 8])
    )


def test_a_code_that_no_category_has_is_unknown() -> None:
    from imbalance_lab.deployment.export.write import build_graph

    model, rows = untrained("categories", MLP, n=60)
    graph = build_graph(model, rows)
    wild = graph(torch.tensor([[-1, 4], [9999, -(2**40)]]))
    unknown = graph(torch.zeros(2, 2, dtype=torch.long))
    assert all(torch.equal(one, other) for one, other in zip(wild, unknown, strict=True))


class Operators(nn.Module):
    """Levels in their normal deviates, and values between edges, four rows of each."""

    def forward(self, levels: Tensor, values: Tensor, *edges: Tensor) -> tuple[Tensor, ...]:
        places = (torch.searchsorted(each, values, right=right) for each in edges for right in (False, True))
        return (torch.special.ndtri(levels), *places)


def test_the_operators_that_onnx_lacks(tmp_path: Path) -> None:
    import onnxruntime

    from imbalance_lab.deployment.export.onnx_file import OPSET
    from imbalance_lab.deployment.export.onnx_operators import translations

    levels = torch.cat([torch.linspace(0, 1, 2001), torch.logspace(-37, -1, 200), 1 - torch.logspace(-7, -1, 50)])
    rng = np.random.default_rng(0)
    values = rng.integers(-1, 8, (4, 50)).astype(np.float32)
    edges = [np.sort(rng.integers(0, 6, (4, q)).astype(np.float32)) for q in (1, 2, 7, 8)]
    given = (levels, *map(torch.from_numpy, (values, *edges)))
    options = {"dynamo": True, "opset_version": OPSET, "verbose": False}
    program = torch.onnx.export(Operators().eval(), given, custom_translation_table=translations(), **options)
    assert program is not None
    program.save(tmp_path / "operators.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "operators.onnx")
    names = [each.name for each in session.get_inputs()]
    deviates, *places = session.run(None, {name: each.numpy() for name, each in zip(names, given, strict=True)})
    np.testing.assert_allclose(deviates, ndtri(levels.double().numpy()), rtol=1e-6, atol=1e-6)
    sides = [(each, side) for each in edges for side in ("left", "right")]
    for (each, side), found in zip(sides, places, strict=True):
        expected = [np.searchsorted(one, two, side=side) for one, two in zip(each, values, strict=True)]
        np.testing.assert_array_equal(found, expected)
