"""torchrun on two machines: a process or a whole machine is lost, comes back, and the run goes on as if it had not."""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imbalance_lab.app.distributed import cluster_environment
from imbalance_lab.app.launchers import OWN_STORES, check_launched, check_restarts
from imbalance_lab.errors import UsageError
from tests.helpers.command_line import ROOT
from tests.helpers.runs import assert_same_run
from tests.helpers.two_nodes import ADDRESSES, are_possible, start_on, two_nodes

JOB = ("backbone=mlp", "backbone.dropout=0", "max_epochs=400", "logger=csv", "baselines=false", "trainer.timeout=30")
SHAPE = ("trainer=ddp_cpu", "trainer.devices=1", "trainer.num_nodes=2")


@pytest.mark.parametrize(
    ("words", "key"),
    [(["seed=1"], "hydra.run.dir=DIR"), (["-m", "seed=0,1", "hydra.run.dir=x"], "hydra.sweep.dir=DIR")],
)
def test_a_job_that_torchrun_starts_again_needs_a_directory_that_stays(
    words: list[str], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "1", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "0")
    check_restarts(words)
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    with pytest.raises(UsageError, match=key):
        check_restarts(words)
    check_restarts([*words, key])
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    with pytest.raises(UsageError, match=f"^torchrun --max-restarts=3: a process .* set {OWN_STORES}=1"):
        check_restarts([*words, key])
    monkeypatch.setenv(OWN_STORES, "1")
    check_restarts([*words, key])


@pytest.mark.parametrize(
    ("started", "wanted", "sentence"),
    [
        (1, (2, 1), "one process was started, but trainer.devices × trainer.num_nodes is 2"),
        (2, (4, 1), "2 processes were started, but trainer.devices × trainer.num_nodes is 4"),
        (4, (2, 1), "4 processes were started, but trainer.devices × trainer.num_nodes is 2"),
        (1, (1, 2), "trainer.num_nodes=2 needs a launcher"),
        (4, (2, 2), None),
        (1, (1, 1), None),
    ],
)
def test_a_launcher_starts_as_many_processes_as_the_trainer_wants(
    started: int, wanted: tuple[int, int], sentence: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lightning.fabric.plugins.environments import SLURMEnvironment

    for name, value in {"NTASKS": str(started), "NTASKS_PER_NODE": "1", "JOB_NAME": "train", "PROCID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    strategy = SimpleNamespace(cluster_environment=SLURMEnvironment())
    trainer: Any = SimpleNamespace(num_devices=wanted[0], num_nodes=wanted[1], strategy=strategy)
    with nullcontext() if sentence is None else pytest.raises(UsageError, match=sentence):
        check_launched(trainer)


def test_tasks_of_slurm_without_their_number_on_each_machine_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    with pytest.raises(UsageError, match=r"asked for 2 processes .* use --ntasks-per-node"):
        cluster_environment()


@pytest.fixture(scope="module")
def nodes() -> Iterator[None]:
    if not are_possible():
        pytest.skip("network namespaces need root and iproute2")
    with two_nodes():
        yield


def torchrun(node: int, folder: Path, name: str) -> Any:
    elastic = [
        *("--nnodes=2", "--nproc-per-node=1", "--max-restarts=5", "--rdzv-backend=c10d", f"--rdzv-id={name}"),
        *(f"--rdzv-endpoint={ADDRESSES[0]}:29400", f"--local-addr={ADDRESSES[node]}"),
        f"--rdzv-conf=is_host={node == 0}",  # no name server knows them
    ]
    command = [sys.executable, "-m", "torch.distributed.run", *elastic, str(ROOT / "train.py"), *JOB, *SHAPE]
    log = folder / f"{name}-{node}.log"
    own = {"PYTHONPATH": str(ROOT), OWN_STORES: "1"}
    return start_on(node, *command, f"hydra.run.dir={name}", log=log, cwd=folder, **own)


def wait_for_epochs(folder: Path, name: str, count: int) -> None:
    """Wait until so many epochs were trained in all starts of the run."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if sum((folder / f"{name}-{node}.log").read_text().count("\nepoch ") for node in (0, 1)) >= count:
            return
        time.sleep(0.05)
    raise TimeoutError(f"{name} does not train: {(folder / f'{name}-0.log').read_text()}")


def workers(agent: int) -> list[int]:
    """The processes that an agent has started."""
    return [int(pid) for pid in Path(f"/proc/{agent}/task/{agent}/children").read_text().split()]


def finish(*agents: Any) -> list[int]:
    return [agent.wait(timeout=240) for agent in agents]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_lost_process_and_a_lost_machine_leave_no_trace(nodes: None, tmp_path: Path) -> None:
    assert finish(*(torchrun(node, tmp_path, "whole") for node in (0, 1))) == [0, 0]
    first, second = (torchrun(node, tmp_path, "run") for node in (0, 1))
    rng = random.Random(0)
    wait_for_epochs(tmp_path, "run", 5)
    time.sleep(rng.random())
    os.kill(workers(second.pid)[0], signal.SIGKILL)  # a process: its agent starts it again, and so does the other
    wait_for_epochs(tmp_path, "run", 40)
    time.sleep(rng.random())
    os.killpg(second.pid, signal.SIGKILL)  # the machine
    second.wait()
    time.sleep(3)
    second = torchrun(1, tmp_path, "run")  # it comes back
    assert finish(first, second) == [0, 0], (tmp_path / "run-0.log").read_text()
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert len(status["earlier"]) >= 2
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["whole", "run"]
    assert_same_run(tmp_path / "whole", tmp_path / "run")
