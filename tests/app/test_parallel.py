"""`sweep=parallel`: what its processes may use, how jobs that die are told of, and that nothing is left of them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra.core.utils import JobStatus
from omegaconf import OmegaConf

from imbalance_lab.app import worker
from imbalance_lab.app.parallel import ParallelJobs
from imbalance_lab.app.worker import LabelledLines, start_server
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import Terminated
from tests.helpers.acting_jobs import act
from tests.helpers.command_line import ENVIRONMENT, ROOT

if sys.platform == "win32":
    pytest.skip("processes are ended by signals", allow_module_level=True)


def jobs_in(folder: Path, jobs: int) -> ParallelJobs:
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(folder), "subdir": "${hydra.job.num}"}, "job": {}}})
    return ParallelJobs(None, config, None, jobs=start_server(jobs), execute=act)  # type: ignore[arg-type]


def test_what_kills_its_process_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setattr("joblib.externals.loky.cpu_count", lambda: 6)
    monkeypatch.setattr(worker, "PRELOADED", "no_such_module")
    jobs = jobs_in(tmp_path, 2)
    asked = [["do=0"], ["kill=once"], ["kill=always"], ["exit=3"], ["raise=a bug"], ["do=1"]]
    results = jobs.run(asked, first=5)
    for each in jobs.idle:
        each.signal(signal.SIGKILL)
        each.process.join()
    time.sleep(0.2)  # until the pools have noticed
    assert jobs.run([["do=0"]], first=20)[0].return_value == {"threads": "3", "MKL": "3"}
    jobs._stop(signal.SIGTERM)
    assert [each.status is JobStatus.COMPLETED for each in results] == [True, True, False, False, False, True]
    assert results[0].return_value == {"threads": "3", "MKL": "3"}
    sentences = [str(results[n]._return_value) for n in (2, 3, 4)]
    assert sentences == [
        "killed by signal 9 (SIGKILL), 2 times",
        "its process ended with exit code 3, 2 times",
        "KeyError: 'a bug'",
    ]
    assert [len((tmp_path / f"attempts_{n}").read_text()) for n in range(5, 11)] == [1, 2, 2, 2, 1, 1]
    assert RunDirectory(tmp_path / "7").read_status() == {"state": "failed", "error": sentences[0]}
    out, err = capfd.readouterr()
    assert "[5] begun\n[5] at 1\n" in out
    assert "6 of 6 done: run " in out
    assert "run 6: killed by signal 9 (SIGKILL): starting it again\n" in err
    with pytest.raises(UsageError, match="killed by signal 9"):
        _ = results[2].return_value


def test_a_signal_ends_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PRELOADED", "no_such_module")

    def interrupt(*arguments: object, **options: object) -> object:
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        monkeypatch.undo()
        raise Terminated(signal.SIGTERM)

    jobs = jobs_in(tmp_path, 1)
    monkeypatch.setattr("imbalance_lab.app.parallel.wait", interrupt)
    before = signal.getsignal(signal.SIGINT)
    began = time.monotonic()
    with pytest.raises(Terminated):
        jobs.run([["wait=1"]], first=0)
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 30
    _wait_for_end(int((tmp_path / "pid").read_text()))


def _wait_for_end(pid: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and "zombie" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < deadline, f"process {pid} is left"
        time.sleep(0.05)


def test_lines_carry_their_label_whole(capsys: pytest.CaptureFixture[str]) -> None:
    lines = LabelledLines(sys.stdout, "[3] ")
    for text in ("ep", "och 1\nepo", "ch 2\n", "\n", "rest"):
        lines.write(text)
    assert capsys.readouterr().out == "[3] epoch 1\n[3] epoch 2\n"
    assert not lines.isatty()


JOB = ("trainer=cpu", "backbone=mlp", "max_epochs=2", "logger=csv", "baselines=false")


@pytest.mark.exhaustive
def test_a_parallel_sweep_is_its_runs_alone_bit_for_bit(tmp_path: Path) -> None:
    from tests.helpers.command_line import train
    from tests.helpers.runs import assert_same_run

    done = train("-m", "sweep=parallel", "sweep.jobs=2", *JOB, "loss.gamma=0,1,2", "hydra.sweep.dir=s", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 of 3 done" in done.stdout
    assert all(line.startswith(("[0] ", "[1] ", "[2] ")) for line in done.stdout.splitlines() if "epoch " in line)
    for number in range(3):
        alone = train(*JOB, f"loss.gamma={number}", f"hydra.run.dir=alone{number}", cwd=tmp_path)
        assert alone.returncode == 0, alone.stderr
        assert_same_run(tmp_path / f"alone{number}", tmp_path / "s" / str(number))
    again = train("resume_sweep=s", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("has finished before") == 3


@pytest.mark.exhaustive
def test_ctrl_c_saves_every_run_and_leaves_no_process(tmp_path: Path) -> None:
    words = ["-m", "sweep=parallel", "sweep.jobs=2", *JOB[:2], "max_epochs=3000", "seed=0,1", "hydra.sweep.dir=a sweep"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    checkpoints = [tmp_path / "a sweep" / n / "checkpoints" / "last.ckpt" for n in "01"]
    while not all(each.is_file() for each in checkpoints):
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    workers = [json.loads((tmp_path / "a sweep" / n / "status.json").read_text())["pid"] for n in "01"]
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.splitlines()[-1].endswith("""train.py 'resume_sweep="a sweep"'""")
    assert "stopped by Ctrl-C; go on with: python " in err
    for each in workers:
        _wait_for_end(each)
    states = [json.loads((tmp_path / "a sweep" / n / "status.json").read_text())["state"] for n in "01"]
    assert states == ["interrupted", "interrupted"]
    assert "comparison.html" in out


@pytest.mark.exhaustive
@pytest.mark.parametrize("jobs", [1, 2])
def test_each_process_has_its_share_of_the_cores(jobs: int, tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    asks = ["allow=[tests]", "+callbacks.ask={_target_:tests.helpers.threads.AskThreads}", f"sweep.jobs={jobs}"]
    words = ["-m", "sweep=parallel", *asks, *JOB[:2], "max_epochs=1", "logger=csv", "seed=0,1", "hydra.sweep.dir=s"]
    environment = {name: value for name, value in ENVIRONMENT.items() if not name.endswith("_NUM_THREADS")}
    subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *words],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    share = max(1, cores // jobs)
    for run in "01":
        found = json.loads((tmp_path / "s" / run / "threads.json").read_text())
        assert found["torch"] == share
        assert found["worker"] == 1
        assert max(found["pools"]) <= share
        assert found["variables"] == [str(share)] * 3
