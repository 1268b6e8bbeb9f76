"""What a run does that is started again in its own directory: it has finished, it goes on, or it starts anew.

`status.json` tells which overrides the run has had, for Hydra writes its files before a job starts. It alone tells
whether a run has finished: a hundred finished runs of a sweep are passed in a moment.
"""

import math
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from imbalance_lab.app.distributed import is_first_process, is_lightnings_child, shared
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.status_file import is_of_another_process
from imbalance_lab.text import split_override, visible


@dataclass(frozen=True)
class Restart:
    """What is there of a run, and so what is left to do.

    Args:
        score: the validation score of a run that has finished, NaN without one; None where something is left to do.
        checkpoint: in the run's directory, to go on from; None for a run that starts anew.
        earlier: how the run ended each time that it was started before, the first one first.
        is_new: whether the directory has nothing of a run.
    """

    score: float | None = None
    checkpoint: Path | None = None
    earlier: tuple[Mapping[str, Any], ...] = field(default=())
    is_new: bool = True

    def apply(self, config: DictConfig) -> None:
        """Let the run go on from its own checkpoint, whatever it was started from at first."""
        if self.checkpoint is not None:
            config.ckpt_path, config.resume = str(self.checkpoint), "exact"

    def clean(self, directory: RunDirectory, config: DictConfig) -> None:
        """Remove what must not be taken for the results of this start.

        A job that only checks the data, or that was given a checkpoint of this directory, leaves all as it is.
        """
        given = None if config.ckpt_path is None else Path(config.ckpt_path).resolve()
        is_own = given is not None and given.is_relative_to(directory.path.resolve())
        if self.is_new or config.check or (is_own and self.checkpoint is None):
            return
        for path in (directory.traceback, *directory.results) if is_own else directory.written:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            if path.parent != directory.path and not any(path.parent.iterdir()):
                path.parent.rmdir()  # of the events of a run in a sweep


NEW = Restart()
"""A run that was never started."""


def find_restart(directory: RunDirectory, config: DictConfig, overrides: Sequence[str]) -> Restart:
    """What is left to do of the run with these ``overrides`` in ``directory``, in every process of the job.

    Raises:
        UsageError: if another process is at it.
    """
    if is_lightnings_child():  # the first process has decided, and said so
        own = directory.read_status().get("checkpoint")
        return Restart(checkpoint=None if own is None else directory.path / own)
    return shared(_find(directory, config, overrides) if is_first_process() else NEW)


def finished_score(directory: RunDirectory, overrides: Sequence[str]) -> float | None:
    """The validation score of a run that has finished with these overrides, NaN without one; None for any other run."""
    status = _read_status(directory)
    if status["state"] != "finished" or not directory.scores.is_file() or not _is_same(status, directory, overrides):
        return None
    score = status.get("score")
    return math.nan if score is None else float(score)


def _find(directory: RunDirectory, config: DictConfig, overrides: Sequence[str]) -> Restart:
    status = _read_status(directory)
    if status["state"] == "running" and is_of_another_process(status):
        _check_host(directory, status)
    if not config.check and (score := finished_score(directory, overrides)) is not None:
        return Restart(score, is_new=False)
    checkpoints = directory.checkpoints.is_dir()
    if status["state"] == "not started" and not checkpoints:
        return NEW
    if status["state"] == "finished" or not _is_same(status, directory, overrides):
        return Restart(is_new=False)
    told = ("state", "error", "started", "seconds", "host")
    earlier = (*status.get("earlier", ()), {name: status[name] for name in told if name in status})
    own = _own_checkpoint(directory) if config.fit and not config.check else None
    return Restart(checkpoint=own, earlier=earlier, is_new=False)


def _check_host(directory: RunDirectory, status: Mapping[str, Any]) -> None:
    """Refuse a run that another process of this machine is at; of another machine that cannot be known."""
    host = status.get("host")
    if host == socket.gethostname():
        raise UsageError(
            f"{directory.path} is the directory of a run that process {status['pid']} is still at: wait for it, stop "
            "it, or choose another directory"
        )
    said = f"warning: {directory.path} says that it runs on {host}: taken for stopped"
    print(visible(said), file=sys.stderr)


def _read_status(directory: RunDirectory) -> dict[str, Any]:
    """The status; one that is damaged says nothing."""
    try:
        return directory.read_status()
    except UsageError:
        return {"state": "damaged"}


def _is_same(status: Mapping[str, Any], directory: RunDirectory, overrides: Sequence[str]) -> bool:
    """Whether the run in ``directory`` has had these overrides."""
    stored = status.get("overrides")
    if not isinstance(stored, list):  # of an earlier release
        from imbalance_lab.checkpoint_file import read_checkpoint_file

        try:
            stored = list(read_checkpoint_file(directory.last_checkpoint)["hyper_parameters"]["overrides"])
        except (UsageError, KeyError, TypeError):
            return False
    return _settings(stored) == _settings(overrides)


def _settings(overrides: Sequence[str]) -> list[str]:
    """The overrides that are settings of the run; whom to trust is none."""
    return [word for word in overrides if split_override(word)[0] != "allow"]


def _own_checkpoint(directory: RunDirectory) -> Path | None:
    """The last checkpoint; if it is damaged, the newest whole one beside it."""
    from imbalance_lab.checkpoint_file import is_whole, newest_whole

    last = directory.last_checkpoint
    if not last.is_file() or is_whole(last):
        return last if last.is_file() else None
    other = newest_whole(directory.checkpoints.glob("*.ckpt"))
    remedy = "the run starts anew" if other is None else f"going on from the newest whole checkpoint, {other}"
    print(visible(f"warning: {last} is damaged: {remedy}"), file=sys.stderr)
    return other
