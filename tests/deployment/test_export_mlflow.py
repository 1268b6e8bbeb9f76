"""MLflow's directory, loaded by MLflow's own client in an interpreter that has this package from nowhere else."""

import subprocess
import sys
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
from imbalance_lab.model import Model
from tests.helpers.images import tree
from tests.helpers.untrained import untrained

BY_MLFLOW = """
import logging, sys
import mlflow.pyfunc, numpy as np, pandas as pd
logging.getLogger("mlflow").setLevel(logging.ERROR)
model = mlflow.pyfunc.load_model(sys.argv[1])
given = np.load(sys.argv[2]) if sys.argv[2].endswith("npy") else pd.read_csv(sys.argv[2])
model.predict(given).to_parquet(sys.argv[3])
import imbalance_lab
assert imbalance_lab.__file__.startswith(sys.argv[1]), imbalance_lab.__file__
assert not {"hydra", "lightning", "torchmetrics"} & set(sys.modules)
"""


def by_mlflow(model: Path, given: Path) -> pd.DataFrame:
    answers = given.with_name("answers.parquet")
    done = subprocess.run(
        [sys.executable, "-c", BY_MLFLOW, str(model), str(given), str(answers)],
        cwd=given.parent,
        env={"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return pd.read_parquet(answers)


@pytest.mark.slow
def test_a_table_with_whole_numbers_and_extra_columns(tmp_path: Path) -> None:
    model, rows = untrained("mixed", MLP, calibration="bias_corrected", n=300)
    export_model(model, rows, "mlflow", tmp_path / "model")
    frame = raw_table(model.schema, rows.inputs)  # type: ignore[arg-type]
    frame["amount"] = frame["amount"].round().astype(int)  # MLflow itself refuses these where it expects floats
    frame["remark"] = "not known to the model"
    frame.to_csv(tmp_path / "raw.csv", index=False)
    found = by_mlflow(tmp_path / "model", tmp_path / "raw.csv")
    expected = model.predict(frame)
    np.testing.assert_allclose(found[[f"p_{name}" for name in model.classes]], expected.probabilities, atol=1e-6)
    assert found["predicted"].tolist() == list(expected.predicted)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found[[f"flag_{name}" for name in model.classes]], expected.flags)
    listed = (tmp_path / "model" / "requirements.txt").read_text().split()
    assert {"torch", "pyarrow", "mlflow"} <= {line.partition("==")[0] for line in listed}
    assert (tmp_path / "model" / "input_example.json").is_file()


@pytest.mark.slow
def test_paths_of_images(tmp_path: Path) -> None:
    paths = sorted(map(str, tree(tmp_path / "images", each=12).rglob("*.png")))
    model, _ = untrained("gray", ConvNet, n=60, widths=(4, 8))
    model.schema = ImageSchema(model.classes, 8, 1, False, 10**6)
    inputs = model.schema.encode(paths)
    model.prepare = Normalize.fitted(inputs)
    logits = model.logits_of(inputs)
    log_odds = model.evaluated_postprocessor.log_odds(logits)
    rows = Rows(inputs, model.output(logits), log_odds, lambda at: [paths[i] for i in at], paths)
    export_model(model, rows, "mlflow", tmp_path / "model")
    pd.DataFrame({"path": paths}).to_csv(tmp_path / "paths.csv", index=False)
    found = by_mlflow(tmp_path / "model", tmp_path / "paths.csv")
    np.testing.assert_allclose(found[[f"p_{name}" for name in model.classes]], rows.output.probabilities, atol=1e-6)


@pytest.mark.slow
def test_labels_of_arrays(tmp_path: Path) -> None:
    model, rows = untrained("bytes", ConvNet, kind="multilabel", activation="sigmoid", n=60, widths=(4, 8))
    export_model(model, rows, "mlflow", tmp_path / "model")
    np.save(tmp_path / "raw.npy", rows.inputs.numpy())
    found = by_mlflow(tmp_path / "model", tmp_path / "raw.npy")
    assert list(found) == [f"{word}_{name}" for word in ("p", "flag") for name in model.classes]
    np.testing.assert_allclose(found.iloc[:, :3], rows.output.probabilities, atol=1e-6)


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
