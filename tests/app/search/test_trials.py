"""Real trials: trained, pruned, killed, and shared by processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imbalance_lab.app.compare import compare_sweep
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.study import Study, read_study
from imbalance_lab.training.callbacks import Pruning
from tests.helpers.command_line import ROOT
from tests.helpers.jobs import run_in
from tests.helpers.searches import search

QUICK = ("max_epochs=2", "logger=csv")
RATES = ("optimizer.lr=choice(1e-7,1e-2)",)


def trained(given: dict[str, str], directory: RunDirectory) -> float:
    """A real run in this process."""
    words = [f"{key}={text}" for key, text in given.items()]
    return run_in(directory.path, *QUICK, *words, number=int(directory.path.name))


def test_trials_are_trained_pruned_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pruner = "sweep.pruner={_target_: optuna.pruners.ThresholdPruner, lower: 0.65}"
    study = search(tmp_path, "sweep.n_trials=3", "sweep.seed=1", pruner, task=trained, space=RATES)
    states = {each.given["optimizer.lr"]: each.state for each in study.trials}
    assert states == {"1e-07": "pruned", "0.01": "complete"}
    pruned = next(each for each in study.trials if each.state == "pruned")
    directory = RunDirectory(tmp_path / str(pruned.number))
    status = directory.read_status()
    assert status["state"] == "pruned"
    assert status["error"] == f"pruned after epoch 1 of 2, val/auroc/macro {pruned.last:.4f}"
    assert pruned.epochs == 1
    assert len(directory.read_epochs()) == 1
    assert not directory.scores.exists()
    best = study.front[0]
    scores = RunDirectory(tmp_path / str(best.number)).read_scores()
    assert scores is not None
    assert best.values[0] == pytest.approx(scores["val"]["auroc"]["value"], abs=1e-6)
    capsys.readouterr()
    compare_sweep(tmp_path)
    out = capsys.readouterr().out
    assert "Search for the highest AUROC on validation (TPESampler, ThresholdPruner): 3 trials" in out
    assert f"{pruned.number} (after epoch 1 of 2, val/auroc/macro" in out


@pytest.mark.parametrize("is_first", [True, False])
def test_one_process_decides_for_all(is_first: bool) -> None:
    asked: list[tuple[int, float]] = []
    pruning = Pruning("val/loss", lambda epoch, score: asked.append((epoch, score)) is None)

    def trainer(epoch: int, answer: bool) -> Any:
        return SimpleNamespace(
            current_epoch=epoch,
            max_epochs=3,
            callback_metrics={"val/loss": 0.5},
            is_global_zero=is_first,
            should_stop=False,
            strategy=SimpleNamespace(broadcast=lambda own: own if is_first else answer),
        )

    for epoch, is_validated, answer in ((0, False, False), (1, True, True), (2, True, False)):
        now = trainer(epoch, answer)
        if is_validated:
            pruning.on_validation_epoch_end(now, None)  # type: ignore[arg-type]
        pruning.on_train_epoch_end(now, None)  # type: ignore[arg-type]
        assert now.should_stop == (epoch == 1)  # the last epoch is finished anyhow
    assert asked == ([(2, 0.5), (3, 0.5)] if is_first else [])
    assert str(pruning.stopped) == "pruned after epoch 2 of 3, val/loss 0.5000"


def test_without_the_extra_one_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from hydra_plugins.imbalance_lab_sweeps import optuna_sweeper

    monkeypatch.setattr(optuna_sweeper, "find_spec", lambda name: None)
    sweeper, nothing = optuna_sweeper.OptunaSweeper(), SimpleNamespace()
    sweeper.setup(hydra_context=nothing, task_function=None, config=nothing)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"pip install 'imbalance-lab\[optuna\]'"):
        sweeper.sweep([])


def command(directory: Path, *words: str) -> list[str]:
    """A search of six trials in a process of its own."""
    quick = ("trainer=cpu", "baselines=false", "backbone=mlp", "logger=csv", "max_epochs=3")
    space = ("loss=choice(focal,logit_adjusted)", "loss.gamma=interval(0,5)", "batch_size=int(interval(16,64))")
    own = ("sweep=optuna", "sweep.n_trials=6", f"hydra.sweep.dir={directory}")
    return [sys.executable, str(ROOT / "train.py"), "-m", *own, *quick, *space, *words]


def finished(directory: Path, words: Sequence[str]) -> Study:
    """The study after a command that has ended well."""
    subprocess.run(words, check=True, cwd=ROOT, capture_output=True, timeout=600)
    study = read_study(directory)
    assert study is not None
    return study


@pytest.mark.exhaustive
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_search_that_is_killed_goes_on_as_if_it_had_not_been(tmp_path: Path, jobs: int) -> None:
    words = command(tmp_path / "a", f"sweep.jobs={jobs}")
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as one:
        deadline = time.monotonic() + 300
        while not (tmp_path / "a" / "2" / "checkpoints" / "last.ckpt").is_file():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(one.pid, signal.SIGKILL)
    before = read_study(tmp_path / "a")
    assert before is not None
    assert before.count("complete") < 6
    study = finished(tmp_path / "a", words)
    assert [each.state for each in study.trials] == ["complete"] * 6
    kept = [each for each in before.trials if each.state == "complete"]
    assert all(study.trials[each.number] == each for each in kept)
    if jobs == 1:
        assert study.trials == finished(tmp_path / "b", command(tmp_path / "b")).trials


@pytest.mark.exhaustive
def test_two_processes_share_the_trials_of_one_search(tmp_path: Path) -> None:
    words = command(tmp_path)
    both = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate(timeout=600)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    study = finished(tmp_path, words)
    assert [each.state for each in study.trials] == ["complete"] * 6
    begun = sorted(line.split()[1] for each in said for line in each.splitlines() if line.startswith("run "))
    trained = {each.run for each in study.trials}
    assert [each for each in begun if each in trained] == sorted(trained)  # each once
