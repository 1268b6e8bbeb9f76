"""Inputs that are not finite and targets out of range are refused when the splits are made, before any training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from imbalance_lab.data import Arrays, Splits, image_folder, table
from imbalance_lab.data.finite import PART, first_non_finite
from imbalance_lab.data.image_decoder import UnreadableImageError
from imbalance_lab.data.tables import Rows
from tests.conftest import ROOT
from tests.helpers import command_line
from tests.helpers.images import tree

NAN, INF = float("nan"), float("inf")


def arrays(split: str, shape: tuple[int, ...] = (4,), n: int = 30) -> Arrays:
    start = {"train": 0, "val": 100, "test": 200}[split]
    inputs = torch.randn(n, *shape, generator=torch.Generator().manual_seed(start))
    return Arrays(inputs, torch.arange(n) % 3, torch.arange(start, start + n))


def splits_with(split: str, part: Arrays) -> Splits:
    parts: dict[str, Any] = {name: arrays(name, part.input_shape) for name in ("train", "val", "test")} | {split: part}
    return Splits(("a", "b", "c"), **parts)


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize(("at", "where"), [((7, 2), "[2]"), ((29, 0, 1, 1), "[0, 1, 1]")])
def test_a_value_that_is_not_finite_is_named(split: str, value: float, at: tuple[int, ...], where: str) -> None:
    part = arrays(split, (4,) if len(at) == 2 else (1, 2, 2))
    assert splits_with(split, part).classes
    part.inputs[at] = value
    with pytest.raises(ValueError, match="correct it") as raised:
        splits_with(split, part)
    example = int(part.index[at[0]])
    assert str(raised.value) == (
        f"example {example} of the {split} split has {value:g} in input {where}: correct it, or leave the example out"
    )


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        (torch.tensor([0, 1, 2, 3]), "example 203 of the test split has target 3: targets are 0 … 2"),
        (torch.tensor([0, -1, 2, 1]), "example 201 of the test split has target -1: targets are 0 … 2"),
        (torch.tensor([0, 1, NAN, 1]), "example 202 of the test split has target nan: targets are 0 … 2"),
        (torch.tensor([0, 1, 1.5, 1]), "example 202 of the test split has target 1.5: targets are 0 … 2"),
        (torch.tensor([0.0, 1, 2, 1]), "the targets of the test split are float32 of shape (4,): give class indices"),
        (torch.tensor([[0, 1, 1], [0, 2, 0]]), "example 201 of the test split has target [0, 2, 0]: targets are 0 or"),
        (torch.zeros(4, 3, 1).long(), "the targets of the test split are int64 of shape (4, 3, 1)"),
    ],
)
def test_targets_out_of_range_are_named(targets: torch.Tensor, says: str) -> None:
    n = len(targets)
    part = replace(arrays("test", n=n), targets=targets)
    with pytest.raises(ValueError, match="targets") as raised:
        splits_with("test", part)
    assert says in str(raised.value)


def test_any_place_is_found_whatever_the_size_of_the_parts() -> None:
    rows = PART // 8
    values = torch.zeros(2 * rows + 3, 8)
    assert first_non_finite(values) is None
    for row in (2 * rows + 2, rows, rows - 1, 0):  # each before the one that was found until then
        values[row, 5] = NAN
        assert first_non_finite(values) == (row, 5)
        assert first_non_finite(values, allow_nan=True) is None
    assert first_non_finite(torch.full((3, 2), 255, dtype=torch.uint8)) is None
    assert first_non_finite(torch.empty(0, 3)) is None


def test_gaps_of_a_table_are_imputed_and_infinite_numbers_are_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": np.arange(60.0), "sum": np.arange(60.0) % 7, "y": np.arange(60) % 2})
    frame.loc[3, "age"] = NAN
    frame.to_parquet(tmp_path / "t.parquet")
    splits = table(path=str(tmp_path / "t.parquet"), target="y")
    for part in (splits.train, splits.val, splits.test):
        assert isinstance(part, Rows)
        assert bool(splits.prepare(part.inputs).isfinite().all())
    assert isinstance(splits.val, Rows)
    splits.val.inputs[2, 1] = INF
    with pytest.raises(ValueError, match=r"t\.parquet, row \d+ of the val split has inf in column 'sum'"):
        replace(splits)
    frame.loc[11, "sum"] = -INF
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t\.parquet, row 12, column 'sum': -inf is infinite"):
        table(path=str(tmp_path / "t.parquet"), target="y")


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.full((8, 8), NAN, np.float32), r"odd\.tif holds floating-point numbers: save it with 8 or 16 bits"),
        (np.full((8, 8), 70_000, np.int32), r"odd\.tif is broken or truncated \(its values span 70000 to 70000"),
    ],
)
def test_image_files_beyond_16_bits_are_refused_before_any_training(pixels: Any, says: str, tmp_path: Path) -> None:
    root = tree(tmp_path, "ab", 12)
    Image.fromarray(pixels).save(root / "b" / "odd.tif")
    with pytest.raises(UnreadableImageError, match=says):
        image_folder(root=str(root), image_size=8, normalize="imagenet")


SOURCE = """
import torch
from imbalance_lab.data import Arrays, Splits
def make() -> Splits:
    inputs, targets = torch.randn(90, 4), torch.arange(90) % 2
    everything = Arrays(inputs, targets, torch.arange(90))
    inputs[70, 3] = float("nan")
    return Splits(("a", "b"), *(everything.subset(torch.arange(start, start + 30)) for start in (0, 30, 60)))
"""


def test_the_command_line_says_it_in_a_sentence_before_training(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SOURCE)
    (tmp_path / "conf" / "data").mkdir(parents=True)
    (tmp_path / "conf" / "data" / "mine.yaml").write_text("_target_: mine.make\n")
    options = ["--config-dir", "conf", "trainer=cpu", "data=mine", "backbone=mlp", "logger=none", "allow=[mine]"]
    done = command_line.train(*options, cwd=tmp_path, PYTHONPATH=f"{ROOT}:{tmp_path}")
    assert done.stderr == (
        "error: data: example 70 of the test split has nan in input [3]: correct it, or leave the example out\n"
    )
    assert done.returncode == 2
    assert "epoch" not in done.stdout
