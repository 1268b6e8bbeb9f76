"""Going on with a sweep: what its directory remembers, and which commands are refused before anything is written."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf, open_dict

from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.sweep_record import (
    check_sweep,
    number_of_jobs,
    read_record,
    resume_command,
    resumed_arguments,
    write_record,
)
from imbalance_lab.errors import UsageError
from imbalance_lab.files import process_start
from tests.helpers.in_process import Answer, runner

SWEEP = ("loss=focal,ldam", "loss.gamma=1", "allow=[tests]")


def sweep_config(*words: str, hydra: tuple[str, ...] = ()) -> DictConfig:
    """What Hydra gives to a callback at the start of a sweep."""
    plain = [word for word in words if "," not in word]
    config = compose_config([*plain, *(word for word in hydra if "," not in word)], with_hydra=True)
    with open_dict(config):
        config.hydra.overrides.task, config.hydra.overrides.hydra = list(words), list(hydra)
    return config


def test_a_sweep_goes_on_with_its_own_command(tmp_path: Path) -> None:
    own = ("hydra.sweep.subdir=run_${hydra.job.num}", "hydra.mode=MULTIRUN")
    write_record(sweep_config(*SWEEP, "sweep=parallel", "sweep.jobs=2", hydra=own), tmp_path)
    given = f"resume_sweep='{tmp_path}'"
    common = ["-m", "loss=focal,ldam", "loss.gamma=1"]
    subdir, where = own[0], f"hydra.sweep.dir={tmp_path}"
    assert resumed_arguments([given]) == [*common, "sweep=parallel", "sweep.jobs=2", subdir, where]
    assert resumed_arguments([given, "-m", "sweep.jobs=1", "allow=[tests]"]) == [
        *(*common, "sweep=parallel", subdir, "sweep.jobs=1", "allow=[tests]", where)
    ]
    assert resumed_arguments([given, "sweep=grid"]) == [*common, subdir, "sweep=grid", where]
    assert resumed_arguments(["loss=focal", "-m"]) == ["loss=focal", "-m"]


def test_a_sweep_goes_on_with_its_own_config_directory(tmp_path: Path) -> None:
    config = sweep_config("seed=0,1")
    with open_dict(config):
        config.hydra.runtime.config_sources[0].provider = "command-line"
        config.hydra.runtime.config_sources[0].path = "/mine"
        config.hydra.job.config_name = "other"
    write_record(config, tmp_path)
    flags = ["-m", "--config-name", "other", "--config-dir", "/mine"]
    assert resumed_arguments([f"resume_sweep={tmp_path}"]) == [*flags, "seed=0,1", f"hydra.sweep.dir={tmp_path}"]


def test_a_sweep_of_an_earlier_release_goes_on(tmp_path: Path) -> None:
    OmegaConf.save(sweep_config(*SWEEP, hydra=("hydra.mode=MULTIRUN",)), tmp_path / "multirun.yaml")
    record = read_record(tmp_path)
    assert record is not None
    assert (record["overrides"], record["sweep"], record["hydra"]) == (["loss=focal,ldam", "loss.gamma=1"], [], [])
    check_sweep(sweep_config(*SWEEP), tmp_path)


@pytest.mark.parametrize("other", ["max_epochs=5", "loss=focal", "+callbacks.mine={}", "--config-dir=x"])
def test_settings_beside_resume_sweep_are_refused(other: str, tmp_path: Path) -> None:
    write_record(sweep_config(*SWEEP), tmp_path)
    with pytest.raises(UsageError, match=r"goes on with the settings of its sweep: leave .* out"):
        resumed_arguments([f"resume_sweep={tmp_path}", other])


def test_what_is_no_sweep_cannot_go_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not the directory of a sweep: there is no sweep\.json in it"):
        resumed_arguments([f"resume_sweep={tmp_path}"])
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(UsageError, match="has no readable record of its sweep"):
        resumed_arguments([f"resume_sweep={tmp_path}"])


@pytest.mark.parametrize(
    "other", [("loss=focal,ldam", "loss.gamma=2"), ("loss.gamma=1", "loss=focal,ldam"), (*SWEEP, "seed=0,1")]
)
def test_another_command_in_the_directory_of_a_sweep_is_refused(other: tuple[str, ...], tmp_path: Path) -> None:
    write_record(sweep_config(*SWEEP), tmp_path)
    check_sweep(sweep_config(*other), tmp_path)  # no run has begun
    (tmp_path / "0").mkdir()
    with pytest.raises(UsageError, match=r"has another sweep, loss=focal,ldam loss.gamma=1, not .* resume_sweep="):
        check_sweep(sweep_config(*other), tmp_path)
    check_sweep(sweep_config(*SWEEP[:2], "sweep=parallel", "sweep.jobs=3"), tmp_path)


def test_a_sweep_that_is_running_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    write_record(sweep_config(*SWEEP), tmp_path)
    record: dict[str, Any] = json.loads((tmp_path / "sweep.json").read_text())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        alive = {"pid": other.pid, "process_start": process_start(other.pid)}
        (tmp_path / "sweep.json").write_text(json.dumps(record | alive))
        with pytest.raises(UsageError, match=f"is still running, as process {other.pid}: wait for it, or stop it"):
            check_sweep(sweep_config(*SWEEP), tmp_path)
        other.communicate(b"\n")
    check_sweep(sweep_config(*SWEEP), tmp_path)


@pytest.mark.parametrize("jobs", [0, -1, 1.5, "abc", True])
def test_jobs_that_are_no_number_are_refused(jobs: object) -> None:
    with pytest.raises(UsageError, match=r"sweep\.jobs \(or auto\) must be an integer"):
        number_of_jobs(jobs, 4)


def test_the_number_of_jobs_is_that_of_the_cores_at_most_eight() -> None:
    assert [number_of_jobs("auto", cores) for cores in (1, 4, 64)] == [1, 4, 8]
    assert number_of_jobs(5, 2) == 5


def test_the_command_that_goes_on_is_one_for_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "-m", "seed=0,1", "allow=[tests]"])
    assert resume_command(tmp_path / "a b") == """python train.py 'resume_sweep="a b"' 'allow=[tests]'"""


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Answer]:
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sweep=parallel",), "sweep=parallel says how several runs are run: add -m, or leave it out"),
        (("sweep.jobs=2",), "sweep.jobs=2 says how several runs are run: add -m, or leave it out"),
        (
            ("-m", "seed=0,1", "sweep.jobs=2"),
            "there is no 'sweep.jobs' in this configuration, but there is with sweep=",
        ),
        (("-m", "seed=0,1", "sweep=parallel", "sweep.jobs=0"), "sweep.jobs (or auto) must be an integer ≥ 1, got 0"),
        (("-m", "seed=0,1", "sweep=parallel", "sweep.jobs=abc"), "sweep.jobs (or auto) must be an integer"),
        (("-m", "sweep=parallel"), "sweep=parallel has a single run: give a key several values, as in seed=0,1, or"),
        (("-m", "seed=0,1", "sweep=paralel"), "there is no sweep=paralel; did you mean sweep=parallel?"),
        (("resume_sweep=nowhere",), "resume_sweep=nowhere goes on with the settings of its sweep: leave trainer=cpu"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: tuple[str, ...], sentence: str, command: Callable[..., Answer], tmp_path: Path
) -> None:
    answer = command(*words)
    assert answer.code == 2
    assert answer.error.startswith(f"error: {sentence}"), answer.error
    assert answer.error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_another_sweep_is_refused_before_anything_is_written(command: Callable[..., Answer], tmp_path: Path) -> None:
    write_record(sweep_config("seed=0,1"), tmp_path / "s")
    (tmp_path / "s" / "0").mkdir()
    before = (tmp_path / "s" / "sweep.json").read_bytes()
    answer = command("-m", "seed=0,1,2", "hydra.sweep.dir=s")
    assert answer.code == 2
    assert "has another sweep" in answer.error
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["0", "sweep.json"]
    assert (tmp_path / "s" / "sweep.json").read_bytes() == before
    shutil.rmtree(tmp_path / "s")
