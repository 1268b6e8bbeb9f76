"""Real tables, written as files: what is read of them, and what the messages about broken ones say."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_wine

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.data import Rows, Splits, table
from imbalance_lab.errors import UsageError
from tests.conftest import RunJob, composed


@pytest.fixture(scope="module")
def cancer() -> pd.DataFrame:
    """Breast cancer, with a ward (text), a gap in every ninth area, and a constant."""
    frame = load_breast_cancer(as_frame=True).frame
    frame["ward"] = [f"ward {number % 7}" for number in range(len(frame))]
    frame.loc[::9, "mean area"] = None
    frame["clinic"] = 3
    return frame


@pytest.fixture(params=["csv", "parquet"])
def path(cancer: pd.DataFrame, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    file = tmp_path / f"cancer.{request.param}"
    cancer.to_csv(file, index=False) if request.param == "csv" else cancer.to_parquet(file)
    return file


def everything(splits: Splits) -> dict[int, tuple[np.ndarray, int]]:
    """Inputs and target by row of the file."""
    found = {}
    for part in (splits.train, splits.val, splits.test):
        assert isinstance(part, Rows)
        for index, row, target in zip(part.index.tolist(), part.inputs.numpy(), part.targets.tolist(), strict=True):
            found[index] = row, target
    return found


def test_every_row_is_read_as_it_stands(path: Path, cancer: pd.DataFrame) -> None:
    splits = table(path=str(path), target="target")
    rows = everything(splits)
    numbers = cancer.drop(columns=["target", "ward", "clinic"]).to_numpy(np.float32)
    assert sorted(rows) == list(range(len(cancer)))
    for index, (row, target) in rows.items():
        np.testing.assert_array_equal(row[:-1], numbers[index])
        assert row[-1] == 1 + index % 7
        assert target == cancer["target"][index]
    assert splits.classes == ("0", "1")
    assert list(splits.schema.cardinalities) == [8]
    assert splits.train.names(torch.tensor([0])) == [
        f"{path.name}, {'row 1' if path.suffix == '.parquet' else 'line 2'}"
        if splits.train.index[0] == 0
        else splits.train.names(torch.tensor([0]))[0]
    ]


def test_splits_are_stratified_and_what_is_odd_is_noted(path: Path) -> None:
    splits = table(path=str(path), target="target", val_fraction=0.2, test_fraction=0.3)
    shares = [part.targets.float().mean() for part in (splits.train, splits.val, splits.test)]
    assert shares == pytest.approx([357 / 569] * 3, abs=0.01)
    assert [len(part) / 569 for part in (splits.train, splits.val, splits.test)] == pytest.approx(
        [0.5, 0.2, 0.3], abs=0.01
    )
    assert list(splits.notes) == ["column 'clinic' is constant in the training rows: it is left out"]


def test_preparation_knows_the_training_rows_only(path: Path, cancer: pd.DataFrame) -> None:
    splits = table(path=str(path), target="target", drop=["ward"], numerical="plain")
    train = cancer.loc[splits.train.index.numpy()]
    prepare = splits.prepare
    area = list(cancer.columns).index("mean area")
    assert float(prepare.median[area]) == pytest.approx(train["mean area"].median())
    assert prepare.gaps.tolist() == [area]
    assert float(prepare.mean[0]) == pytest.approx(train["mean radius"].mean(), rel=1e-6)
    assert splits.prepared_shape == (31,)
    encoded = table(path=str(path), target="target", drop=["ward"])
    numbers = train.drop(columns=["ward", "target"])
    # The bins end at the training rows' smallest and largest.
    smallest, largest = (torch.from_numpy(row.to_numpy(np.float32))[None] for row in (numbers.min(), numbers.max()))
    ends = [encoded.prepare(row[:, :30])[0, 30:-1] for row in (smallest, largest)]
    assert float(ends[0].max()) <= 1e-3
    assert float(ends[1].min()) >= 1 - 1e-3


def test_groups_are_in_one_split(cancer: pd.DataFrame, tmp_path: Path) -> None:
    frame = cancer.assign(patient=[f"p{number // 4}" for number in range(len(cancer))])
    frame.loc[5, "patient"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    splits = table(path=str(tmp_path / "t.csv"), target="target", group="patient", numerical="plain")
    sides = [set(frame["patient"][part.index.numpy()].dropna()) for part in (splits.train, splits.val, splits.test)]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert splits.prepared_shape[0] == 30 + 1 + 1  # the group is no feature


def test_a_column_or_files_give_the_split(cancer: pd.DataFrame, tmp_path: Path) -> None:
    part = np.array(["train", "test", "val", "train"])[np.arange(len(cancer)) % 4]
    cancer.assign(part=part).to_csv(tmp_path / "one.csv", index=False)
    one = table(path=str(tmp_path / "one.csv"), target="target", split="part")
    for name in ("train", "val", "test"):
        cancer[part == name].to_csv(tmp_path / f"{name}.csv", index=False)
    paths = {f"{name}_path".removeprefix("train_"): str(tmp_path / f"{name}.csv") for name in ("train", "val", "test")}
    three = table(**paths, target="target")  # type: ignore[arg-type]
    for name in ("train", "val", "test"):
        a, b = getattr(one, name), getattr(three, name)
        assert np.array_equal(cancer.index[part == name], a.index)
        torch.testing.assert_close(a.inputs, b.inputs, equal_nan=True)
        assert torch.equal(a.targets, b.targets)
    assert three.val.names(torch.tensor([0])) == ["val.csv, line 2"]
    only_test = table(path=paths["path"], test_path=paths["test_path"], target="target")
    assert len(only_test.test) == (part == "test").sum()
    assert len(only_test.val) == pytest.approx(0.15 * (part == "train").sum(), abs=1)


def test_calibration_is_a_fraction_a_column_or_a_file(cancer: pd.DataFrame, tmp_path: Path) -> None:
    path = str(tmp_path / "t.csv")
    part = np.array(["train", "test", "val", "calibration"])[np.arange(len(cancer)) % 4]
    cancer.assign(part=part, patient=np.arange(len(cancer)) // 5).to_csv(path, index=False)
    options = {"path": path, "target": "target", "group": "patient", "drop": ["part"]}
    plain, splits = table(**options), table(calibration_fraction=0.2, **options)  # type: ignore[arg-type]
    assert plain.calibration is None
    assert splits.calibration is not None
    assert torch.equal(plain.val.index, splits.val.index)
    assert torch.equal(plain.test.index, splits.test.index)
    sides = [set((source.index // 5).tolist()) for source in splits.parts.values()]
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert len(splits.calibration) == pytest.approx(0.2 * len(cancer), abs=10)
    of_column = table(path=path, target="target", split="part", drop=["patient"])
    assert of_column.calibration is not None
    assert of_column.calibration.index.tolist() == np.flatnonzero(part == "calibration").tolist()
    cancer.to_csv(tmp_path / "a.csv", index=False)
    cancer[:100].to_csv(tmp_path / "b.csv", index=False)
    of_file = table(path=str(tmp_path / "a.csv"), calibration_path=str(tmp_path / "b.csv"), target="target")
    assert of_file.calibration is not None
    assert of_file.calibration.names(torch.tensor([99])) == ["b.csv, line 101"]
    assert len(of_file.train) + len(of_file.val) + len(of_file.test) == len(cancer)


def test_a_column_without_calibration_rows_leaves_them_to_the_fraction(cancer: pd.DataFrame, tmp_path: Path) -> None:
    part = np.array(["train", "test", "val", "train"])[np.arange(len(cancer)) % 4]
    cancer.assign(part=part).to_csv(tmp_path / "t.csv", index=False)
    splits = table(path=str(tmp_path / "t.csv"), target="target", split="part", calibration_fraction=0.25)
    assert splits.calibration is not None
    assert splits.test.index.tolist() == np.flatnonzero(part == "test").tolist()
    both = torch.cat([splits.train.index, splits.calibration.index]).sort().values
    assert both.tolist() == np.flatnonzero(part == "train").tolist()
    assert len(splits.calibration) == pytest.approx(0.25 * (part == "train").sum(), abs=2)


def test_unseen_categories_are_code_zero(tmp_path: Path) -> None:
    rows = [
        f"{x},{c},{y},{s}"
        for x, c, y, s in [(1, "a", 0, "train"), (2, "b", 1, "train"), (3, "z", 1, "val"), (4, "", 0, "test")]
    ]
    (tmp_path / "t.csv").write_text("x,c,y,s\n" + "\n".join(rows))
    splits = table(path=str(tmp_path / "t.csv"), target="y", split="s")
    assert [part.inputs[:, 1].tolist() for part in (splits.train, splits.val, splits.test)] == [[1, 2], [0], [0]]


def test_classes_are_text_or_numbers_in_their_order(tmp_path: Path) -> None:
    frame = load_wine(as_frame=True).frame
    for values, classes in (
        (["c", "a", "b"], ("a", "b", "c")),
        ([10, 9, -1], ("-1", "9", "10")),
        ([1.0, 2.0, 3.0], ("1", "2", "3")),
    ):
        frame.assign(target=[values[c] for c in load_wine().target]).to_csv(tmp_path / "wine.csv", index=False)
        assert table(path=str(tmp_path / "wine.csv"), target="target").classes == classes


def test_several_columns_are_labels(tmp_path: Path) -> None:
    frame = load_wine(as_frame=True).frame
    frame["strong"], frame["dark"] = (frame["alcohol"] > 13).astype(int), frame["color_intensity"] > 8
    frame.to_csv(tmp_path / "wine.csv", index=False)
    splits = table(path=str(tmp_path / "wine.csv"), target=["strong", "dark"], drop=["target"])
    assert splits.is_multilabel
    assert splits.classes == ("strong", "dark")
    at = splits.train.index.numpy()
    assert np.array_equal(splits.train.targets.numpy(), frame[["strong", "dark"]].to_numpy(int)[at])
    assert splits.class_counts.tolist() == frame[["strong", "dark"]].to_numpy(int)[at].sum(0).tolist()


def test_none_is_a_class_and_a_column_that_is_the_class_is_noted(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{('none', 'scratch')[i % 2]},{'AB'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("a,defect,line\n" + rows)
    splits = table(path=str(tmp_path / "t.csv"), target="defect")
    assert splits.classes == ("none", "scratch")
    assert list(splits.notes) == [
        "column 'line' alone determines the class of every training row: is it known before the prediction? If not, "
        "pass 'data.drop=[line]'"
    ]


def test_equal_rows_have_equal_hashes(path: Path) -> None:
    splits = table(path=str(path), target="target")
    hashes = splits.train.content_hashes()
    assert len(np.unique(hashes)) == len(splits.train)  # no two patients are alike
    twice = splits.train.subset(torch.tensor([3, 5, 3])).content_hashes()
    assert twice[0] == twice[2] == hashes[3] != twice[1]


MANY = "\n".join(f"{i},{i % 3},{i % 2}" for i in range(40)) + "\n"


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("a,b,y\n" + MANY, {"target": "z"}, r"data\.target=z is not a column of .*t\.csv: it has a, b, y"),
        ("amount,is_fraud\n1,0\n", {"target": "is_frud"}, r"did you mean 'is_fraud'\?"),
        ("a,b,y\n" + MANY, {"target": "y", "drop": ["c"]}, r"data\.drop=c is not a column"),
        (
            "a,b,y\n" + MANY + "x7,1,1\n",
            {"target": "y"},
            r"t\.csv, line 42, column 'a': 'x7' is not a number.*data\.categorical=\[a\]",
        ),
        ("a,b,y\n1,2,\n" + MANY, {"target": "y"}, r"t\.csv, line 2, column 'y' has no value"),
        ("a,b,y\n" + MANY + "1,2,NaN\n", {"target": "y"}, r"line 42, column 'y' has no value"),
        ("a,b,y\n" + MANY + "1,2,1.5\n", {"target": "y"}, r"line 42, column 'y': 1\.5 is not a class"),
        ("a,b,y\n1,1,2\n2,2,1\n", {"target": ["b", "y"]}, r"line 3, column 'b': '2' is neither 0 nor 1"),
        ("a,b,y\n1,1,1\n2,2,1\n" + "3,1,1\n" * 9, {"target": "y"}, "all training examples are of one class, '1'"),
        ("a,b,y\n1,1,1\n", {"target": "y"}, "no example in the val split"),
        ("a,b,y\n", {"target": "y"}, "has a header but no row"),
        ("", {"target": "y"}, "is empty: it must have a header"),
        ("a,b,y\n1,2,0\n1,2,3,4\n", {"target": "y"}, r"t\.csv, line 3 has a row of 4 cells, but the header has 3"),
        ("a,a,y\n1,2,0\n", {"target": "y"}, "two columns called 'a'"),
        ("a,b,y\n" + MANY + "inf,1,1\n", {"target": "y"}, r"line 42, column 'a': inf is infinite"),
        (
            "a,y\n" + "".join(f"10:{i:02}:00,{i % 2}\n" for i in range(1, 29)),
            {"target": "y"},
            r"column 'a' holds time32.*data\.drop=\[a\]",
        ),
        ("a,b,y\n" + MANY, {"target": "a"}, "40 different values in 40 rows"),
        (
            "y,g\n" + "".join(f"{i % 2},{i}\n" for i in range(20)),
            {"target": "y", "group": "g"},
            "no column to learn from",
        ),
        ("a,y,s\n1,0,train\n2,1,trian\n", {"target": "y", "split": "s"}, r"line 3, column 's': 'trian' is not one of"),
        (
            "a,y,s\n1,0,train\n2,1,train\n2,2,val\n3,0,test\n",
            {"target": "y", "split": "s"},
            "class '2' is in the val split",
        ),
        ("a,y,s\n1,0,train\n2,1,train\n", {"target": "y", "split": "s"}, "no example in the val split"),
        ("a,b,y\n" + MANY, {"target": "y", "scaling": "log"}, "scaling must be one of standard, quantile, none"),
        ("a,b,y\n" + MANY, {"target": "y", "val_fraction": 0.7, "test_fraction": 0.3}, "leave nothing for training"),
        ("a,b,y\n" + MANY, {"target": []}, "empty list"),
        ("a,b,y\n\n" + MANY + "x7,1,1\n", {"target": "y"}, r"t\.csv, line 43, column 'a': 'x7'"),
        ('a,b,y\n"1\n",2,0\n' + MANY + "1,2,\n", {"target": "y"}, r"t\.csv, line 44, column 'y' has no value"),
        ("a,b,y\n" + MANY + "1,2,inf\n", {"target": "y"}, r"line 42, column 'y': inf is not a class"),
        ("a,b,y\n" + MANY, {"target": "y", "drop": "a"}, r"data\.drop must be a list, got 'a'"),
    ],
)
def test_mistakes_name_the_line_and_the_remedy(
    content: str, options: dict[str, Any], says: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises((ValueError, TypeError), match=says):
        table(path=str(tmp_path / "t.csv"), **options)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a file"):
        table(path=str(tmp_path / "absent.csv"), target="y")
    (tmp_path / "t.xlsx").write_text("")
    with pytest.raises(ValueError, match=r"ends in \.xlsx"):
        table(path=str(tmp_path / "t.xlsx"), target="y")
    (tmp_path / "t.csv").write_bytes(b"a,y\n1,k\n2,\xe4\n")
    with pytest.raises(ValueError, match=r"t\.csv, line 3, is not UTF-8: name its encoding"):
        table(path=str(tmp_path / "t.csv"), target="y", encoding="utf-8")
    (tmp_path / "a.csv").write_text("a,y\n1,0\n")
    (tmp_path / "b.csv").write_text("b,y\n1,0\n")
    with pytest.raises(ValueError, match=r"b\.csv has no column 'a', which .*a\.csv has"):
        table(path=str(tmp_path / "a.csv"), val_path=str(tmp_path / "b.csv"), target="y")


def test_a_file_is_gone_through_once_however_many_rows_are_named(tmp_path: Path) -> None:
    from imbalance_lab.data.line_numbers import _beginnings

    n = 3000
    pd.DataFrame({"x": np.arange(n), "note": "a, b", "y": np.arange(n) % 2}).to_csv(tmp_path / "t.csv", index=False)
    splits = table(path=str(tmp_path / "t.csv"), target="y", drop=["note"])
    before = _beginnings.cache_info().misses
    names = splits.train.names(torch.arange(1000))
    assert _beginnings.cache_info().misses == before + 1
    assert names == [f"t.csv, line {index + 2}" for index in splits.train.index[:1000].tolist()]


def test_too_many_categories_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"id": [f"x{i}" for i in range(16_000)], "y": [0, 1] * 8000}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=r"'id' has 11,200 different values.*data\.drop=\[id\]"):
        table(path=str(tmp_path / "t.csv"), target="y")


def test_a_missing_path_is_named() -> None:
    with pytest.raises(UsageError, match=r"data\.path is missing"):
        instantiate_experiment(composed("data=table", "data.target=y"))


@pytest.mark.parametrize("backbone", ["mlp", pytest.param("residual_mlp", marks=pytest.mark.exhaustive)])
def test_a_table_is_trained_on(path: Path, backbone: str, run_job: RunJob) -> None:
    directory = run_job(
        "data=table", f"data.path={path}", "data.target=target", f"backbone={backbone}", "data.scaling=quantile",
        "max_epochs=4", "loss=focal", "loss.alpha=[0.75,0.25]", "ensemble=2",
    )  # fmt: skip
    from tests.helpers.command_line import metrics_of

    reported = metrics_of(directory)["test"]
    assert reported["auroc"]["value"] > 0.97
    assert [each["name"] for each in reported["classes"]] == ["0", "1"]
    state = torch.load(directory / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert state["prepare.quantiles"].shape[0] == 30


def test_a_checkpoint_of_other_columns_is_refused(path: Path, run_job: RunJob) -> None:
    options = "data=table", f"data.path={path}", "data.target=target"
    directory = run_job(*options, "max_epochs=1")
    with pytest.raises(
        UsageError, match=r"the model takes column 'mean radius' as a feature: remove it from data\.drop"
    ):
        instantiate_experiment(
            composed(*options, "data.drop=[mean radius]", "fit=false", f"ckpt_path={directory}/checkpoints/best.ckpt")
        )
