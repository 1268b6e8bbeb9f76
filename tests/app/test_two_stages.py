"""``strategy=crt`` and its like from the command line's view: one run, one directory, both stages in every result."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.comparison import compare
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from imbalance_lab.posthoc import tau_normalized
from tests.conftest import RunJob
from tests.helpers.command_line import metrics_of, train
from tests.helpers.runs import assert_same_run, trained

JOB = ("max_epochs=3", "loss=logit_adjusted", "strategy=crt", "strategy.crt.epochs=2", "logger=csv")
JOB += ("prior_correction=tau_normalization",)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return RunDirectory(trained(tmp_path_factory.mktemp("stages") / "run", *JOB))


def test_every_result_has_both_stages(run: RunDirectory) -> None:
    stages = metrics_of(run.path)["stages"]
    before, after = run.read_predictions("test", "stage_1"), run.read_predictions("test")
    assert stages["differences"]["auroc"] == compare(after, before).scores["auroc"].as_json()
    assert stages["stage_1"]["epoch"] <= 3 < stages["stage_2"]["epoch"]
    auroc = metrics_of(run.path)["test"]["auroc"]
    assert stages["stage_2"]["test"]["auroc"] == {key: auroc[key] for key in ("value", "ci95")}
    assert "Both stages of the training" in run.report.read_text()
    with (run.tables / "stages.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 8
    with run.epochs.open() as file:
        assert sum(row["epoch"] != "" for row in csv.DictReader(file)) == 5


def test_stored_logits_are_those_of_the_checkpoints(run: RunDirectory) -> None:
    from imbalance_lab.app.instantiate import instantiate_experiment
    from tests.conftest import composed

    val = instantiate_experiment(composed(*JOB)).splits.val
    for path, stored in (
        (run.stage_1_checkpoint, run.read_predictions("val", "stage_1")),
        (run.best_checkpoint, run.read_predictions("val")),
    ):
        logits = load_model(path).logits_of(val.inputs)  # type: ignore[attr-defined]
        np.testing.assert_allclose(logits[np.argsort(val.index.numpy())], stored.logits, atol=1e-5)


def test_the_logits_stand_for_equal_priors_whatever_the_loss_of_stage_1(run: RunDirectory) -> None:
    assert run.read_metadata()["train_prior"] == pytest.approx([0.1] * 10)


def test_tau_normalization_travels_with_the_model(run: RunDirectory) -> None:
    model = load_model(run.path)
    postprocessor = model.evaluated_postprocessor
    assert postprocessor.prior_correction is not None
    name, tau = postprocessor.prior_correction.method.split(", tau=")
    assert name == "tau_normalization"
    features = torch.randn(50, model.head.in_features, generator=torch.Generator().manual_seed(0))
    expected = (features @ tau_normalized(model.head.weight, float(tau)).T).argmax(1)
    logits = model.head(features).numpy()
    assert (model.output(logits).labels == expected.numpy()).mean() >= 0.98  # but for ties of float32


def test_evaluate_gives_the_same_again_and_for_an_earlier_release(run: RunDirectory, tmp_path: Path) -> None:
    before = run.scores.read_bytes()
    evaluate_again([run.path], [])
    assert run.scores.read_bytes() == before
    evaluate_again([run.path], ["prior_correction=tau_normalization", "prior_correction.tau=1"])
    assert "tau=1" in json.loads(run.operating_point.read_text())["prior_correction"]["method"]
    evaluate_again([run.path], ["prior_correction=none"])
    assert metrics_of(run.path)["test_adjusted"] is None
    metadata = run.read_metadata()
    run.write_metadata({key: value for key, value in metadata.items() if key not in ("linear_head", "stage_1")})
    evaluate_again([run.path], ["prior_correction=tau_normalization"])
    assert "stages" not in metrics_of(run.path)
    run.write_metadata(metadata)
    evaluate_again([run.path], [])


def test_a_finished_run_is_resumed_with_both_stages(run: RunDirectory, run_job: RunJob) -> None:
    resumed = run_job(*JOB, f"ckpt_path='{run.last_checkpoint}'", name="resumed")
    assert_same_run(run.path, resumed)
    stage_1 = [read_checkpoint_file(each.stage_1_checkpoint) for each in (run, RunDirectory(resumed))]
    assert repr(stage_1[0]["optimizer_states"]) == repr(stage_1[1]["optimizer_states"])
    for split in ("val", "test"):
        files = [each.predictions(split, "stage_1") for each in (run, RunDirectory(resumed))]  # type: ignore[arg-type]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_stage_2_is_not_continued_with_other_settings(run: RunDirectory, run_job: RunJob) -> None:
    with pytest.raises(UsageError, match=r"last.ckpt is in stage 2 .* choose the checkpoint stage_1.ckpt"):
        run_job(*JOB, "max_epochs=9", f"ckpt_path='{run.last_checkpoint}'", "resume=continue")


@pytest.mark.slow
def test_two_processes_train_both_stages_as_one_does(tmp_path: Path) -> None:
    job = ["max_epochs=2", "backbone=mlp", "backbone.dropout=0", "loss=cross_entropy", "logger=none"]
    job += ["strategy=lws", "strategy.lws.epochs=2", "strategy.lws.weights=last"]
    for name, trainer in (("one", "cpu"), ("two", "ddp_cpu")):
        done = train(f"trainer={trainer}", f"hydra.run.dir={name}", *job, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    one, two = (read_checkpoint_file(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("one", "two"))
    assert (one["stage"], one["epoch"], one["global_step"]) == (two["stage"], two["epoch"], two["global_step"])
    for name, weight in one["state_dict"].items():
        torch.testing.assert_close(
            weight, two["state_dict"][name], rtol=1e-3, atol=1e-4, msg=lambda m, n=name: f"{n}: {m}"
        )
    assert (tmp_path / "two" / "predictions" / "stage_1" / "test.parquet").is_file()
