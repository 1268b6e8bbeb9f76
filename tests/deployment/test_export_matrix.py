"""Every kind of data × family of backbones × post-processing, as ONNX and as torch.export."""

from pathlib import Path
from typing import Any

import pytest

from imbalance_lab.backbones import MLP, ConvNet, ResidualMLP, ResNetCifar, Timm, Torchvision
from imbalance_lab.deployment.export.write import export_model
from tests.helpers.untrained import CALIBRATIONS, untrained

TABLES = ("floats", "numbers", "categories", "mixed", "quantile")
IMAGES = ("gray", "color", "gray16", "color16")
BACKBONES: list[tuple[str, type, dict[str, Any]]] = [
    *((data, backbone, {}) for data in TABLES for backbone in (MLP, ResidualMLP)),
    *((data, ConvNet, {"n": 200}) for data in ("bytes", *IMAGES)),
    *((data, ResNetCifar, {"n": 100, "depth": 20}) for data in ("color", "gray16")),
    *((data, Torchvision, {"n": 64, "name": "resnet18"}) for data in ("gray", "color16")),
    *(("color", Torchvision, {"n": 64, "name": name}) for name in ("mobilenet_v3_small", "efficientnet_b0")),
    ("color", Timm, {"n": 64, "name": "resnet10t"}),
]
POSTPROCESSING: list[dict[str, Any]] = [
    {"calibration": calibration, "prior": prior, **task}
    for calibration in CALIBRATIONS
    for prior in (False, True)
    for task in (
        {"head": "cosine"},
        {"kind": "binary"},
        {"kind": "binary", "activation": "sigmoid"},
        {"kind": "multilabel", "activation": "sigmoid"},
    )
]


@pytest.mark.slow
@pytest.mark.parametrize(("data", "backbone", "options"), BACKBONES)
@pytest.mark.parametrize(("to", "suffix"), [("onnx", ".onnx"), ("torch_export", ".pt2")])
def test_data_and_backbones(
    data: str, backbone: type, options: dict[str, Any], to: Any, suffix: str, tmp_path: Path
) -> None:
    model, rows = untrained(data, backbone, **options)
    assert export_model(model, rows, to, tmp_path / f"model{suffix}").parity.difference < 5e-6


@pytest.mark.slow
@pytest.mark.parametrize("options", POSTPROCESSING, ids=lambda each: "-".join(map(str, each.values())))
def test_postprocessing(options: dict[str, Any], tmp_path: Path) -> None:
    model, rows = untrained("floats", MLP, **options)
    assert export_model(model, rows, "onnx", tmp_path / "model.onnx").parity.difference < 5e-6
