"""A model meets another file: columns go by name, and what differs is refused or told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.train import train
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.data import InputSchema, Splits, table
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from tests.conftest import composed
from tests.helpers import command_line

Change = Callable[[pd.DataFrame], pd.DataFrame]


def shop(n: int = 240) -> pd.DataFrame:
    """Numbers, a text category that decides the class, a category whose codes look like numbers, a fixed split."""
    rng = np.random.default_rng(0)
    color = rng.choice(["red", "green", "white"], n)
    frame = pd.DataFrame({"color": color, "size": rng.normal(size=n), "weight": rng.normal(5, 2, n)})
    frame["code"] = rng.choice(["07", "1A", "1B"], n)
    frame["part"] = np.array(["train", "train", "val", "test"])[np.arange(n) % 4]
    frame["rare"] = np.where((color == "white") & (frame["size"] > -1), "yes", "no")
    return frame


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a one-epoch run; its data are beside it."""
    directory = tmp_path_factory.mktemp("changed")
    shop().to_csv(directory / "data.csv", index=False)
    overrides = ["data=table", f"data.path={directory}/data.csv", "data.target=rare", "data.split=part"]
    overrides += ["max_epochs=1", "logger=none", "batch_size=16"]
    config = composed(*overrides)
    train(config, instantiate_experiment(config, overrides), RunDirectory(directory / "run"))
    return directory / "run"


def on_another_file(run: Path, file: Path) -> tuple[Any, list[str]]:
    """The configuration that tests the run on a file, and its overrides."""
    overrides = ["data=table", f"data.path={file}", "data.target=rare", "data.split=part", "logger=none", "fit=false"]
    overrides.append(f"ckpt_path={run}/checkpoints/best.ckpt")
    return composed(*overrides), overrides


def changed_data(change: "Change", run: Path, folder: Path) -> Splits:
    """What the run's model is tested on, if its file is changed so."""
    change(shop()).to_csv(folder / "other.csv", index=False)
    config, overrides = on_another_file(run, folder / "other.csv")
    return instantiate_experiment(config, overrides).splits


