"""The whole command line in this process, up to the first step of training: a hundred mistakes in seconds."""

import os
import runpy
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hydra.core.global_hydra import GlobalHydra

from imbalance_lab.app import train
from imbalance_lab.app.cli import Sweep
from tests.helpers.command_line import ROOT

FAST = ("trainer=cpu", "backbone=mlp", "logger=none", "max_epochs=1")
"""Left out where the arguments set the same key."""


class Answer(NamedTuple):
    """How a command line ended: the exit code, None if it began to train, and what it wrote to stderr."""

    code: int | None
    error: str


class TrainingBeganError(BaseException):
    """Raised instead of training; no handler of errors catches it."""


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """``python train.py ARGUMENTS`` in this process and its working directory."""

    def begin(*arguments: object) -> None:
        raise TrainingBeganError

    monkeypatch.setattr(train, "fit", begin)

    def run(*arguments: str) -> Answer:
        keys = {word.lstrip("+~").partition("=")[0] for word in arguments}
        overrides = [word for word in FAST if word.partition("=")[0] not in keys]
        monkeypatch.setattr(sys, "argv", [str(ROOT / "train.py"), *overrides, *arguments])
        GlobalHydra.instance().clear()
        Sweep.directory, Sweep.job_started = None, False
        before = dict(os.environ)
        code: int | None = 0
        capsys.readouterr()
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 0
        except TrainingBeganError:
            code = None
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Answer(code, capsys.readouterr().err)

    return run
