"""`sweep=slurm`: what is asked of Slurm, what a preempted job does, and whole sweeps on a Slurm of one machine."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.slurm_options import SlurmOptions
from imbalance_lab.errors import UsageError
from tests.helpers import fake_slurm
from tests.helpers.command_line import ENVIRONMENT, ROOT, finished
from tests.helpers.runs import assert_same_run

JOB = ("backbone=mlp", "logger=csv", "baselines=false")
ALONE = (*JOB, "trainer=cpu")


def trainer(**options: Any) -> Any:
    return OmegaConf.create({"devices": 1, "num_nodes": 1, "accelerator": "cpu"} | options)


def test_a_run_has_a_process_for_each_device() -> None:
    asked = SlurmOptions(partition="p", gpus=4, cpus=3, memory=7.5, time=90, jobs=5, setup=["module load cuda"])
    given = asked.parameters(trainer(devices=4, num_nodes=2, accelerator="gpu"))
    assert given == {
        "timeout_min": 90,
        "gpus_per_node": 4,
        "cpus_per_task": 3,
        "mem_gb": 7.5,
        "nodes": 2,
        "tasks_per_node": 4,
        "slurm_setup": ["module load cuda"],
        "slurm_partition": "p",
        "slurm_signal_delay_s": 120,
        "slurm_array_parallelism": 5,
        "slurm_additional_parameters": {"requeue": True},
    }


@pytest.mark.parametrize(
    ("gpus", "options", "processes"),
    [
        (0, {}, 1),
        (0, {"devices": 2}, 2),
        (1, {"accelerator": "auto"}, 1),
        (3, {"accelerator": "gpu", "devices": "auto"}, 3),
        (2, {"accelerator": "gpu", "devices": [0, 1]}, 2),
    ],
)
def test_the_trainer_says_how_many_processes(gpus: int, options: dict[str, Any], processes: int) -> None:
    assert SlurmOptions(gpus=gpus).processes(trainer(**options)) == processes


@pytest.mark.parametrize(
    ("gpus", "options", "sentence"),
    [
        (0, {"accelerator": "gpu", "devices": "auto"}, "choose sweep.gpus=N"),
        (1, {"accelerator": "gpu", "devices": 4}, "sweep.gpus=1, but trainer.devices=4 needs 4"),
        (4, {"accelerator": "auto"}, "sweep.gpus=4, but trainer.devices=1 uses 1"),
        (0, {"devices": "two"}, "trainer.devices=two must be an integer"),
    ],
)
def test_gpus_that_the_trainer_does_not_use_are_one_sentence(gpus: int, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        SlurmOptions(gpus=gpus).processes(trainer(**options))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"time": "4h"}, "sweep.time must be an integer ≥ 1, got '4h'"),
        ({"time": 2}, "sweep.signal_delay=120 seconds leave nothing of sweep.time=2 minutes"),
        ({"jobs": 0}, "sweep.jobs must be an integer ≥ 1"),
        ({"memory": 0}, r"sweep.memory \(or null\) must be a finite number"),
        ({"cluster": "pbs"}, "sweep.cluster must be one of slurm, local"),
        ({"setup": "module load cuda"}, "sweep.setup must be a list"),
        ({"options": ["x"]}, "sweep.options must be a mapping"),
    ],
)
def test_a_value_that_slurm_would_refuse_later_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=sentence):
        SlurmOptions(**options)


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """The variables with which a program finds a Slurm of one machine."""
    return fake_slurm.install(tmp_path / "slurm")


def start(folder: Path, slurm: dict[str, str], *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), "-m", "sweep=slurm", *words, "hydra.sweep.dir=sweep"],
        cwd=folder,
        env=ENVIRONMENT | slurm | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(slurm: dict[str, str], *command: str) -> None:
    subprocess.run(command, env=os.environ | slurm, check=True)


def lives(slurm: dict[str, str], job: str, log: Path, process: "subprocess.Popen[str]") -> Iterator[int]:
    """The number of each start of a job, when it trains."""
    count, seen = 0, 0
    while process.poll() is None:
        state = fake_slurm.jobs(slurm).get(job, {"starts": 0, "state": ""})
        text = log.read_text() if log.is_file() else ""
        if state["starts"] > count:
            count, seen = state["starts"], len(text)
        if state["state"] == "RUNNING" and "epoch " in text[seen:]:
            yield count
            seen = len(text) + 10**9
        time.sleep(0.05)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_ten_preemptions_of_every_kind_leave_no_trace(slurm: dict[str, str], tmp_path: Path) -> None:
    words = (*ALONE, "max_epochs=150", "optimizer.lr=1e-4")
    whole = finished(*words, cwd=tmp_path)
    process = start(tmp_path, slurm, *words, "seed=0")
    log, rng = tmp_path / "sweep" / ".submitit" / "1" / "1_0_log.out", random.Random(0)
    for number in lives(slurm, "1", log, process):
        if number > 10:
            continue
        time.sleep(rng.uniform(0, 0.5))
        kind = ("USR2", "TERM", "requeue", "node")[number % 4]
        if kind == "node":  # Slurm puts the job of a lost node back
            path = Path(slurm["FAKE_SLURM"]) / "1.json"
            state = json.loads(path.read_text())
            path.write_text(json.dumps(state | {"state": "REQUEUED"}))
            os.kill(state["tasks"][0], signal.SIGKILL)
        elif kind == "requeue":
            call(slurm, "scontrol", "requeue", "1")
        else:
            call(slurm, "scancel", "1", "--signal", kind)
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert fake_slurm.jobs(slurm)["1"]["starts"] == 11
    assert "AUROC" in out
    status = json.loads((tmp_path / "sweep" / "0" / "status.json").read_text())
    assert len(status["earlier"]) == 10
    assert_same_run(whole, tmp_path / "sweep" / "0")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_job_of_two_processes_is_preempted_and_goes_on(slurm: dict[str, str], tmp_path: Path) -> None:
    words = (*JOB, "max_epochs=40", "trainer=ddp_cpu", "backbone.dropout=0")
    whole = finished(*words, cwd=tmp_path)
    process = start(tmp_path, slurm, *words, "seed=0")
    log = tmp_path / "sweep" / ".submitit" / "1" / "1_0_log.out"
    for number in lives(slurm, "1", log, process):
        if number <= 2:
            call(slurm, "scancel", "1", "--signal", "USR2" if number == 1 else "TERM")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert fake_slurm.jobs(slurm)["1"]["starts"] == 3
    assert_same_run(whole, tmp_path / "sweep" / "0")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_lost_job_stops_no_other_and_the_same_command_runs_it_again(slurm: dict[str, str], tmp_path: Path) -> None:
    words = (*ALONE, "max_epochs=40", "seed=0,1", "sweep.jobs=1")
    process = start(tmp_path, slurm, *words)
    for _ in lives(slurm, "1_0", tmp_path / "sweep" / ".submitit" / "1_0" / "1_0_0_log.out", process):
        call(slurm, "scancel", "1_0")
    out, errors = process.communicate()
    assert process.returncode == 1
    assert "its job 1_0 has ended without a result" in errors
    assert "Traceback" not in errors
    states = [json.loads((tmp_path / "sweep" / name / "status.json").read_text())["state"] for name in "01"]
    assert states == ["preempted", "finished"]
    assert "stopped by SIGTERM" in out
    again = start(tmp_path, slurm, *words)
    out, errors = again.communicate()
    assert again.returncode == 0, errors
    assert "over 2 seeds" in out
    status = json.loads((tmp_path / "sweep" / "0" / "status.json").read_text())
    assert [each["state"] for each in status["earlier"]] == ["preempted"]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_command_that_is_given_again_waits_for_the_jobs_that_are_there(slurm: dict[str, str], tmp_path: Path) -> None:
    words = (*ALONE, "max_epochs=60", "seed=0,1", "sweep.jobs=1")
    process = start(tmp_path, slurm, *words)
    for _ in lives(slurm, "1_0", tmp_path / "sweep" / ".submitit" / "1_0" / "1_0_0_log.out", process):
        process.kill()
        process.communicate()
    again = start(tmp_path, slurm, *words)
    out, errors = again.communicate()
    assert again.returncode == 0, errors
    assert "0 jobs submitted, " in out
    assert "1 of an earlier command are there" in out or "2 of an earlier command are there" in out
    assert {job["starts"] for job in fake_slurm.jobs(slurm).values()} == {1}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_what_slurm_refuses_is_one_sentence(slurm: dict[str, str], tmp_path: Path) -> None:
    process = start(tmp_path, slurm, *ALONE, "seed=0,1", "sweep.partition=none_such")
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "error: Slurm refused the jobs: sbatch: error: invalid partition specified: none_such" in errors
    assert "Traceback" not in errors


def working_in(folder: Path, program: str) -> list[int]:
    """The processes that run a program in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if program in (entry / "cmdline").read_text() and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.exhaustive
