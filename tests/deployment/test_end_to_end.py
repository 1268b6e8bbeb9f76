"""From the data to decisions by the commands that a user types: payments, a folder of images, a table of labels."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from tests.conftest import ROOT, of_labels
from tests.helpers import images
from tests.helpers.command_line import call, finished
from tests.helpers.payments import payments
from tests.helpers.server import begin, end, listening


def lab(*words: object, cwd: Path) -> str:
    """``imbalance-lab WORDS``: what it prints."""
    done = call("-m", "imbalance_lab", *words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_payments_are_scored_served_and_watched(tmp_path: Path) -> None:
    payments(4000, seed=0).to_csv(tmp_path / "january.csv", index=False)
    month = payments(3000, seed=1, share=0.2)
    month.drop(columns="class").to_csv(tmp_path / "february.csv", index=False)
    data = ("data=table", "data.path=january.csv", "data.target=class", "data.drop=[id]", "max_epochs=4")
    run = finished(*data, "data.calibration_fraction=0.15", "conformal=class_conditional", cwd=tmp_path)

    done = call(ROOT / "scripts" / "predict.py", run, "february.csv", "-o", "scored.csv", "--id", "id", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "flagged more or less often than on validation, beyond chance: fraud, legit; see" in done.stdout
    scored = pd.read_csv(tmp_path / "scored.csv").set_index("id").loc[month["id"]].reset_index()
    assert roc_auc_score(month["class"] == "fraud", scored["p_fraud"]) > 0.85
    is_fraud = (month["class"] == "fraud").to_numpy()
    assert scored.loc[is_fraud, "set_fraud"].mean() > 0.75, "90 % are promised, on average over calibration splits"
    assert scored.loc[~is_fraud, "set_legit"].mean() > 0.85

    served = begin(run, tmp_path / "server")
    try:
        row = month.iloc[0].drop(["id", "class"]).to_dict()
        reply = listening(served).rows([{name: None if pd.isna(value) else value for name, value in row.items()}])
    finally:
        end(served)
    (result,) = reply.content["results"]
    assert abs(result["probabilities"]["fraud"] - scored["p_fraud"][0]) < 1e-6
    assert result["flags"]["fraud"] == scored["flag_fraud"][0]
    assert set(result["set"]) == {name for name in ("fraud", "legit") if scored[f"set_{name}"][0]}

    told = lab("watch", run, "february.csv", cwd=tmp_path)
    found = json.loads((run / "watch" / "february.csv" / "watch.json").read_text())
    assert "has risen from" in told
    low, high = found["shares"][0]["em"]["ci95"]
    assert low < is_fraud.mean() < high
    command = next(line for line in told.splitlines() if line.startswith("imbalance-lab predict"))
    lab(*shlex.split(command)[1:], cwd=tmp_path)
    again = pd.read_csv(tmp_path / "february_predictions.csv")
    assert abs(again["p_fraud"].mean() - is_fraud.mean()) < 0.04, "calibrated for the shares that were found"


def test_images_of_a_folder_are_decided(tmp_path: Path) -> None:
    images.tree(tmp_path / "photos", each=24)
    images.tree(tmp_path / "new", each=8)
    data = ("data=image_folder", "data.root=photos", "data.image_size=8", "backbone=convnet", "batch_size=16")
    run = finished(*data, "max_epochs=15", cwd=tmp_path)
    told = lab("predict", run, "new", "-o", "scored.parquet", "--score", "--threshold", "a=0.5", cwd=tmp_path)
    assert "Scores on new" in told
    scored = pd.read_parquet(tmp_path / "scored.parquet")
    assert (scored["path"].str[0] == scored["predicted"]).mean() > 0.8
    told = lab("export", run, "--to", "torch_export", cwd=tmp_path)
    assert "all predicted classes, flags equal" in told
    assert (run / "exports" / "model.pt2").stat().st_size > 1000


def test_labels_of_a_table_are_decided(wine_labels: Path, tmp_path: Path) -> None:
    run = finished(*of_labels(wine_labels, "loss=asymmetric", "max_epochs=3", "batch_size=16"), cwd=tmp_path)
    thresholds = ("--threshold", "strong=0.4", "--threshold", "dark=0.4")
    lab("predict", run, wine_labels, "-o", "scored.csv", *thresholds, cwd=tmp_path)
    scored, truth = pd.read_csv(tmp_path / "scored.csv"), pd.read_csv(wine_labels)
    for label in ("strong", "dark"):
        assert roc_auc_score(truth[label], scored[f"p_{label}"]) > 0.8
        assert (scored[f"flag_{label}"] == (scored[f"p_{label}"] >= 0.4)).all()
    assert "predicted" not in scored
    refused = call("-m", "imbalance_lab", "watch", run, wine_labels, cwd=tmp_path)
    assert refused.returncode == 2
    assert "predicts labels independently of each other, by a sigmoid" in refused.stderr
    assert np.isfinite(scored[["p_strong", "p_dark"]]).all().all()
