"""How a job ends: its exit code, its status and the one sentence, whenever a signal or an error comes."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import RunJob
from tests.helpers.command_line import ENVIRONMENT, ROOT, finished, train
from tests.helpers.runs import assert_same_run
from tests.helpers.sabotage import sabotage

pytestmark = pytest.mark.slow

JOB = ("trainer=cpu", "backbone=mlp", "max_epochs=2", "logger=csv")
PHASES = {
    "training": ("on_train_batch_start", 3, 0),
    "validation": ("on_validation_batch_end", 6, 0),
    "saving": ("on_save_checkpoint", 6, 0),
    "testing": ("on_test_batch_end", 0, 0),
    "scoring": ("on_test_end", 0, 0.3),
}
CODES = {"SIGTERM": (143, "preempted"), "SIGUSR1": (143, "preempted"), "SIGINT": (130, "interrupted")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(*JOB, cwd=tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    ("phase", "sent", "workers"),
    [
        ("training", "SIGUSR1", 0),
        ("validation", "SIGTERM", 2),
        pytest.param("testing", "SIGINT", 0, marks=pytest.mark.exhaustive),
        pytest.param("training", "SIGINT", 2, marks=pytest.mark.exhaustive),
        pytest.param("saving", "SIGTERM", 0, marks=pytest.mark.exhaustive),
        ("scoring", "SIGUSR1", 0),
    ],
)
def test_a_signal_in_any_phase_saves_and_says_how_to_go_on(
    phase: str,
    sent: str,
    workers: int,
    whole: Path,
    run_job: RunJob,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook, step, delay = PHASES[phase]
    code, state = CODES[sent]
    job = [*JOB, *sabotage(hook, sent, step=step, delay=delay)]
    stopped = train(*job, f"num_workers={workers}", "hydra.run.dir=stopped run", cwd=tmp_path)
    assert stopped.returncode == code, stopped.stderr
    assert json.loads((tmp_path / "stopped run" / "status.json").read_text())["state"] == state
    (line,) = stopped.stderr.strip().splitlines()
    assert line.startswith(f"stopped by {'Ctrl-C' if sent == 'SIGINT' else sent}; resume with: python ")
    assert shlex.split(line)[-2:] == ['ckpt_path="stopped run/checkpoints/last.ckpt"', "allow=[tests]"]
    last = f"ckpt_path='{tmp_path}/stopped run/checkpoints/last.ckpt'"
    monkeypatch.setenv("SABOTAGE", "off")
    assert_same_run(whole, run_job(*job[1:], last, name="resumed"))


def test_the_printed_command_goes_on(whole: Path, tmp_path: Path) -> None:
    stopped = train(*JOB, *sabotage("on_train_batch_start", "SIGTERM", step=2), "hydra.run.dir=stopped", cwd=tmp_path)
    _, script, *overrides = shlex.split(stopped.stderr.strip().partition("resume with: ")[2])
    assert Path(script) == ROOT / "train.py"
    done = train(*overrides, "hydra.run.dir=resumed", cwd=tmp_path, SABOTAGE="off")
    assert done.returncode == 0, done.stderr
    assert "at epoch 1/2, step 3" in done.stdout
    assert_same_run(whole, tmp_path / "resumed")


def test_a_signal_before_the_training_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *JOB, "hydra.run.dir=run"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    status = tmp_path / "run" / "status.json"
    while not status.is_file():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert errors.strip() in (
        "stopped by SIGTERM; nothing was saved: start it again",
        "stopped by SIGTERM; resume with: python train.py ckpt_path=run/checkpoints/last.ckpt",
    )
    assert json.loads(status.read_text())["state"] == "preempted"


def sweep_with(action: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A sweep of three runs, the second of which does something to itself at its second step."""
    at = sabotage("on_train_batch_start", action)
    return train("-m", *JOB, *at, "callbacks.sabotage.step=1000,2,1001", "hydra.sweep.dir=sweep", cwd=folder)


def test_in_a_sweep_every_exception_is_a_sentence_and_the_others_go_on(tmp_path: Path) -> None:
    done = sweep_with("raise", tmp_path)
    assert done.returncode == 1, done.stderr
    states = [json.loads((tmp_path / "sweep" / str(n) / "status.json").read_text()) for n in range(3)]
    assert [status["state"] for status in states] == ["finished", "failed", "finished"]
    assert states[1]["error"] == "KeyError: 'a bug of process 0'"
    assert "KeyError: 'a bug of process 0'" in done.stdout, "the table says why"
    assert "Traceback" not in done.stdout + done.stderr
    assert "a bug of process 0" in (tmp_path / "sweep" / "1" / "traceback.txt").read_text()
    assert (tmp_path / "sweep" / "comparison.html").is_file()


def test_a_signal_in_a_sweep_prints_the_table_of_what_is_finished(tmp_path: Path) -> None:
    done = sweep_with("SIGTERM", tmp_path)
    assert done.returncode == 143, done.stderr
    assert sorted(path.name for path in (tmp_path / "sweep").glob("*/")) == ["0", "1"]
    assert "stopped by SIGTERM" in done.stdout
    assert "comparison.html" in done.stdout
    (line,) = done.stderr.strip().splitlines()
    assert line == f"stopped by SIGTERM; go on with: python {ROOT}/train.py resume_sweep=sweep 'allow=[tests]'"
    again = train("resume_sweep=sweep", "allow=[tests]", cwd=tmp_path, SABOTAGE="off")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("has finished before") == 1
    assert "/sweep/1/checkpoints/last.ckpt at epoch 1/2, step 3" in again.stdout
    assert sorted(path.name for path in (tmp_path / "sweep").glob("*/")) == ["0", "1", "2"]


def test_a_killed_run_is_recognised_as_dead(tmp_path: Path) -> None:
    from imbalance_lab.evaluation.run_directory import RunDirectory

    killed = train(*JOB, *sabotage("on_train_batch_start", "SIGKILL", step=3), "hydra.run.dir=run", cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    directory = RunDirectory(tmp_path / "run")
    assert json.loads(directory.status.read_text())["state"] == "running"
    assert directory.read_status()["state"] == "killed"