@pytest.mark.slow
def test_ten_preemptions_by_submitits_own_executor_leave_no_trace(tmp_path: Path) -> None:
    """It starts a job six times at most: the sixth preemption ends the sweep, and the same command goes on."""
    words = (*ALONE, "max_epochs=150", "optimizer.lr=1e-4", "sweep.cluster=local", "seed=0")
    whole = finished(*words[:-2], cwd=tmp_path)
    rng, preempted = random.Random(1), set[int]()
    codes = []
    while len(codes) < 3 and 0 not in codes:
        process = start(tmp_path, {}, *words)
        while process.poll() is None:
            status = tmp_path / "sweep" / "0" / "status.json"
            for job in working_in(tmp_path, "submitit.core._submit"):
                state = json.loads(status.read_text()) if status.is_file() else {}
                is_training = state.get("pid") == job and state["state"] == "running"
                if job not in preempted and is_training and len(preempted) < 10:
                    time.sleep(2 + rng.uniform(0, 1))
                    preempted.add(job)
                    os.kill(job, signal.SIGUSR2)
            time.sleep(0.05)
        process.communicate()
        codes.append(process.returncode)
    assert codes == [1, 0]
    assert len(preempted) == 10
    assert_same_run(whole, tmp_path / "sweep" / "0")
