"""The predictions of a run as a user opens them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imbalance_lab import load_model
from imbalance_lab.app.evaluate import evaluate_again
from tests.helpers.command_line import finished

CLASSES = ["fraud", "good"]


def by_line(path: Path) -> pd.DataFrame:
    """The rows of a CSV file by what the predictions call them."""
    lines = enumerate(path.read_text().splitlines(), 1)
    rows = {f"{path.name}, line {number}": line.split(",") for number, line in lines if line}
    header = rows.pop(f"{path.name}, line 1")
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=header)
    return frame.assign(amount=pd.to_numeric(frame["amount"]), hour=pd.to_numeric(frame["hour"]))


@pytest.mark.parametrize("split", ["val", "test"])
def test_each_row_says_where_it_is_from_and_what_predict_says_of_it(
    split: str, purchases: Path, purchases_run: Path
) -> None:
    stored = pd.read_parquet(purchases_run / "predictions" / f"{split}.parquet")
    rows = by_line(purchases).loc[stored["source"]]
    assert stored["target"].tolist() == rows["fraud"].tolist()
    assert stored["group"].tolist() == rows["customer"].tolist()
    output = load_model(purchases_run).predict(rows)
    np.testing.assert_allclose(stored[[f"p_{name}" for name in CLASSES]], output.probabilities, rtol=1e-5)
    assert output.predicted is not None
    assert stored["predicted"].tolist() == output.predicted.tolist()


def test_evaluating_again_changes_the_probabilities_only(purchases_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(purchases_run, tmp_path / "run"))
    path = run / "predictions" / "test.parquet"
    before = pd.read_parquet(path)
    evaluate_again([run], ["calibration=none"])
    after = pd.read_parquet(path)
    z = after[[f"logit_{name}" for name in CLASSES]].to_numpy(np.float64)
    np.testing.assert_allclose(after["p_fraud"], 1 / (1 + np.exp(z[:, 1] - z[:, 0])), rtol=1e-9)
    assert np.abs(after["p_fraud"] - before["p_fraud"]).max() > 1e-3
    kept = [name for name in before if not name.startswith("p_")]
    pd.testing.assert_frame_equal(after[kept], before[kept])
    evaluate_again([run], ["calibration=temperature"])
    pd.testing.assert_frame_equal(pd.read_parquet(path), before)
    temperature = json.loads((run / "operating_point.json").read_text())["calibration"]["temperature"]
    assert temperature != 1


def test_several_processes_store_the_rows_of_the_whole_data(purchases: Path, tmp_path: Path) -> None:
    data = ("data=table", f"data.path={purchases}", "data.target=fraud", "data.group=customer", "eval_batch_size=7")
    run = finished(*data, "trainer=ddp_cpu", "trainer.devices=2", "max_epochs=1", "logger=none", cwd=tmp_path)
    stored = pd.read_parquet(run / "predictions" / "test.parquet")
    rows = by_line(purchases).loc[stored["source"]]
    assert stored["source"].is_unique
    assert stored["group"].tolist() == rows["customer"].tolist()
    p = load_model(run).probabilities(rows)
    np.testing.assert_allclose(stored[[f"p_{name}" for name in CLASSES]], p, rtol=1e-5)
