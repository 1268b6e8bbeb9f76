"""A run with a calibration split: its predictions, its prediction sets, and both evaluated again."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.resume import changed_settings
from imbalance_lab.app.train import train
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.model import load_model
from imbalance_lab.posthoc import PostProcessor
from tests.conftest import composed

OVERRIDES = ("backbone=mlp", "max_epochs=2", "logger=none", "data.calibration_fraction=0.2")
SETS = ("conformal=class_conditional", "conformal.alpha=0.2")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose best epoch is not its last."""
    from omegaconf import OmegaConf

    directory = tmp_path_factory.mktemp("sets") / "run"
    overrides = [*OVERRIDES, *SETS, "monitor_mode=min"]  # the first epoch has the lowest AUROC
    config = composed(*overrides)
    (directory / ".hydra").mkdir(parents=True)
    OmegaConf.save(config, directory / ".hydra" / "config.yaml")
    OmegaConf.save(overrides, directory / ".hydra" / "overrides.yaml")
    train(config, instantiate_experiment(config, overrides), RunDirectory(directory))
    return directory


def content_of(run: Path, file: str) -> Any:
    return json.loads((run / file).read_text())


def test_best_and_last_model_are_predicted_on_the_calibration_split(run: Path) -> None:
    splits = instantiate_experiment(composed(*OVERRIDES)).splits
    assert splits.calibration is not None
    files = RunDirectory(run)
    best, last = (Predictions.read(files.predictions("calibration", of)) for of in ("best", "last"))
    for each in (best, last):
        assert each.index.tolist() == sorted(splits.calibration.index.tolist())
    assert not np.array_equal(best.logits, last.logits)
    for split in ("val", "test"):
        assert files.read_predictions(split).index.tolist() == sorted(splits.parts[split].index.tolist())  # type: ignore[arg-type]


def test_scores_of_sets_are_those_of_the_stored_predictions(run: Path) -> None:
    test = RunDirectory(run).read_predictions("test")
    point = content_of(run, "operating_point.json")
    sets = PostProcessor.from_json(point).sets(test.logits)
    stored = content_of(run, "metrics.json")["test_prediction_sets"]
    assert stored["alpha"] == 0.2
    assert stored["mean_size"] == pytest.approx(sets.sum(1).mean())
    assert stored["single"]["value"] == pytest.approx((sets.sum(1) == 1).mean())
    assert stored["empty"]["value"] == pytest.approx((sets.sum(1) == 0).mean())
    for c, each in enumerate(stored["classes"]):
        own = test.target == c
        assert each["coverage"]["value"] == pytest.approx(sets[own, c].mean())
        assert each["coverage"]["ci95"] == list(wilson_interval(int(sets[own, c].sum()), int(own.sum())) or ())
        assert each["mean_size"] == pytest.approx(sets[own].sum(1).mean())
    assert (load_model(run).postprocessor.sets(test.logits) == sets).all()  # type: ignore[union-attr]
    assert read_checkpoint_file(run / "checkpoints" / "best.ckpt")["operating_point"] == point
    assert (run / "tables" / "prediction_sets.csv").read_text().startswith("name,n_calibration,cluster,")


def test_a_run_without_sets_says_nothing_of_them(finished_run: Path) -> None:
    assert "prediction_sets" not in content_of(finished_run, "operating_point.json")
    assert "test_prediction_sets" not in content_of(finished_run, "metrics.json")
    assert not (finished_run / "predictions" / "calibration.parquet").exists()


def test_sets_are_fitted_again_and_a_refusal_leaves_everything(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    evaluate_again([copy], ["conformal=class_conditional", "conformal.alpha=0.05"])
    out = capsys.readouterr().out
    assert "Prediction sets that cover 95 % of each class" in out
    assert "mean set size" in out
    wide = content_of(copy, "metrics.json")["test_prediction_sets"]
    assert wide["mean_size"] > content_of(run, "metrics.json")["test_prediction_sets"]["mean_size"]
    evaluate_again([copy], ["conformal.alpha=0.03"])
    assert "cluster null, one quantile for 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"alpha=0.001 takes 999 calibration examples"):
        evaluate_again([copy], ["conformal.alpha=0.001"])
    (copy / "predictions" / "calibration.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"calibration.parquet is damaged"):
        evaluate_again([copy], ["conformal=class_conditional"])
    (copy / "predictions" / "calibration.parquet").write_bytes(before[copy / "predictions" / "calibration.parquet"])
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    evaluate_again([copy], ["conformal=none"])
    assert "prediction_sets" not in content_of(copy, "operating_point.json")


def test_a_run_of_an_earlier_release_is_evaluated_and_resumed(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "predictions" / "calibration.parquet").unlink()
    config = yaml.safe_load((copy / ".hydra" / "config.yaml").read_text())
    del config["conformal"], config["data"]["calibration_fraction"]
    (copy / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config))
    evaluate_again([copy], [])
    with pytest.raises(UsageError, match=r"need a calibration split .* data.calibration_fraction=0.15"):
        evaluate_again([copy], ["conformal=class_conditional"])
    own = ["backbone=mlp", "max_epochs=2", "logger=none", "monitor_mode=min"]
    assert changed_settings(composed(*own), config) == {}
    now = changed_settings(composed(*own, "data.calibration_fraction=0.1"), config)
    assert now == {"data.calibration_fraction": (0, 0.1)}
