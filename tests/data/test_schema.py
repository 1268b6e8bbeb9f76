"""The input schema encodes new data as the source encoded its training data, and refuses what does not fit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_breast_cancer

from imbalance_lab.data import (
    ArraySchema,
    Benchmark,
    InputSchema,
    Splits,
    TableSchema,
    digits,
    image_folder,
    image_table,
    long_tailed,
    table,
)
from imbalance_lab.data.image_decoder import UnreadableImageError
from imbalance_lab.samplers import SampledIndices
from tests.helpers.images import tree


def colors(n: int = 300, seed: int = 0, **renamed: str) -> pd.DataFrame:
    """A color that decides the class, numbers with gaps, a code, and a flag."""
    rng = np.random.default_rng(seed)
    color = rng.choice(["red", "green", "white"], n)
    frame = pd.DataFrame({"color": color, "noise": rng.normal(size=n), "code": rng.integers(7, 10, n)})
    frame["flag"] = rng.random(n) < 0.5
    frame.loc[::9, "noise"] = None
    frame["y"] = np.where(color == "white", "lo", "hi")
    return frame.replace({"color": renamed})


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Splits, Path]:
    colors().to_csv(tmp_path / "colors.csv", index=False)
    path = tmp_path / "colors.csv"
    return table(path=str(path), target="y", categorical=["code"], scaling="quantile"), path


def sources(tmp_path: Path) -> dict[str, tuple[Splits, Any]]:
    """Every kind of source, with its raw inputs in the order of its index."""
    root = tree(tmp_path / "photos", "abc", 12)
    files = [str(path) for path in sorted(root.rglob("*.png"))]
    pd.DataFrame({"path": files, "label": [Path(file).parent.name for file in files]}).to_csv(tmp_path / "l.csv")
    colors().to_parquet(tmp_path / "t.parquet")
    _, pool, test = digits()
    order = torch.cat([pool.index, test.index]).argsort()
    return {
        "arrays": (long_tailed(digits), torch.cat([pool.inputs, test.inputs])[order]),
        "folder": (image_folder(root=str(root), image_size=6), files),
        "images": (image_table(path=str(tmp_path / "l.csv"), label="label", image_size=6), files),
        "table": (table(path=str(tmp_path / "t.parquet"), target="y", categorical=["code"]), tmp_path / "t.parquet"),
    }


@pytest.mark.parametrize("kind", ["arrays", "folder", "images", "table"])
def test_encoding_the_training_data_gives_the_inputs_of_the_source(kind: str, tmp_path: Path) -> None:
    splits, raw = sources(tmp_path)[kind]
    schema = InputSchema.from_dict(json.loads(json.dumps(splits.schema.as_dict())))
    assert schema == splits.schema
    encoded = schema.encode(raw)
    for part in (splits.train, splits.val, splits.test):
        at = torch.arange(len(part))
        inputs = part.__getitems__(SampledIndices(at, at)).input
        assert encoded.dtype == inputs.dtype
        torch.testing.assert_close(encoded[part.index], inputs, rtol=0, atol=0, equal_nan=True)
    assert schema.input_shape == splits.train.input_shape
    assert schema.prepared_shape == splits.prepared_shape
    assert tuple(splits.schema.cardinalities) == schema.cardinalities
    assert splits.task.classes == splits.classes == schema.classes


@pytest.mark.parametrize("kind", ["arrays", "folder", "table"])
def test_a_state_dict_gives_the_preparation_back(kind: str, tmp_path: Path) -> None:
    splits, raw = sources(tmp_path)[kind]
    state = {f"prepare.{name}": value for name, value in splits.prepare.state_dict().items()}
    inputs = splits.schema.encode(raw)
    again = splits.schema.prepare_from(state | {"head.weight": torch.zeros(1)})
    assert torch.equal(again(inputs), splits.prepare(inputs))
    again.load_state_dict(splits.prepare.state_dict())


def test_a_schema_survives_a_checkpoint(trained: tuple[Splits, Path], tmp_path: Path) -> None:
    torch.save(trained[0].schema.as_dict(), tmp_path / "x.ckpt")
    assert InputSchema.from_dict(torch.load(tmp_path / "x.ckpt", weights_only=True)) == trained[0].schema


def test_columns_are_found_by_name_in_every_kind_of_table(trained: tuple[Splits, Path]) -> None:
    splits, path = trained
    expected = splits.schema.encode(path)
    frame = pd.read_csv(path)
    swapped = frame[["flag", "code", "y", "noise", "color"]].assign(extra="x")
    for raw in (swapped, pa.table(swapped), {name: swapped[name].tolist() for name in swapped}, str(path)):
        torch.testing.assert_close(splits.schema.encode(raw), expected, rtol=0, atol=0, equal_nan=True)
    without = swapped.drop(columns=["y", "extra"])
    torch.testing.assert_close(splits.schema.encode(without), expected, rtol=0, atol=0, equal_nan=True)


def test_a_missing_column_is_named(trained: tuple[Splits, Path]) -> None:
    schema, path = trained[0].schema, trained[1]
    with pytest.raises(ValueError, match="no column 'color', which the model takes; did you mean 'colour'"):
        schema.encode(colors().rename(columns={"color": "colour"}))
    colors().drop(columns="flag").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"colors\.csv has no column 'flag', which the model takes: add it"):
        schema.encode(path)


def test_an_unknown_category_is_code_0_and_counted_and_the_others_keep_their_codes(
    trained: tuple[Splits, Path],
) -> None:
    splits, path = trained
    assert isinstance(splits.schema, TableSchema)
    inputs, unknown = splits.schema.encode_counting(colors(green="amber"))
    at = [column.name for column in splits.schema.columns].index("color")
    expected, was_green = splits.schema.encode(path), torch.tensor((colors()["color"] == "green").tolist())
    assert unknown == {"color": {"amber": int(was_green.sum())}}
    assert torch.equal(inputs[:, at], torch.where(was_green, 0, expected[:, at]))
    assert splits.schema.encode_counting(path)[1] == {}


def test_missing_categories_are_code_0_and_not_unknown(trained: tuple[Splits, Path]) -> None:
    inputs, unknown = trained[0].schema.encode_counting({"color": [None], "noise": [None], "code": [7], "flag": [True]})
    assert inputs.nan_to_num(-1).tolist() == [[-1, 1, 0, 1]]
    assert unknown == {}


@pytest.mark.parametrize("code", [8, 8.0, "8"], ids=["integer", "float", "text"])
def test_a_category_is_the_same_number_in_any_type(code: Any, trained: tuple[Splits, Path]) -> None:
    raw = {"color": ["red"], "noise": [0.5], "code": [code], "flag": [False]}
    assert trained[0].schema.encode(raw)[0].tolist() == [0.5, 0, 2, 2]


@pytest.mark.parametrize(
    ("value", "says"), [("much", "row 2, column 'noise': 'much' is not a number"), ("1e99", "row 2.* too large")]
)
def test_text_in_a_numeric_column_is_refused(value: str, says: str, trained: tuple[Splits, Path]) -> None:
    raw = {"color": ["red"] * 2, "noise": [" 1.5", value], "code": [7, 7], "flag": [True, True]}
    with pytest.raises(ValueError, match=says):
        trained[0].schema.encode(raw)


def test_a_table_is_read_with_the_schema_of_a_model(trained: tuple[Splits, Path], tmp_path: Path) -> None:
    splits, _ = trained
    new = colors(200, seed=1, green="amber")
    new["code"] += 10
    new["noise"] = new["noise"].fillna(0.0)
    new[["y", "noise", "flag", "color", "code"]].to_csv(tmp_path / "new.csv", index=False)
    again = table(path=str(tmp_path / "new.csv"), target="y", schema=splits.schema)
    assert again.classes == splits.classes == ("hi", "lo")
    assert again.schema == splits.schema
    assert [note.split(":")[0] for note in again.notes[:2]] == ["column 'color'", "column 'code'"]
    n = (new["color"] == "amber").sum()
    assert again.notes[0] == (
        f"column 'color': {n} of 200 values are not among the training categories ('amber' {n}): treated as unknown"
    )
    again.prepare.load_state_dict(splits.prepare.state_dict())  # of the same shapes, though it has no gap
    assert again.prepared_shape == splits.prepared_shape


def test_a_class_that_the_model_does_not_know_is_refused(trained: tuple[Splits, Path], tmp_path: Path) -> None:
    colors().replace({"y": {"lo": "low"}}).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(ValueError, match=r"new\.csv, line \d+, column 'y': 'low' is not a class of the model; did you"):
        table(path=str(tmp_path / "new.csv"), target="y", schema=trained[0].schema)


def test_an_option_that_takes_a_feature_away_is_refused(trained: tuple[Splits, Path]) -> None:
    with pytest.raises(ValueError, match=r"the model takes column 'noise' as a feature: remove it from data\.drop"):
        table(path=str(trained[1]), target="y", drop=["noise"], schema=trained[0].schema)


def test_labels_keep_the_order_of_the_model(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 30]].rename(columns={"mean area": "area"})
    frame["big"], frame["rough"] = frame["mean radius"] > 14, frame["mean texture"] > 19
    frame.to_csv(tmp_path / "t.csv", index=False)
    splits = table(path=str(tmp_path / "t.csv"), target=["big", "rough"], drop=["target"])
    assert splits.task.is_multilabel
    turned = table(path=str(tmp_path / "t.csv"), target=["rough", "big"], drop=["target"], schema=splits.schema)
    assert turned.classes == ("big", "rough")
    assert torch.equal(turned.train.targets, splits.train.targets)
    with pytest.raises(ValueError, match="predicts the labels big, rough, not rough, target: name its own"):
        table(path=str(tmp_path / "t.csv"), target=["rough", "target"], schema=splits.schema)


def test_image_files_are_read_with_the_schema_of_a_model(tmp_path: Path) -> None:
    schema = image_folder(root=str(tree(tmp_path / "old", "abc", 12)), image_size=6).schema
    new = tree(tmp_path / "new", "abc", 12)
    Image.new("RGB", (9, 9), "red").save(new / "a" / "color.png")
    again = image_folder(root=str(new), image_size=224, schema=replace(schema, classes=("c", "b", "a")))
    assert again.train.input_shape == (1, 6, 6)
    assert again.classes == ("c", "b", "a")
    names = again.train.names(torch.arange(len(again.train)))
    assert [name[0] for name in names] == ["cba"[target] for target in again.train.targets.tolist()]
    with pytest.raises(ValueError, match=r"class 'b' in .*new is not a class of the model: it has a, c"):
        image_folder(root=str(new), schema=replace(schema, classes=("a", "c")))
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(new / "a" / "deep.png")
    with pytest.raises(UnreadableImageError, match=r"deep\.png has 16 bits, but the model was trained on 8-bit"):
        image_folder(root=str(new), schema=schema)
    with pytest.raises(UnreadableImageError, match=r"deep\.png has 16 bits"):
        schema.encode(new / "a" / "deep.png")
    assert schema.encode([]).shape == (0, 1, 6, 6)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (np.zeros((2, 8, 8), np.uint8), r"must have the shape \(N, 1, 8, 8\), got \(2, 8, 8\)"),
        (np.full((2, 1, 8, 8), 0.5), "inputs must be uint8, as in training, got other values, float64"),
        (np.full((2, 1, 8, 8), 256), "inputs must be uint8, as in training, got other values, int64"),
    ],
)
def test_arrays_of_another_shape_or_range_are_refused(raw: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        long_tailed(digits).schema.encode(raw)


def test_a_benchmark_refuses_the_schema_of_another() -> None:
    schema = long_tailed(digits).schema
    assert long_tailed(digits, factor=5, schema=schema).schema == schema
    with pytest.raises(ValueError, match="was trained on 2 classes, 0, x, but the data have 10, 0, 1, 2 …"):
        long_tailed(digits, schema=replace(schema, classes=("0", "x")))
    with pytest.raises(ValueError, match=r"uint8 of shape \(3, 8, 8\), but the data are uint8 of shape \(1, 8, 8\)"):
        long_tailed(digits, schema=replace(schema, shape=(3, 8, 8)))  # type: ignore[call-arg]


def test_a_benchmark_takes_classes_in_another_order_by_name() -> None:
    def turned() -> Benchmark:
        classes, pool, test = digits()
        return Benchmark(classes[::-1], *(replace(part, targets=9 - part.targets) for part in (pool, test)))

    first = long_tailed(digits)
    assert long_tailed(turned).classes == first.classes[::-1]
    again = long_tailed(turned, schema=first.schema)
    assert again.classes == first.classes
    for name in ("train", "val", "test"):
        before, after = getattr(first, name), getattr(again, name)
        assert torch.equal(before.index, after.index)
        assert torch.equal(before.targets, after.targets)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_arrays_that_are_not_finite_are_refused(value: float) -> None:
    schema = ArraySchema(("a", "b"), (2, 3), "float32")
    raw = np.zeros((5, 2, 3))
    assert schema.encode(raw).shape == (5, 2, 3)
    raw[4, 1, 2] = value
    with pytest.raises(ValueError, match=rf"inputs must be finite, got {value:g} at \[4, 1, 2\]"):
        schema.encode(raw)


def test_other_sizes_and_colors_are_told(tmp_path: Path) -> None:
    splits = image_folder(root=str(tree(tmp_path / "old", "abc", 12)), image_size=6)
    assert not splits.notes
    new = tree(tmp_path / "new", "abc", 12)
    for name in "ab":
        Image.new("RGB", (9, 9), "red").save(new / name / "color.png")
    again = image_folder(root=str(new), image_size=64, schema=splits.schema)
    assert list(again.notes) == [
        "data.image_size=64 is ignored: the model takes images of 6 × 6 pixels",
        f"2 of 38 images have colors, such as {new / 'a' / 'color.png'}, but the model was trained on gray ones: "
        "turned to gray",
    ]
    assert not image_folder(root=str(tmp_path / "old"), image_size=6, schema=splits.schema).notes
    ignored = image_folder(root=str(tmp_path / "old"), image_size=6, channels=3, schema=splits.schema)
    assert list(ignored.notes) == ["data.channels=3 is ignored: the model takes images of 1 channel"]


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="must be one of arrays, images, table, got 'sound'"):
        InputSchema.from_dict({"kind": "sound"})
