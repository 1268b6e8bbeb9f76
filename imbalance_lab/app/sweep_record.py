"""What a sweep remembers of itself, so that it can go on: ``resume_sweep=DIR``, or the same command again.

Nothing of the record is executed: of Hydra's own settings only the names of the runs are taken from it, and whom to
trust (``allow=``) only the command line says.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.distributed import program_words
from imbalance_lab.errors import UsageError
from imbalance_lab.files import process_exists, process_start, write_json
from imbalance_lab.text import is_of_sweep, override, shell_words, split_override
from imbalance_lab.validation import check_integer, check_list

RECORD, HYDRAS = "sweep.json", "multirun.yaml"
"""Our file, and that of Hydra's own sweeper, which earlier releases have left."""

KEPT = ("hydra.sweep.subdir", "hydra.sweeper.max_batch_size")
"""The settings of Hydra that are part of a sweep."""

MAX_AUTOMATIC = 8
"""Jobs at a time with ``sweep.jobs=auto``: each holds its libraries and its data in memory."""

GRID = "hydra_plugins.imbalance_lab_sweeps.grid_sweeper.GridSweeper"
SLURM = "hydra_plugins.imbalance_lab_sweeps.slurm_launcher.SlurmLauncher"
SEARCH = "hydra_plugins.imbalance_lab_sweeps.optuna_sweeper.OptunaSweeper"


def check_sweep(config: DictConfig, directory: Path) -> None:
    """Check, before anything is written, that a sweep can run in ``directory``.

    Raises:
        UsageError: for the directory of another sweep, or of one that is still running; for a wrong ``sweep.jobs``; for
            ``sweep=parallel`` with a single run.
    """
    jobs = OmegaConf.select(config, "sweep.jobs")
    if jobs is not None:
        number_of_jobs(jobs, cores=1)
        if config.hydra.launcher._target_ != SLURM:  # where one run alone is a job too
            _check_several(config)
    if not any(directory.glob("*/")):
        return  # no run has begun, as after a mistake in the command
    record, now = read_record(directory), describe_sweep(config)
    if record is None:
        return
    for key in ("overrides", "hydra", "config_name", "config_dirs", "sweeper"):
        if record.get(key, now[key]) != now[key]:
            before, after = (" ".join(map(str, _listed(each[key]))) or "nothing" for each in (record, now))
            raise UsageError(
                f"hydra.sweep.dir={directory} has another sweep, {before}, not {after}: choose another directory, or "
                f"go on with that one by {shell_words(override('resume_sweep', os.path.relpath(directory)))}"
            )
    if _is_alive(record) and now["sweeper"] != SEARCH:  # of which several processes share the trials
        raise UsageError(
            f"the sweep in {directory} is still running, as process {record['pid']}: wait for it, or stop it"
        )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_several(config: DictConfig) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    words = _given(config, "task")
    is_swept = any(each.is_sweep_override() for each in OverridesParser.create().parse_overrides(words))
    if config.hydra.sweeper._target_ == GRID and not is_swept and not config.hydra.sweeper.params:
        choice = f"sweep={config.hydra.runtime.choices.sweep}"
        raise UsageError(
            f"{choice} has a single run: give a key several values, as in seed=0,1, or leave out -m and {choice}"
        )


def number_of_jobs(jobs: object, cores: int) -> int:
    """The value of ``sweep.jobs``.

    Raises:
        UsageError: for anything but a number ≥ 1 or "auto".
    """
    if jobs == "auto":
        return min(cores, MAX_AUTOMATIC)
    try:
        return check_integer("sweep.jobs (or auto)", jobs, minimum=1)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def describe_sweep(config: DictConfig) -> dict[str, Any]:
    """What makes a sweep this one: its runs, and their names."""
    hydra = config.hydra
    task, own = _given(config, "task"), _given(config, "hydra")
    return {
        "overrides": _of_runs(task),
        "sweep": [word for word in task if is_of_sweep(word)],
        "hydra": [word for word in own if split_override(word)[0] in KEPT],
        "config_name": hydra.job.config_name,
        "config_dirs": [each.path for each in hydra.runtime.config_sources if each.provider == "command-line"],
        "sweeper": hydra.sweeper._target_,
    }


