"""The data of a finished run, read again: the same splits, from wherever the files are now."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from imbalance_lab.app.run_data import validation_data
from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint
from imbalance_lab.data import Source
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from imbalance_lab.samplers import SampledIndices


@pytest.fixture(scope="module")
def table_run(label_sweep: Path, wine_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of a run on a table, and where its data have moved since."""
    folder = tmp_path_factory.mktemp("moved")
    shutil.copytree(label_sweep / "asymmetric", folder / "run")
    shutil.copy(wine_labels, folder / "it's here.csv")
    path = folder / "run" / "checkpoints" / "best.ckpt"
    content = read_checkpoint_file(path)
    content["hyper_parameters"]["config"]["data"]["path"] = "gone.csv"
    write_checkpoint(path, content)
    return folder / "run", folder / "it's here.csv"


def inputs_of(source: Source) -> torch.Tensor:
    at = torch.arange(len(source))
    return source.__getitems__(SampledIndices(at, at)).input


def test_the_model_says_of_them_what_the_run_stored(finished_run: Path) -> None:
    directory = RunDirectory(finished_run)
    stored, splits = directory.read_predictions("val"), validation_data(directory)
    assert splits.val.index.tolist() == stored.index.tolist()
    with torch.inference_mode():
        logits = load_model(finished_run)(inputs_of(splits.val))
    assert torch.allclose(logits, torch.from_numpy(stored.logits), atol=1e-5)


def test_files_that_have_moved(table_run: tuple[Path, Path]) -> None:
    run, path = table_run
    escaped = str(path).replace("'", "\\'")
    splits = validation_data(RunDirectory(run), [f"data.path='{escaped}'"])
    assert splits.val.index.tolist() == RunDirectory(run).read_predictions("val").index.tolist()
    with pytest.raises(UsageError, match=r"gone.csv is not a file.*if the files have moved, .* data.path=…"):
        validation_data(RunDirectory(run))


def test_other_rows_are_refused(table_run: tuple[Path, Path], tmp_path: Path) -> None:
    run, path = table_run
    pd.read_csv(path).sample(frac=1, random_state=0).to_csv(tmp_path / "shuffled.csv", index=False)
    with pytest.raises(UsageError, match=r"the data are not those that .* was trained on"):
        validation_data(RunDirectory(run), [f"data.path={tmp_path}/shuffled.csv"])
    with pytest.raises(UsageError, match=r"the data are not those that .* was trained on"):
        validation_data(RunDirectory(run), [f"data.path='{path!s}'".replace("it's", "it\\'s"), "data.split_seed=1"])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("data.pth=x.csv", "data.pth is not a key of the run's data; did you mean 'data.path'"),
        ("data._target_=os.system", "data._target_ is not a key of the run's data"),
        ("optimizer.lr=1", "optimizer.lr=1 says nothing about the run's data: write data.KEY=VALUE"),
        ("data.path=a.csv,b.csv", "must be one plain value"),
        ("data.path='${oc.env:HOME}'", "must be one plain value"),
    ],
)
def test_what_cannot_be_said_of_data(table_run: tuple[Path, Path], override: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        validation_data(RunDirectory(table_run[0]), [override])


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("_target_", "os.system", "_target_ names os.system, .* not trusted: if you trust it, add allow=.os."),
        ("path", "${oc.env:HOME}", "is damaged: its configuration has no data with plain values"),
    ],
)
def test_a_tampered_checkpoint_calls_nothing(
    table_run: tuple[Path, Path], tmp_path: Path, key: str, value: str, sentence: str
) -> None:
    shutil.copytree(table_run[0], tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "best.ckpt"
    content = read_checkpoint_file(path)
    content["hyper_parameters"]["config"]["data"][key] = value
    write_checkpoint(path, content)
    with pytest.raises(UsageError, match=sentence):
        validation_data(RunDirectory(tmp_path / "run"))
