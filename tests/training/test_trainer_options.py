"""Options of Lightning's Trainer on the command line: they work off a terminal, or are refused before training."""

import csv
import os
from pathlib import Path

import pytest
import torch

from imbalance_lab.errors import UsageError
from imbalance_lab.training.trainer_options import look_for_gpus_quickly
from tests.conftest import RunJob
from tests.helpers.command_line import train

JOB = ("backbone=mlp", "logger=none", "max_epochs=3")  # six batches per epoch


def lines_of(printed: str) -> list[tuple[str, bool]]:
    """Of each line of an epoch its beginning, and whether it has scores."""
    lines = [line for line in printed.splitlines() if line.startswith("epoch ")]
    return [(line.split("  ")[0], "val AUROC 0." in line) for line in lines]


@pytest.mark.parametrize("n_gpus", [0, 1])
def test_gpus_are_looked_for_in_the_quick_way_only_where_there_are_none(
    n_gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    look_for_gpus_quickly()
    assert ("PYTORCH_NVML_BASED_CUDA_CHECK" in os.environ) == (n_gpus > 0)


def test_max_steps_within_an_epoch_are_followed_by_a_validation(
    run_job: RunJob, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_job(*JOB[:1], "logger=csv", "max_epochs=3", "trainer.max_steps=8")
    assert lines_of(capsys.readouterr().out) == [("epoch 1/3", True), ("epoch 2/3", True)]
    with (run / "metrics.csv").open() as file:
        steps = [row["step"] for row in csv.DictReader(file) if row["val/auroc/macro"]]
    assert steps == ["6", "8"]
    assert torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] in (6, 8)


def test_max_steps_within_the_first_epoch_give_a_model(run_job: RunJob) -> None:
    run = run_job(*JOB, "trainer.max_steps=2")
    assert torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] == 2


def test_epochs_without_a_validation_say_so_and_are_not_selected(
    run_job: RunJob, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_job(*JOB, "trainer.check_val_every_n_epoch=2")
    lines = lines_of(capsys.readouterr().out)
    assert lines == [("epoch 1/3", False), ("epoch 2/3", True), ("epoch 3/3", False)]
    assert torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["epoch"] == 1


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("trainer.limit_val_batches=0", "trainer.limit_val_batches=0 of 1 leaves no batch to select the model and"),
        ("trainer.limit_val_batches=0.5", "trainer.limit_val_batches=0.5 of 1 leaves no batch to select the model"),
        ("trainer.limit_test_batches=0.5", "trainer.limit_test_batches=0.5 of 1 leaves no batch to score the model"),
        ("trainer.limit_train_batches=0", "trainer.limit_train_batches=0 leaves no batch to train on"),
        ("+trainer.fast_dev_run=true", "for a quick run choose max_epochs=1 trainer.limit_train_batches=1"),
        ("+trainer.fast_dev_run=2", "saves no checkpoint"),
        ("trainer.max_steps=0", "trainer.max_steps=0 trains nothing"),
        ("trainer.check_val_every_n_epoch=4", "check_val_every_n_epoch=4 never validates in 3 epochs"),
    ],
)
def test_what_leaves_nothing_to_train_or_to_score_is_refused_before_training(
    override: str, sentence: str, run_job: RunJob, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as raised:
        run_job(*JOB, override)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_several_machines_need_a_launcher(run_job: RunJob) -> None:
    with pytest.raises(UsageError, match=r"trainer\.num_nodes=2 needs a launcher, .* start it with torchrun or srun"):
        run_job(*JOB, "trainer.num_nodes=2", "trainer=ddp_cpu")


def test_few_steps_and_rare_validations_are_refused_together(run_job: RunJob) -> None:
    with pytest.raises(UsageError, match="check_val_every_n_epoch=3 never validates in 2 epochs"):
        run_job(*JOB, "trainer.check_val_every_n_epoch=3", "trainer.max_steps=7")


@pytest.mark.slow
def test_a_refused_option_ends_the_program_with_code_2_and_one_line(tmp_path: Path) -> None:
    done = train("trainer=cpu", *JOB, "trainer.limit_val_batches=0", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: trainer.limit_val_batches=0 of 1 leaves no batch")
    assert done.stderr.count("\n") == 1
