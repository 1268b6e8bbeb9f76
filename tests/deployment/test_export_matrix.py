"""Kinds of data, families of backbones, post-processing and both forms: each two of them meet, not all four.

Both forms begin with torch.export; ONNX has operators to find besides, so that the larger nets go there.
"""

from pathlib import Path
from typing import Any

import pytest

from imbalance_lab.backbones import MLP, ConvNet, ResidualMLP, ResNetCifar, Timm, Torchvision
from imbalance_lab.deployment.export.write import SUFFIXES, Target, export_model
from tests.helpers.untrained import CALIBRATIONS, untrained

TABLES = ("floats", "numbers", "categories", "mixed", "quantile")
IMAGES = ("gray", "color", "gray16", "color16")
FORMS: tuple[Target, Target] = ("onnx", "torch_export")
SMALL: list[tuple[str, type, dict[str, Any], Target]] = [
    *((data, (MLP, ResidualMLP)[at], {}, FORMS[(at + row) % 2]) for row, data in enumerate(TABLES) for at in range(2)),
    *((data, ConvNet, {"n": 200}, to) for data in ("bytes", *IMAGES) for to in FORMS),
    ("color16", Torchvision, {"n": 64, "name": "resnet18"}, "onnx"),
]
LARGE: list[tuple[str, type, dict[str, Any], Target]] = [
    ("color", ResNetCifar, {"n": 100, "depth": 20}, "onnx"),
    ("gray16", ResNetCifar, {"n": 100, "depth": 20}, "torch_export"),
    ("gray", Torchvision, {"n": 64, "name": "resnet18"}, "torch_export"),
    ("color", Torchvision, {"n": 64, "name": "mobilenet_v3_small"}, "onnx"),
    ("color", Timm, {"n": 64, "name": "resnet10t"}, "onnx"),
]
TASKS = (
    {"head": "cosine"},
    {"kind": "binary"},
    {"kind": "binary", "activation": "sigmoid"},
    {"kind": "multilabel", "activation": "sigmoid"},
)
POSTPROCESSING: list[dict[str, Any]] = [
    {"calibration": calibration, "prior": (row + column) % 2 > 0, **task}
    for row, calibration in enumerate(CALIBRATIONS)
    for column, task in enumerate(TASKS)
]


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "backbone", "options", "to"),
    [*SMALL[::2], *(pytest.param(*case, marks=pytest.mark.exhaustive) for case in (*SMALL[1::2], *LARGE))],
)
def test_data_and_backbones(data: str, backbone: type, options: dict[str, Any], to: Target, tmp_path: Path) -> None:
    model, rows = untrained(data, backbone, **options)
    assert export_model(model, rows, to, tmp_path / f"model{SUFFIXES[to]}").parity.difference < 5e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(each, marks=[pytest.mark.exhaustive] * ((at - at // 4) % 4 > 1))
        for at, each in enumerate(POSTPROCESSING)
    ],
    ids=lambda each: "-".join(map(str, each.values())),
)
def test_postprocessing(options: dict[str, Any], tmp_path: Path) -> None:
    model, rows = untrained("floats", MLP, **options)
    assert export_model(model, rows, "onnx", tmp_path / "model.onnx").parity.difference < 5e-6
