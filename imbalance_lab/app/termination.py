"""The sentence for a run that SIGTERM stopped: what was saved, and the command that resumes it."""

import os
import sys
from pathlib import Path

from imbalance_lab.app.distributed import job_flags, job_overrides
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import Terminated
from imbalance_lab.text import override, shell_words


def report_termination(directory: RunDirectory, stop: Terminated) -> None:
    """Report that SIGTERM stopped the run in ``directory``, and the command that resumes it, if there is one."""
    best = directory.best_checkpoint
    if stop.saved is not None:
        how = f"; resume with: {_command(_named('ckpt_path', stop.saved))}"
    elif best.is_file():
        how = f" after training; test the model with: {_command('fit=false', _named('ckpt_path', best))}"
    else:
        how = "; nothing was trained"
    print(f"stopped by SIGTERM{how}", file=sys.stderr, flush=True)


def _named(key: str, path: Path) -> str:
    return override(key, os.path.relpath(path))


def _command(*changed: str) -> str:
    """The command line of this job (in a sweep, of this run) with ``changed`` instead of its own values."""
    keys = {each.partition("=")[0] for each in changed}
    kept = [each for each in job_overrides() if each.lstrip("+").partition("=")[0] not in keys]
    program = [sys.argv[0]] if not sys.argv[0].endswith(".py") else ["python", sys.argv[0]]
    flags = [] if (given := job_flags()) == ["--config-name", "train"] else given
    return shell_words(*[*program, *flags, *kept, *changed])