def _given(config: DictConfig, of: str) -> list[str]:
    """The overrides of a command line as they were given, those of the task or of Hydra itself."""
    words: Any = OmegaConf.to_container(config.hydra.overrides[of], resolve=False)
    return list(map(str, words))


def write_record(config: DictConfig, directory: Path) -> None:
    """Write down what `describe_sweep` says, and which process runs it."""
    own = {"host": socket.gethostname(), "pid": os.getpid(), "process_start": process_start(os.getpid())}
    write_json(directory / RECORD, describe_sweep(config) | own)


def read_record(directory: Path) -> dict[str, Any] | None:
    """The record of a sweep, also of an earlier release; None where there is none.

    Raises:
        UsageError: for a file that is damaged.
    """
    try:
        if (directory / RECORD).is_file():
            content: dict[str, Any] = json.loads((directory / RECORD).read_text(encoding="utf-8"))
            for key in ("overrides", "sweep", "hydra", "config_dirs"):
                check_list(key, content[key])
            return content
        if not (directory / HYDRAS).is_file():
            return None
        hydra = yaml.safe_load((directory / HYDRAS).read_text(encoding="utf-8"))["hydra"]
        return {
            "overrides": _of_runs(hydra["overrides"]["task"]),
            "sweep": [word for word in hydra["overrides"]["task"] if is_of_sweep(word)],
            "hydra": [word for word in hydra["overrides"]["hydra"] if split_override(word)[0] in KEPT],
            "config_name": hydra["job"]["config_name"],
            "config_dirs": [e["path"] for e in hydra["runtime"]["config_sources"] if e["provider"] == "command-line"],
            "sweeper": hydra["sweeper"]["_target_"],
        }
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{directory} has no readable record of its sweep ({type(error).__name__}): start the sweep again in "
            "another directory"
        ) from error


def _of_runs(words: Sequence[str]) -> list[str]:
    return [word for word in words if not is_of_sweep(word) and split_override(word)[0] != "allow"]


def _is_alive(record: Mapping[str, Any]) -> bool:
    """Whether another process of this machine is running the sweep."""
    pid = record.get("pid")
    if record.get("host") != socket.gethostname() or not isinstance(pid, int) or pid == os.getpid():
        return False
    return process_exists(pid) and process_start(pid) == record.get("process_start")


def resumed_arguments(words: Sequence[str]) -> list[str]:
    """The command line that ``resume_sweep=DIR`` stands for; any other as it is.

    Raises:
        UsageError: for a directory without a sweep, and for settings beside it.
    """
    given = [word for word in words if split_override(word)[0] == "resume_sweep"]
    if not given:
        return list(words)
    directory = Path(split_override(given[-1])[1].strip("'\""))
    others = [word for word in words if word not in (*given, "-m", "--multirun")]
    for word in others:
        if not is_of_sweep(word) and split_override(word)[0].partition(".")[0] not in ("hydra", "allow"):
            raise UsageError(f"resume_sweep={directory} goes on with the settings of its sweep: leave {word} out")
    record = read_record(directory)
    if record is None:
        raise UsageError(f"resume_sweep={directory} is not the directory of a sweep: there is no {RECORD} in it")
    flags = ["-m"] + (["--config-name", record["config_name"]] if record["config_name"] not in (None, "train") else [])
    for folder in record["config_dirs"]:
        flags += ["--config-dir", folder]
    replaced = {split_override(word)[0] for word in others}
    is_other_way = "sweep" in replaced  # whose keys are its own
    of_sweep = [] if is_other_way else [word for word in record["sweep"] if split_override(word)[0] not in replaced]
    own = override("hydra.sweep.dir", str(directory))
    return [*flags, *record["overrides"], *of_sweep, *record["hydra"], *others, own]


def resume_command(directory: Path) -> str:
    """The command that goes on with a sweep."""
    allowed = [word for word in sys.argv[1:] if word.startswith("allow=")]
    return shell_words(*program_words(), override("resume_sweep", os.path.relpath(directory)), *allowed)
