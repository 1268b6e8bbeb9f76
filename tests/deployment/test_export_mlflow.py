"""MLflow's directory, loaded by MLflow's own client in an interpreter that has this package from nowhere else."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imbalance_lab.backbones import MLP, ConvNet
from imbalance_lab.data import ImageSchema, Normalize
from imbalance_lab.deployment.export.mlflow_model import raw_table
from imbalance_lab.deployment.export.rows import Rows
from imbalance_lab.deployment.export.write import export_model
from imbalance_lab.errors import UsageError
from imbalance_lab.model import Model, ModelOutput
from tests.helpers.images import tree
from tests.helpers.untrained import untrained

BY_MLFLOW = """
import logging, os, sys
import mlflow.pyfunc, numpy as np, pandas as pd, torch
logging.getLogger("mlflow").setLevel(logging.ERROR)

def answer(model, given, answers):
    model = os.path.abspath(model)
    loaded = mlflow.pyfunc.load_model(model)
    loaded.predict(np.load(given) if given.endswith("npy") else pd.read_csv(given)).to_parquet(answers)
    import imbalance_lab
    assert imbalance_lab.__file__.startswith(model), imbalance_lab.__file__
    assert not {"hydra", "lightning", "torchmetrics"} & set(sys.modules)

assert "imbalance_lab" not in sys.modules
for folder, given in zip(sys.argv[1::2], sys.argv[2::2]):
    if not (child := os.fork()):  # MLflow and torch take seconds to import
        answer(f"{folder}/model", f"{folder}/{given}", f"{folder}/answers.parquet")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, folder
"""


@dataclass(frozen=True)
class Exported:
    """A directory of MLflow's ("model"), what MLflow is given, and what the model itself says of the same rows."""

    folder: Path
    given: str
    model: Model
    expected: ModelOutput

    @property
    def answers(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "answers.parquet")


def export_table(folder: Path) -> Exported:
    model, rows = untrained("mixed", MLP, calibration="bias_corrected", n=300)
    export_model(model, rows, "mlflow", folder / "model")
    frame = raw_table(model.schema, rows.inputs)  # type: ignore[arg-type]
    frame["amount"] = frame["amount"].round().astype(int)  # MLflow itself refuses these where it expects floats
    frame["remark"] = "not known to the model"
    frame.to_csv(folder / "raw.csv", index=False)
    return Exported(folder, "raw.csv", model, model.predict(frame))


def export_images(folder: Path) -> Exported:
    paths = sorted(map(str, tree(folder / "images", each=12).rglob("*.png")))
    model, _ = untrained("gray", ConvNet, n=60, widths=(4, 8))
    model.schema = ImageSchema(model.classes, 8, 1, False, 10**6)
    inputs = model.schema.encode(paths)
    model.prepare = Normalize.fitted(inputs)
    logits = model.logits_of(inputs)
    log_odds = model.evaluated_postprocessor.log_odds(logits)
    rows = Rows(inputs, model.output(logits), log_odds, lambda at: [paths[i] for i in at], paths)
    export_model(model, rows, "mlflow", folder / "model")
    pd.DataFrame({"path": paths}).to_csv(folder / "paths.csv", index=False)
    return Exported(folder, "paths.csv", model, rows.output)


def export_labels(folder: Path) -> Exported:
    model, rows = untrained("bytes", ConvNet, kind="multilabel", activation="sigmoid", n=60, widths=(4, 8))
    export_model(model, rows, "mlflow", folder / "model")
    np.save(folder / "raw.npy", rows.inputs.numpy())
    return Exported(folder, "raw.npy", model, rows.output)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """Three models, and what MLflow says of their inputs: one interpreter, and a process for each of them."""
    kinds = {"table": export_table, "images": export_images, "labels": export_labels}
    found = {kind: export(tmp_path_factory.mktemp(kind)) for kind, export in kinds.items()}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            BY_MLFLOW,
            *(str(word) for each in found.values() for word in (each.folder, each.given)),
        ],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env={"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return found


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_table_with_whole_numbers_and_extra_columns(exported: dict[str, Exported]) -> None:
    model, expected, found = exported["table"].model, exported["table"].expected, exported["table"].answers
    np.testing.assert_allclose(found[[f"p_{name}" for name in model.classes]], expected.probabilities, atol=1e-6)
    assert found["predicted"].tolist() == list(expected.predicted)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found[[f"flag_{name}" for name in model.classes]], expected.flags)
    folder = exported["table"].folder / "model"
    listed = (folder / "requirements.txt").read_text().split()
    assert {"torch", "pyarrow", "mlflow"} <= {line.partition("==")[0] for line in listed}
    assert (folder / "input_example.json").is_file()


@pytest.mark.slow
@pytest.mark.exhaustive
def test_paths_of_images(exported: dict[str, Exported]) -> None:
    of_images = exported["images"]
    found = of_images.answers[[f"p_{name}" for name in of_images.model.classes]]
    np.testing.assert_allclose(found, of_images.expected.probabilities, atol=1e-6)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_labels_of_arrays(exported: dict[str, Exported]) -> None:
    of_labels, found = exported["labels"], exported["labels"].answers
    assert list(found) == [f"{word}_{name}" for word in ("p", "flag") for name in of_labels.model.classes]
    np.testing.assert_allclose(found.iloc[:, :3], of_labels.expected.probabilities, atol=1e-6)


@pytest.fixture(scope="module")
def small() -> tuple[Model, Rows]:
    return untrained("floats", MLP, n=40)


def test_a_directory_of_something_else_is_kept(small: tuple[Model, Rows], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a model of MLflow's that an export may replace"):
        export_model(*small, "mlflow", tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_mlflow_is_named_where_it_is_missing(
    small: tuple[Model, Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)
    with pytest.raises(UsageError, match=r"mlflow\S* is not installed: pip install 'imbalance-lab\[mlflow\]'"):
        export_model(*small, "mlflow", tmp_path / "model")


def test_images_that_are_no_files_have_no_form_in_mlflow(tmp_path: Path) -> None:
    model, rows = untrained("gray", MLP, n=40)
    with pytest.raises(UsageError, match=r"takes paths of images, but these data are no files"):
        export_model(model, rows, "mlflow", tmp_path / "model")
    assert not list(tmp_path.iterdir())
