"""The command line as users type it, each in a process of its own: exit codes, sentences, sweeps, DDP."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

from imbalance_lab.app.cli import run_cli
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.sweep import read_sweep
from tests.conftest import ROOT
from tests.helpers import fork_server
from tests.helpers.command_line import ENVIRONMENT, metrics_of, train


def test_help_lists_the_choices_without_importing_torch(tmp_path: Path) -> None:
    program = (
        "import sys, runpy\n"
        f"sys.argv = ['train.py', '--help']; sys.path.insert(0, {str(ROOT)!r})\n"
        "try:\n"
        f"    runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')\n"
        "finally:\n"
        "    heavy = {'torch', 'lightning', 'torchmetrics', 'torchvision', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "    print('imported:', sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "sampler: class_balanced, effective_number, m_per_class, progressive, shuffled, square_root" in done.stdout
    assert "imported: []" in done.stdout


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("loss.gama=2", "error: there is no 'loss.gama' in this configuration; did you mean loss.gamma? (--help lists"),
        ("loss.tau=1", "error: there is no 'loss.tau' in this configuration, but there is with loss=logit_adjusted"),
        ("losss=focal", "error: there is no 'losss' in this configuration; did you mean loss?"),
        ("data=digit_lt", "error: there is no data=digit_lt; did you mean data=digits_lt? (choices: cifar100_lt, "),
        ("data=spreadsheet", "error: there is no data=spreadsheet (choices: cifar100_lt, "),
        ("loss.alpha=[0.1,", "error: cannot read 'loss.alpha=[0.1,' as KEY=VALUE: close every bracket"),
        ("loss.gamma=-1", "error: loss: gamma must be a finite number ≥ 0, got -1"),
        ("loss=null", "error: loss=null is not a choice: loss is one of asymmetric, auc_margin, "),
        ("data=5", "error: data=5 is not a choice: data is one of cifar100_lt, "),
        ("deploy_prior=[0.5,0.5]", "error: deploy_prior is now called prior_correction=deploy_prior"),
        ("operating_point=recall", "error: operating_point=recall is now called operating_point=min_recall"),
        ("sampler=stratified", "error: sampler=stratified is now called sampler=m_per_class"),
        ("trainer.profiler=simple", "error: trainer.profiler is an argument of Lightning's Trainer"),
        ("+trainer.max_steps=3", "error: trainer.max_steps is already in the configuration: leave out the +"),
        ("monitor=val/aurok/macro", "error: monitor=val/aurok/macro is not logged; did you mean 'val/auroc/macro'?"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(argument: str, sentence: str, tmp_path: Path) -> None:
    done = train(argument, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence), done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_torch_and_torchvision_from_different_sources_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py"])

    def main() -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    with pytest.raises(SystemExit, match="2"):
        run_cli(main)
    assert "torch and torchvision come from different sources" in capsys.readouterr().err


def test_a_misspelled_key_leaves_nothing_behind(tmp_path: Path) -> None:
    train("loss.gama=2", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_job_ends_with_its_table_and_its_directory(tmp_path: Path) -> None:
    done = train("trainer=cpu", "max_epochs=2", "loss.gamma=1", "loss.alpha=[1,1,1,1,1,2,2,2,2,2]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    directory = tmp_path / lines[-1]
    assert json.loads((directory / "status.json").read_text())["state"] == "finished"
    assert (directory / ".hydra" / "overrides.yaml").is_file()
    assert max(map(len, lines)) <= 100
    assert any("macro AUROC" in line and "over 10 of 10 classes" in line for line in lines)
    assert "\x1b" not in done.stdout, "colours belong on a terminal only"


@pytest.mark.slow
def test_a_sweep_runs_every_job_and_ends_with_one_table(tmp_path: Path) -> None:
    done = train("trainer=cpu", "-m", "max_epochs=2", "loss.gamma=0,-1,5", cwd=tmp_path)  # wherever the flag stands
    assert done.returncode == 1
    (sweep,) = tmp_path.glob("multirun/*/*")
    runs = read_sweep(sweep)
    assert [run.overrides["loss.gamma"] for run in runs][-1] == "-1"
    assert runs[0].val() >= runs[1].val() > 0
    for run in runs[:2]:
        assert (run.directory.path / "checkpoints" / "best.ckpt").is_file()
        assert (run.directory.path / "predictions" / "test.parquet").is_file()
    events = EventMultiplexer().AddRunsFromDirectory(str(sweep)).Reload()
    assert sorted(events.Runs()) == ["0/loss.gamma=0", "2/loss.gamma=5"], "named by what the sweep varies"
    table = done.stdout[done.stdout.index("3 settings, best validation AUROC first") :]
    assert "loss.gamma" in table
    assert "max_epochs" not in table, "only what differs is shown"
    assert "run 1 has no scores: loss: gamma must be a finite number ≥ 0, got -1" in table


@pytest.mark.slow
def test_two_processes_test_a_model_as_one_does(finished_run: Path, tmp_path: Path) -> None:
    test = ["fit=false", "loss.alpha=effective", f"ckpt_path='{finished_run}/checkpoints/best.ckpt'"]
    done = train("trainer=ddp_cpu", "hydra.run.dir=two", *test, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # 445 examples do not halve: one process has one more, and none is counted twice.
    one, two = (Predictions.read(run / "predictions" / "test.parquet") for run in (finished_run, tmp_path / "two"))
    assert np.array_equal(one.index, two.index)
    assert np.array_equal(one.target, two.target)
    np.testing.assert_allclose(one.logits, two.logits, rtol=1e-5, atol=1e-5)
    for scores_of_one, scores_of_two in zip(
        metrics_of(finished_run)["test"]["classes"], metrics_of(tmp_path / "two")["test"]["classes"], strict=True
    ):
        assert scores_of_one["n_positive"] == scores_of_two["n_positive"]
        assert scores_of_one["auroc"]["value"] == pytest.approx(scores_of_two["auroc"]["value"], abs=1e-6)


@pytest.mark.slow
def test_a_sweep_of_two_processes_trains_each_job_with_its_own_values(tmp_path: Path) -> None:
    job = ["max_epochs=2", "backbone=mlp", "backbone.dropout=0", "loss=cross_entropy"]
    done = train("-m", "trainer=ddp_cpu", "optimizer.lr=0.001,0.01", *job, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (sweep,) = tmp_path.glob("multirun/*/*")
    assert sorted(path.name for path in sweep.iterdir()) == [
        "0",
        "1",
        "comparison.csv",
        "comparison.html",
        "comparison_runs.csv",
        "multirun.yaml",
        "sweep.json",
    ]
    for number, rate in enumerate(("0.001", "0.01")):
        # The net has no batch statistics: two processes sum the gradients that one process computes.
        alone = train("trainer=cpu", f"optimizer.lr={rate}", f"hydra.run.dir=alone{number}", *job, cwd=tmp_path)
        assert alone.returncode == 0, alone.stderr
        one, two = (
            torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
            for run in (tmp_path / f"alone{number}", sweep / str(number))
        )
        for name, weight in one.items():
            torch.testing.assert_close(weight, two[name], rtol=1e-3, atol=1e-4, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "state"),
    [
        (signal.SIGTERM, 143, "preempted"),
        pytest.param(signal.SIGINT, 130, "interrupted", marks=pytest.mark.exhaustive),
    ],
)
def test_a_signal_in_training_is_no_success(sent: signal.Signals, code: int, state: str, tmp_path: Path) -> None:
    job = ["trainer=cpu", "backbone=mlp", "logger=none", "hydra.run.dir=a run", "max_epochs=100000", "seed=3"]
    command = [sys.executable, str(ROOT / "train.py"), *job]
    process = fork_server.Popen(
        command,
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        while not (line := process.stdout.readline()).startswith("epoch 3/"):
            assert line, "it ended before the signal"
        process.send_signal(sent)
        rest, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, errors
    status = json.loads((tmp_path / "a run" / "status.json").read_text())
    assert status["state"] == state
    assert status["seconds"] > 0
    assert "Traceback" not in rest + errors
    if sent == signal.SIGTERM:
        checkpoint = torch.load(tmp_path / "a run" / "checkpoints" / "last.ckpt", weights_only=True)
        assert checkpoint["global_step"] >= 18
        reported, command_line = errors.strip().split("; resume with: ")
        assert reported == "stopped by SIGTERM"
        python, script, *overrides = shlex.split(command_line)
        assert (python, Path(script)) == ("python", ROOT / "train.py")
        assert overrides == ['ckpt_path="a run/checkpoints/last.ckpt"']
        done = train(*overrides, "check=true", cwd=tmp_path)  # which reads the checkpoint too
        assert done.returncode == 0, done.stderr
