"""Several processes, whoever starts them: one run directory, one table, the scores of one process; no one hangs."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.helpers import fork_server
from tests.helpers.command_line import ENVIRONMENT, ROOT, finished, train
from tests.helpers.runs import assert_same_run
from tests.helpers.sabotage import sabotage

pytestmark = pytest.mark.slow

JOB = ("backbone=mlp", "backbone.dropout=0", "max_epochs=2", "logger=csv", "data.calibration_fraction=0.1")
LONG = ("backbone=mlp", "max_epochs=1000", "logger=csv")
DDP = (*JOB, "trainer=ddp_cpu")
SCRIPT = str(ROOT / "train.py")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
TIMEOUTS = {"SIGSTOP": (6, 60, 240)}
"""Seconds of ``trainer.timeout`` for what is noticed by it only; the longer ones are for a machine on which the
processes do not meet in time."""
FRESH = {fork_server.FRESH_CHILDREN: "yes"}
Launched = tuple[Callable[..., subprocess.Popen[str]], list[tuple[list[str], dict[str, str]]]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The run of one process."""
    return RunDirectory(finished(*JOB, "trainer=cpu", cwd=tmp_path_factory.mktemp("alone")))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of two processes that Lightning has started."""
    return finished(*DDP, cwd=tmp_path_factory.mktemp("together"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_all(
    commands: list[tuple[list[str], dict[str, str]]],
    cwd: Path,
    start: Callable[..., subprocess.Popen[str]] = fork_server.Popen,
) -> list[tuple[int, str, str]]:
    """Run commands at the same time; the exit code, stdout and stderr of each."""
    processes = [
        start(
            command,
            cwd=cwd,
            env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command, environment in commands
    ]
    outputs = [process.communicate(timeout=240) for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


def torchrun(nodes: int, each: int) -> list[tuple[list[str], dict[str, str]]]:
    address = ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    shape = [f"trainer.devices={each}", f"trainer.num_nodes={nodes}"]
    return [
        (
            [
                *TORCHRUN,
                f"--nnodes={nodes}",
                f"--node-rank={node}",
                f"--nproc-per-node={each}",
                *address,
                SCRIPT,
                *DDP,
                *shape,
            ],
            {},
        )
        for node in range(nodes)
    ]


def srun(tasks: int) -> list[tuple[list[str], dict[str, str]]]:
    """What srun sets for the tasks of a job on one machine."""
    job = {
        "SLURM_JOB_ID": str(free_port()),
        "SLURM_JOB_NAME": "train",
        "SLURM_NTASKS": str(tasks),
        "SLURM_NTASKS_PER_NODE": str(tasks),
        "SLURM_NNODES": "1",
        "SLURM_NODEID": "0",
        "SLURM_NODELIST": "127.0.0.1",
    }
    return [
        ([sys.executable, SCRIPT, *DDP], job | {"SLURM_PROCID": str(task), "SLURM_LOCALID": str(task)})
        for task in range(tasks)
    ]


# Interpreters of their own see what only they can: that nothing prints before torch is told to be silent.
LAUNCHES: dict[str, Callable[[], Launched]] = {
    "torchrun 1 x 2": lambda: (fork_server.Popen, torchrun(1, 2)),
    "torchrun 2 x 2": lambda: (fork_server.Popen, torchrun(2, 2)),
    "srun": lambda: (subprocess.Popen, srun(2)),
}
SLOW = ("torchrun 2 x 2", "srun")


@pytest.mark.parametrize(
    "launch",
    [pytest.param(each, marks=[pytest.mark.exhaustive] * (name in SLOW)) for name, each in LAUNCHES.items()],
    ids=LAUNCHES,
)
def test_whoever_starts_the_processes_there_is_one_run(
    launch: Callable[[], Launched], alone: RunDirectory, tmp_path: Path
) -> None:
    start, commands = launch()
    ended = start_all(commands, tmp_path, start)
    assert [code for code, _, _ in ended] == [0] * len(ended), [errors for _, _, errors in ended]
    (status,) = tmp_path.rglob("status.json")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert json.loads(status.read_text())["state"] == "finished"
    told = "".join(out for _, out, _ in ended)
    assert told.count("macro AUROC") == 1
    assert told.count("epoch 2/2") == 1
    assert not any(line for _, _, errors in ended for line in errors.splitlines() if "OMP_NUM_THREADS" not in line)
    run = RunDirectory(status.parent)
    for split in ("val", "test", "calibration"):
        one, many = (each.read_predictions(split) for each in (alone, run))  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.index, many.index)
        np.testing.assert_allclose(one.logits, many.logits, atol=2e-4)
    one_score, many_score = (each.read_scores()["test"]["auroc"]["value"] for each in (alone, run))  # type: ignore[index]
    assert one_score == pytest.approx(many_score, abs=1e-4)


def test_a_launcher_without_a_trainer_of_several_processes_is_one_sentence(tmp_path: Path) -> None:
    ended = start_all([([*each[:2], *JOB, "trainer=cpu"], env) for each, env in srun(2)], tmp_path)
    assert {code for code, _, _ in ended} == {2}
    errors = [line for _, _, each in ended for line in each.splitlines()]
    assert len(errors) == 1
    assert "2 processes were started, but trainer.devices × trainer.num_nodes is 1: choose trainer=ddp" in errors[0]


DEATHS = {
    "the second is killed": ("SIGKILL", 1, 1, "process 1 of the job has died"),
    "the first is killed": ("SIGKILL", 0, -signal.SIGKILL, "another process of the job has died"),
    "the second is frozen": ("SIGSTOP", 1, 1, "did not answer within trainer.timeout"),
    "the second raises": ("raise", 1, 1, "KeyError: 'a bug of process 1'"),
}


@pytest.mark.parametrize(
    ("action", "rank", "code", "sentence"),
    [
        pytest.param(*each, marks=[pytest.mark.exhaustive] * (name == "the first is killed"))
        for name, each in DEATHS.items()
    ],
    ids=DEATHS,
)
def test_a_lost_process_ends_the_job_with_one_sentence(
    action: str, rank: int, code: int, sentence: str, tmp_path: Path
) -> None:
    for timeout in TIMEOUTS.get(action, (240,)):
        cwd = tmp_path / str(timeout)
        cwd.mkdir()
        done = train(
            *DDP,
            f"trainer.timeout={timeout}",
            *sabotage("on_train_batch_start", action, step=3, rank=rank),
            "hydra.run.dir=run",
            cwd=cwd,
            **(FRESH if rank == 0 else {}),  # where the second goes on, torch would print what it misses
        )
        if "clients joined" not in done.stderr:
            break
    assert done.returncode == code
    assert sentence in done.stderr
    assert "gloo" not in done.stderr
    assert done.stderr.count("error:") == 1
    status = RunDirectory(cwd / "run").read_status()
    assert status["state"] in ("failed", "killed")
    assert sentence in status["error"] or status["state"] == "killed"
    assert not processes_in(cwd)


@pytest.mark.parametrize(
    "phase", ["on_train_batch_start", pytest.param("on_test_batch_end", marks=pytest.mark.exhaustive)]
)
def test_a_signal_to_any_process_stops_all_and_the_resumed_run_is_the_same(
    phase: str, together: Path, tmp_path: Path
) -> None:
    job = [*DDP, *sabotage(phase, "SIGTERM", step=8, rank=1)]
    done = train(*job, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 143, done.stderr
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "preempted"
    assert done.stderr.startswith("stopped by SIGTERM; resume with: python")
    assert done.stderr.count("\n") == 1
    assert not processes_in(tmp_path)
    last = "ckpt_path=run/checkpoints/last.ckpt"
    resumed = train(last, "allow=[tests]", "hydra.run.dir=resumed", cwd=tmp_path, SABOTAGE="off")
    assert resumed.returncode == 0, resumed.stderr
    assert_same_run(together, tmp_path / "resumed")


def test_a_signal_to_the_whole_group_ends_the_job(tmp_path: Path) -> None:
    process = fork_server.Popen(
        [sys.executable, SCRIPT, *LONG, "trainer=ddp_cpu", "hydra.run.dir=run"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("epoch 2/"):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert errors.startswith("stopped by SIGTERM; resume with: ")
    assert errors.count("\n") == 1


def processes_in(folder: Path) -> list[str]:
    """The command lines of processes that still work in a folder after half a second."""
    deadline = time.monotonic() + 0.5
    while (found := _working_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _working_in(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
