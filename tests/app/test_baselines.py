"""The baselines of a run of a table: stored, scored again from files, asked for and turned off."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.app.baselines import check_baselines, write_baselines
from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed

KEYS = ["class_prior", "logistic_regression", "gradient_boosting"]


def scores(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return content


def test_they_are_stored_for_the_same_examples_and_reported(purchases_run: Path) -> None:
    directory, found = RunDirectory(purchases_run), scores(purchases_run)["baselines"]
    assert [each["key"] for each in found["models"]] == KEYS
    assert found["left_out"] == {}
    for split in ("val", "test"):
        own = directory.read_predictions(split)
        for key in KEYS:
            stored = Predictions.read(directory.baseline_predictions(key, split))
            assert np.array_equal(stored.index, own.index)
            assert np.array_equal(stored.target, own.target)
    assert found["run"]["auroc"] == next(
        each["auroc"] for each in scores(purchases_run)["test"]["classes"] if each["name"] == "fraud"
    )
    page = (purchases_run / "report.html").read_text()
    assert "By AUROC, the model " in page
    rows = (purchases_run / "tables" / "baselines.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["this run", *(each["name"] for each in found["models"])]


def test_they_are_evaluated_again_with_the_run(purchases_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(purchases_run, tmp_path / "run"))
    before = scores(run)
    evaluate_again([run], ["calibration=none"])
    for old, new in zip(before["baselines"]["models"], scores(run)["baselines"]["models"], strict=True):
        assert new["scores"]["auroc"] == old["scores"]["auroc"]
        assert new["scores"]["log_loss"]["value"] == pytest.approx(old["raw"]["log_loss"])
    evaluate_again([run], ["calibration=temperature"])
    assert scores(run) == before


def test_a_run_without_is_evaluated_as_ever(purchases_run: Path, tmp_path: Path) -> None:
    directory = RunDirectory(Path(shutil.copytree(purchases_run, tmp_path / "run")))
    metadata = directory.read_metadata()
    del metadata["baselines"]
    directory.write_metadata(metadata)
    shutil.rmtree(directory.path / "predictions" / "baselines")
    evaluate_again([directory.path], [])
    assert "baselines" not in scores(directory.path)
    assert "baselines-section" not in directory.report.read_text()


def test_asked_for_where_there_is_no_table_they_are_refused_and_else_left_out(tmp_path: Path) -> None:
    config = composed("baselines=true")
    splits = instantiate_experiment(composed()).splits
    with pytest.raises(UsageError, match="baselines=true needs the rows of a table, as of data=table: leave it out"):
        check_baselines(config, splits, ["baselines=true"])
    check_baselines(config, splits, [])
    none: Any = None
    assert write_baselines(RunDirectory(tmp_path), config, splits, none, none) == []


def test_they_can_be_turned_off(purchases: Path, tmp_path: Path) -> None:
    config = composed("data=table", f"data.path='{purchases}'", "data.target=fraud", "baselines=false")
    none: Any = None
    assert write_baselines(RunDirectory(tmp_path), config, instantiate_experiment(config).splits, none, none) == []
    with pytest.raises(UsageError, match="baselines must be true or false"):
        instantiate_experiment(composed("baselines=lightgbm"))