def in_another_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["rare", "weight", "part", "code", "color", "size"]].assign(later=1)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_in_another_order_give_the_same_predictions_bit_for_bit(
    kind: str, trained: Path, tmp_path: Path
) -> None:
    file = tmp_path / f"other.{kind}"
    changed = in_another_order(shop())
    changed.to_csv(file, index=False) if kind == "csv" else changed.to_parquet(file)
    config, overrides = on_another_file(trained, file)
    train(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path / "again"))
    for split in ("val", "test"):
        before, after = (
            Predictions.read(run / f"predictions/{split}.parquet") for run in (trained, tmp_path / "again")
        )
        assert len(before.index) == 60
        for name in ("index", "target", "logits"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


def test_a_loaded_model_finds_columns_by_name(trained: Path, recwarn: pytest.WarningsRecorder) -> None:
    model, frame = load_model(trained), shop()
    expected = model.logits(frame)
    np.testing.assert_array_equal(model.logits(in_another_order(frame)), expected)
    stored = Predictions.read(trained / "predictions/test.parquet")
    np.testing.assert_allclose(expected[stored.index], stored.logits, rtol=1e-5, atol=1e-6)
    assert not recwarn


REFUSED: dict[str, tuple[Change, str]] = {
    "missing": (lambda f: f.drop(columns="size"), "other.csv has no column 'size', which the model takes: add it"),
    "renamed": (lambda f: f.rename(columns={"color": "colour"}), "no column 'color'.*; did you mean 'colour'"),
    "text for numbers": (lambda f: f.assign(size="big"), "line 2, column 'size': 'big' is not a number"),
    "dates for numbers": (lambda f: f.assign(size="2024-01-02"), "column 'size' must hold numbers, but holds date32"),
    "numbers for text": (
        lambda f: f.assign(color=3),
        "column 'color' of .*other.csv holds numbers, such as '3', but in training it held text, such as 'green'",
    ),
    "target": (lambda f: f.rename(columns={"rare": "rar"}), "data.target=rare is not a column.*did you mean 'rar'"),
    "class": (lambda f: f.assign(rare="maybe"), "line 2, column 'rare': 'maybe' is not a class of the model: it has"),
    "split": (lambda f: f.rename(columns={"part": "parts"}), "data.split=part is not a column.*did you mean 'parts'"),
    "infinite": (lambda f: f.assign(weight=np.inf), "line 2, column 'weight': inf is infinite"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_model_cannot_take_is_refused_by_name(case: str, trained: Path, tmp_path: Path) -> None:
    change, says = REFUSED[case]
    with pytest.raises(UsageError, match=says):
        changed_data(change, trained, tmp_path)


TOLD: dict[str, tuple[Change, str]] = {
    "unknown": (
        lambda f: f.replace({"color": {"green": "amber"}}),
        "column 'color': 76 of 240 values are not among the training categories ('amber' 76): treated as unknown",
    ),
    "extra": (lambda f: f.assign(a=1, b="x"), "the model does not take columns 'a', 'b': ignored"),
    "gaps": (
        lambda f: f.assign(size=f["size"].where(f.index >= 5)),
        "column 'size': 5 of 240 values are missing, though no training row lacks one: the training median stands "
        "for them",
    ),
    "empty": (lambda f: f.assign(color=None), "column 'color' has no value in any row: treated as unknown"),
}  # fmt: skip


@pytest.mark.parametrize("case", TOLD)
def test_what_differs_is_counted_and_told(case: str, trained: Path, tmp_path: Path) -> None:
    change, says = TOLD[case]
    assert list(changed_data(change, trained, tmp_path).notes) == [says]


def test_the_same_file_has_nothing_to_tell(trained: Path) -> None:
    config, overrides = on_another_file(trained, trained.parent / "data.csv")
    assert list(instantiate_experiment(config, overrides).splits.notes) == []


def test_an_unknown_category_leaves_the_other_codes_alone(trained: Path) -> None:
    model, frame = load_model(trained), shop()
    with pytest.warns(UserWarning, match=r"'color': 76 of 240 values .*\('amber' 76\): treated as unknown"):
        renamed = model.logits(frame.replace({"color": {"green": "amber"}}))
    same = (frame["color"] != "green").to_numpy()
    np.testing.assert_array_equal(renamed[same], model.logits(frame)[same])
    assert (renamed[~same] != model.logits(frame)[~same]).any(1).all()


def test_text_codes_that_look_like_numbers_stay_text(trained: Path, tmp_path: Path) -> None:
    model, frame = load_model(trained), shop()
    digits_only = frame[frame["code"] == "07"].drop(columns=["rare", "part"])
    digits_only.to_csv(tmp_path / "some.csv", index=False)
    np.testing.assert_array_equal(model.logits(tmp_path / "some.csv"), model.logits(digits_only))


@pytest.mark.parametrize("values", [[False, True], [0, 1], [0.0, 1.0], ["false", "true"]])
def test_flags_are_the_same_as_booleans_and_as_numbers(values: list[Any], tmp_path: Path) -> None:
    frame = shop().assign(flag=lambda f: f["size"] > 0)
    frame.to_csv(tmp_path / "t.csv", index=False)
    options: dict[str, Any] = {"target": "rare", "split": "part", "categorical": ["flag"]}
    schema = table(path=str(tmp_path / "t.csv"), **options).schema
    other = frame.assign(flag=[values[flag] for flag in frame["flag"]])
    assert torch.equal(schema.encode(pa.table(other)), schema.encode(frame))


@pytest.mark.exhaustive
def test_the_command_line_tells_it_once(trained: Path, tmp_path: Path) -> None:
    shop().replace({"color": {"green": "amber"}}).to_csv(tmp_path / "other.csv", index=False)
    _, overrides = on_another_file(trained, tmp_path / "other.csv")
    done = command_line.train("trainer=cpu", *overrides, "hydra.run.dir=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line = "warning: column 'color': 76 of 240 values are not among the training categories ('amber' 76)"
    assert (done.stdout + done.stderr).count(line) == 1


def test_resuming_on_another_order_trains_on_the_same_inputs(trained: Path, tmp_path: Path) -> None:
    in_another_order(shop()).to_csv(tmp_path / "other.csv", index=False)
    path = trained / "checkpoints" / "last.ckpt"
    trained_with = read_checkpoint_file(path)["hyper_parameters"]["overrides"]
    moved = [each for each in trained_with if not each.startswith("data.path=")]
    overrides = [*moved, f"data.path={tmp_path}/other.csv", f"ckpt_path={path}"]
    again = instantiate_experiment(composed(*overrides), overrides).splits
    checkpoint = read_checkpoint_file(path)["hyper_parameters"]
    assert InputSchema.from_dict(checkpoint["input_schema"]) == again.schema
    first = table(path=str(trained.parent / "data.csv"), target="rare", split="part")
    assert torch.equal(again.train.inputs, first.train.inputs)  # type: ignore[attr-defined]
    assert torch.equal(again.train.targets, first.train.targets)
