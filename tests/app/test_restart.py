"""A run that is started again in its own directory: finished, unfinished, failed, another one, or still alive."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from imbalance_lab.app import job, train
from imbalance_lab.app.restart import find_restart, finished_score
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation import status_file
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.training.callbacks import LastCheckpoint, PredictionWriter
from imbalance_lab.training.classifier import Classifier
from tests.conftest import composed
from tests.helpers.jobs import QUICK, killed_in, run_in
from tests.helpers.runs import assert_same_run

JOB = ("max_epochs=3", "backbone.dropout=0.3")
KILLED = {
    "in the first epoch": (Classifier, "training_step", 3),
    "in the middle of an epoch": (Classifier, "training_step", 8),
    "between the best and the last checkpoint": (LastCheckpoint, "on_train_epoch_end", 12),
    "in testing": (PredictionWriter, "on_test_epoch_end", 0),
    "in scoring": (train, "write_results", 0),
}
ALIKE = ("in the first epoch", "in testing")
"""Places whose neighbors are tried anyway."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of `JOB` that nothing has stopped."""
    directory = tmp_path_factory.mktemp("whole") / "0"
    run_in(directory, *JOB)
    return directory


def status_of(directory: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((directory / "status.json").read_text())
    return content


def scalars_of(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a run."""
    (folder,) = {file.parent for file in directory.rglob("events.out*")}
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.mark.parametrize(
    "where",
    [pytest.param(each, marks=pytest.mark.exhaustive) if each in ALIKE else each for each in KILLED],
)
def test_a_killed_run_ends_as_one_that_was_not(where: str, whole: Path, tmp_path: Path) -> None:
    directory = tmp_path / "0"
    killed_in(directory, JOB, *KILLED[where])
    assert status_of(directory)["state"] == "running"
    (tmp_path / "0" / "traceback.txt").write_text("of an earlier start")
    run_in(directory, *JOB)
    assert_same_run(whole, directory)
    assert scalars_of(directory) == scalars_of(whole)
    status = status_of(directory)
    assert status["score"] == status_of(whole)["score"]
    assert [each["state"] for each in status["earlier"]] == ["running"]  # type: ignore[attr-defined]
    ours = {path.relative_to(directory) for path in directory.rglob("*") if not path.name.startswith("events")}
    assert ours == {path.relative_to(whole) for path in whole.rglob("*") if not path.name.startswith("events")}


def test_a_finished_run_answers_with_its_score_and_is_not_touched(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = shutil.copytree(whole, tmp_path / "0")
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    monkeypatch.delattr(job, "instantiate_experiment")
    score = run_in(directory, *JOB)
    assert score == status_of(whole)["score"]
    words = " ".join((*QUICK, *JOB))
    assert capsys.readouterr().out == f"run 0  {words}  has finished before, validation score {score:.4f}\n"
    assert run_in(directory, *JOB, mode="RUN") == score
    assert "delete it or choose another directory" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before


def test_words_of_the_sweep_make_no_other_run(whole: Path) -> None:
    words = [*QUICK, *JOB]
    assert finished_score(RunDirectory(whole), words) is not None
    assert finished_score(RunDirectory(whole), [*words, "seed=1"]) is None
    assert finished_score(RunDirectory(whole), words[:-1]) is None


def test_the_sweep_is_not_among_the_overrides_of_a_run(tmp_path: Path) -> None:
    run_in(tmp_path / "0", *JOB, "check=true", "sweep=grid")
    assert status_of(tmp_path / "0")["overrides"] == [*QUICK, *JOB, "check=true"]


def test_other_overrides_start_anew_and_leave_nothing_of_before(whole: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(whole, tmp_path / "0")
    for name in ("traceback.txt", "predictions/stage_1/test.parquet", "checkpoints/stage_1.ckpt"):
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text("old")
    (directory / "notes.txt").write_text("of the user")
    run_in(directory, "max_epochs=1")
    alone = tmp_path / "1"
    run_in(alone, "max_epochs=1")
    assert_same_run(alone, directory)
    names = {path.relative_to(directory) for path in directory.rglob("*") if not path.name.startswith("events")}
    expected = {path.relative_to(alone) for path in alone.rglob("*") if not path.name.startswith("events")}
    assert names == expected | {Path("notes.txt")}
    assert scalars_of(directory) == scalars_of(alone)
    assert "earlier" not in status_of(directory)


def test_a_mistake_in_another_command_leaves_the_results(whole: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(whole, tmp_path / "0")
    with pytest.raises(UsageError, match="gamma must be a finite number"):
        run_in(directory, *JOB, "loss.gamma=-1")
    assert_same_run(whole, directory)


@pytest.mark.parametrize("state", ["failed", "preempted", "interrupted"])
def test_what_did_not_finish_is_tried_again(state: str, whole: Path, tmp_path: Path) -> None:
    directory = RunDirectory(shutil.copytree(whole, tmp_path / "0"))
    directory.write_status(status_of(whole) | {"state": state, "error": "of before"})
    words = [*QUICK, *JOB]
    found = find_restart(directory, composed(*words), words)
    assert (found.score, found.checkpoint) == (None, directory.last_checkpoint)
    assert [(each["state"], each["error"]) for each in found.earlier] == [(state, "of before")]
    directory.last_checkpoint.unlink()
    assert find_restart(directory, composed(*words), words).checkpoint is None
    assert find_restart(directory, composed(*words, "seed=1"), [*words, "seed=1"]).earlier == ()


def test_a_damaged_last_checkpoint_is_replaced_by_the_newest_whole_one(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = RunDirectory(shutil.copytree(whole, tmp_path / "0"))
    directory.write_status(status_of(whole) | {"state": "failed"})
    os.truncate(directory.last_checkpoint, 1000)
    words = [*QUICK, *JOB]
    assert find_restart(directory, composed(*words), words).checkpoint == directory.best_checkpoint
    assert f"going on from the newest whole checkpoint, {directory.best_checkpoint}" in capsys.readouterr().err
    os.truncate(directory.best_checkpoint, 1000)
    assert find_restart(directory, composed(*words), words).checkpoint is None
    assert "last.ckpt is damaged: the run starts anew" in capsys.readouterr().err


def test_a_run_of_an_earlier_release_is_known_by_its_checkpoint(whole: Path, tmp_path: Path) -> None:
    directory = RunDirectory(shutil.copytree(whole, tmp_path / "0"))
    directory.write_status({"state": "preempted"})
    words = [*QUICK, *JOB]
    assert find_restart(directory, composed(*words), words).checkpoint == directory.last_checkpoint
    assert find_restart(directory, composed(*words), words[1:]).checkpoint is None
    directory.write_status({"state": "finished"})
    assert str(finished_score(directory, words)) == "nan"


def test_a_run_that_another_process_is_at_is_refused(whole: Path, tmp_path: Path) -> None:
    directory = RunDirectory(shutil.copytree(whole, tmp_path / "0"))
    words = [*QUICK, *JOB]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        alive = status_file.this_process() | {"pid": other.pid, "process_start": status_file.process_start(other.pid)}
        running = status_of(whole) | {"state": "running", **alive}
        directory.write_status(running)
        with pytest.raises(UsageError, match=f"a run that process {other.pid} is still at: wait for it"):
            run_in(directory.path, *JOB)
        assert status_of(directory.path) == running
        other.communicate(b"\n")
    assert find_restart(directory, composed(*words), words).checkpoint == directory.last_checkpoint
    directory.write_status(running | {"host": "elsewhere"})
    assert find_restart(directory, composed(*words), words).checkpoint == directory.last_checkpoint


def test_a_checkpoint_of_the_directory_itself_is_not_removed(whole: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(whole, tmp_path / "0")
    run_in(directory, *JOB, "fit=false", f"ckpt_path='{directory}/checkpoints/best.ckpt'")
    for name in ("best.ckpt", "last.ckpt"):
        one, two = (read_checkpoint_file(run / "checkpoints" / name)["state_dict"] for run in (whole, directory))
        assert all(torch.equal(weight, two[key]) for key, weight in one.items())
