"""`sweep=ray` on a Ray of this machine; the tests need the extra "ray"."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.helpers.command_line import ENVIRONMENT, ROOT, train
from tests.helpers.runs import assert_same_run

pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = pytest.mark.exhaustive

JOB = ("trainer=cpu", "backbone=mlp", "logger=csv", "baselines=false")
SWEEP = ("-m", "sweep=ray", "hydra.sweep.dir=s")


def workers() -> list[int]:
    """The processes that are at a run now."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        if words.startswith("ray::_call"):
            found.append(int(folder.name))
    return found


def test_its_runs_are_those_of_a_run_alone_and_a_failing_one_stops_nothing(tmp_path: Path) -> None:
    words = (*JOB, "max_epochs=2")
    done = train(*SWEEP, *words, "loss.gamma=0,-1,2", cwd=tmp_path)
    assert done.returncode == 1
    assert "gamma must be" in RunDirectory(tmp_path / "s" / "1").read_status()["error"]
    for number in (0, 2):
        alone = train(*words, f"loss.gamma={number}", f"hydra.run.dir=alone{number}", cwd=tmp_path)
        assert alone.returncode == 0, alone.stderr
        assert_same_run(tmp_path / f"alone{number}", tmp_path / "s" / str(number))
    assert (tmp_path / "s" / "comparison.html").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_run_whose_process_is_killed_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    words = (*JOB, "max_epochs=150", "backbone.dropout=0.2", "early_stopping=false")
    command = [sys.executable, str(ROOT / "train.py"), *SWEEP, *words, "loss.gamma=1"]
    environment = (
        os.environ | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    )
    sweep = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    run = RunDirectory(tmp_path / "s" / "0")
    deadline = time.monotonic() + 120
    while not run.last_checkpoint.is_file():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for worker in workers():
        os.kill(worker, signal.SIGKILL)
    output, _ = sweep.communicate(timeout=240)
    assert sweep.returncode == 0, output
    assert run.read_status()["state"] == "finished"
    whole = train(*words, "loss.gamma=1", "hydra.run.dir=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert_same_run(tmp_path / "whole", run.path)
