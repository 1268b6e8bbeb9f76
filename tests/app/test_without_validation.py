"""``data.val_fraction=0``: the last epoch is the model, and what needs validation is left out, or refused if chosen."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from imbalance_lab.app.compare import compare
from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.session import build_session
from imbalance_lab.app.train import train
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from tests.conftest import composed

OVERRIDES = ("data.val_fraction=0", "backbone=mlp", "logger=csv", "scheduler=none")


def trained(directory: Path, *overrides: str) -> Path:
    config = composed(*overrides)
    (directory / ".hydra").mkdir(parents=True)
    OmegaConf.save(config, directory / ".hydra" / "config.yaml")
    OmegaConf.save(list(overrides), directory / ".hydra" / "overrides.yaml")
    train(config, instantiate_experiment(config, overrides), RunDirectory(directory))
    return directory


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(
        tmp_path_factory.mktemp("classic") / "run", *OVERRIDES, "max_epochs=3", "data.many=60", "data.few=10"
    )


def scores(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return content


def test_the_whole_pool_is_trained_on_and_the_last_epoch_is_the_model(run: Path) -> None:
    files, found = RunDirectory(run), scores(run)
    best, last = (read_checkpoint_file(path) for path in (files.best_checkpoint, files.last_checkpoint))
    assert best["epoch"] == last["epoch"] == 2
    assert all(torch.equal(best["state_dict"][name], each) for name, each in last["state_dict"].items())
    assert not files.predictions("val").exists()
    assert not files.predictions("test", "last").exists()
    assert found["val"] is None
    assert found["selected_on"] is None
    assert found["test"]["classes"][0]["train_count"] == 131  # every example of the pool's smallest class
    assert {each["name"]: each.get("refused") for each in json.loads(files.operating_point.read_text())["classes"]} == {
        str(c): "there is no validation split to choose it on" for c in range(10)
    }


def test_the_training_loss_of_every_epoch_is_logged(run: Path) -> None:
    rows = RunDirectory(run).read_epochs()
    assert [float(row["epoch"]) for row in rows] == [0, 1, 2]
    losses = [float(row["train/loss"]) for row in rows]
    assert losses == sorted(losses, reverse=True)
    assert not any(name.startswith("val/") for name in rows[0])


def test_groups_have_the_limits_that_were_asked_for(run: Path) -> None:
    classes, page = scores(run)["test"]["classes"], (run / "report.html").read_text()
    for each in classes:
        n = each["train_count"]
        assert each["group"] == ("many" if n > 60 else "few" if n < 10 else "medium")
    assert {each["group"] for each in classes} == {"many", "medium", "few"}
    assert "more than 60" in page
    assert "fewer than 10 training examples" in page


def test_page_and_screen_say_that_nothing_was_selected(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "Model of the last epoch: without a validation split nothing was selected" in (run / "report.html").read_text()
    )
    evaluate_again([run], [])
    assert "Model of the last epoch" in capsys.readouterr().out


def test_the_model_has_uncalibrated_probabilities_and_no_thresholds(run: Path) -> None:
    model, stored = load_model(run), RunDirectory(run).read_predictions("test")
    processor = model.evaluated_postprocessor
    exact = np.exp(stored.logits.astype(np.float64))
    assert np.allclose(processor.probabilities(stored.logits), exact / exact.sum(1, keepdims=True))
    assert not processor.flags(stored.logits).any()


def test_known_class_priors_are_corrected_for_afterwards(run: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(run, tmp_path / "run"))
    evaluate_again([copied], ["prior_correction=logit_adjustment"])
    logits = RunDirectory(copied).read_predictions("test").logits
    prior = np.array(RunDirectory(copied).read_metadata()["train_prior"])
    adjusted = load_model(copied).evaluated_postprocessor.adjusted(logits)
    assert np.allclose(adjusted, logits - np.log(prior))
    evaluate_again([copied], ["prior_correction=deploy_prior", f"prior_correction.deploy_prior={[0.1] * 10}"])
    assert load_model(copied).evaluated_postprocessor.prior == pytest.approx([0.1] * 10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["calibration=temperature"], "TemperatureScaling is fitted on validation, .* choose calibration=none"),
        (["operating_point=min_cost"], "minimum cost .* choose operating_point=none"),
        (["prior_correction=logit_adjustment", "prior_correction.tau=macro_f1"], "give tau a number"),
    ],
)
def test_evaluate_refuses_what_is_fitted_on_validation(run: Path, words: list[str], said: str) -> None:
    before = scores(run)
    with pytest.raises(UsageError, match=said):
        evaluate_again([run], words)
    assert scores(run) == before


def test_a_given_tau_normalizes_the_head_of_the_last_epoch(run: Path) -> None:
    files, tau = RunDirectory(run), 0.7
    before = (run / "metrics.json").read_text(), files.operating_point.read_text()
    evaluate_again([run], ["prior_correction=tau_normalization", f"prior_correction.tau={tau}"])
    state = read_checkpoint_file(files.last_checkpoint)["state_dict"]
    norm, bias = state["head.weight"].norm(dim=1).numpy(), state["head.bias"].numpy()
    stored = files.read_predictions("test")
    predicted = ((stored.logits - bias) / norm**tau).argmax(1)
    recalls = [(predicted == c)[stored.target == c].mean() for c in range(10)]
    assert scores(run)["test_adjusted"]["balanced_accuracy"]["value"] == pytest.approx(np.mean(recalls))
    (run / "metrics.json").write_text(before[0])
    files.operating_point.write_text(before[1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["monitor=val/loss"], "monitor=val/loss selects an epoch"),
        (["early_stopping=true"], "early_stopping=true stops by a score"),
        (["trainer.check_val_every_n_epoch=2"], "is about the validation of epochs"),
        (["calibration=bias_corrected"], "BiasCorrectedScaling is fitted"),
        (["operating_point=max_f1"], "max F1 is chosen"),
    ],
)
def test_what_is_chosen_is_refused_before_training(words: list[str], said: str) -> None:
    overrides = [*OVERRIDES, *words]
    with pytest.raises(UsageError, match=f"{said}.* there is no validation split"):
        instantiate_experiment(composed(*overrides), overrides)


@pytest.mark.parametrize(
    "callback",
    [
        ["callbacks=early_stopping"],
        ["+trainer.callbacks=[{_target_: lightning.pytorch.callbacks.ModelCheckpoint, monitor: val/loss}]"],
    ],
)
def test_callbacks_that_watch_a_score_are_refused(callback: list[str], tmp_path: Path) -> None:
    overrides = [*OVERRIDES, *callback]
    config = composed(*overrides)
    with pytest.raises(UsageError, match="there is no validation split"):
        build_session(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path))


def test_defaults_of_tables_are_left_out(wine_labels: Path) -> None:
    words = ["data=table", f"data.path={wine_labels}", "data.target=[strong,dark]", "loss=sigmoid_focal"]
    config = composed(*words, "data.val_fraction=0", "baselines=true")
    experiment = instantiate_experiment(config)
    assert (config.early_stopping, config.baselines, experiment.splits.val) == (False, False, None)
    assert any("no validation split" in each for each in experiment.splits.guesses)


def test_a_run_that_goes_on_equals_one_in_a_piece(run: Path, tmp_path: Path) -> None:
    first = trained(tmp_path / "first", *OVERRIDES, "max_epochs=2")
    overrides = [*OVERRIDES, "max_epochs=3", f"ckpt_path={first}/checkpoints/last.ckpt", "resume=continue"]
    config = composed(*overrides)
    directory = RunDirectory(tmp_path / "second")
    train(config, instantiate_experiment(config, overrides), directory)
    resumed, whole = (read_checkpoint_file(each.last_checkpoint) for each in (directory, RunDirectory(run)))
    assert resumed["history"] == whole["history"]
    assert all(torch.equal(resumed["state_dict"][name], each) for name, each in whole["state_dict"].items())
    assert directory.best_checkpoint.is_file()


def test_runs_are_compared_on_test_without_a_best(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    compare([run, other], output=tmp_path / "comparison.html")
    assert "There was no validation split: no run is selected" in capsys.readouterr().out
