"""How a job ends: its exit code, and the one sentence that it prints."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from imbalance_lab.app.cli import exit_with_error
from imbalance_lab.app.distributed import (
    cluster_environment,
    is_first_process,
    job_flags,
    job_overrides,
    leave_process_group,
    program_words,
)
from imbalance_lab.app.peers import PeerError, is_connected, kill_children, kill_parent
from imbalance_lab.app.status import RunStatus
from imbalance_lab.errors import UsageError, describe
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import atomic_write, free_space, is_disk_error, readable_size
from imbalance_lab.termination import STOP, Terminated
from imbalance_lab.text import override, shell_words, visible


@dataclass
class Ending:
    """What is known about a job when it ends."""

    directory: RunDirectory | None = None
    command: str | None = None
    """What goes on after a signal, instead of a resume from the last checkpoint."""
    is_part: bool = False
    """Whether it is a part of another job, which reports a signal."""


@contextmanager
def run_endings(is_sweep: bool) -> Iterator[Ending]:
    """Turn the errors of a job into exit codes and sentences.

    2 with a sentence for a mistake of the user, 1 with a sentence if another process failed, 143 or 130 after a signal,
    with the command that goes on. In a sweep any other error is a sentence too, so that the other runs go on; its
    traceback goes to a file. A process that is not the first one prints only what that one cannot know.
    """
    ending = Ending()
    threading.excepthook = _report_of_thread
    try:
        yield ending
    except PeerError as loss:
        if not is_sweep or not is_first_process() or cluster_environment() is not None:
            _end_at_once(loss, ending.directory)
        kill_children()
        raise UsageError(str(loss)) from loss  # the next run starts processes of its own
    except (UsageError, FloatingPointError) as mistake:
        kill_children()  # or they would report that this process is gone
        if is_sweep:  # Hydra continues with the other runs and reports this one at the end
            raise UsageError(str(mistake)) from mistake
        if is_first_process() or not is_connected():
            exit_with_error(str(mistake))
        sys.exit(2)
    except Terminated as stop:
        kill_children()
        is_told = is_sweep or ending.is_part  # whoever started it says how it goes on
        if is_first_process() and ending.directory is not None and not is_told:
            report_termination(ending.directory, stop, ending.command)
        raise
    except Exception as error:
        kill_children()
        full = is_disk_error(error)  # of a file that a logger writes; ours are sentences already
        if not is_sweep and full and ending.directory is not None:
            free = readable_size(free_space(ending.directory.path))
            exit_with_error(f"{ending.directory.path}: {describe(error)}: {free} are free, free some space")
        if not is_sweep or ending.directory is None:
            raise
        file = ending.directory.traceback
        with suppress(UsageError), atomic_write(file) as temporary:
            temporary.write_text(traceback.format_exc(), encoding="utf-8")
        raise UsageError(f"{describe(error)} (traceback in {os.path.relpath(file)})") from error
    finally:
        leave_process_group()


def _report_of_thread(arguments: threading.ExceptHookArgs) -> None:
    """A full disk, which TensorBoard's thread notices too, is told once, by the main thread."""
    if not isinstance(arguments.exc_value, OSError) or not is_disk_error(arguments.exc_value):
        threading.__excepthook__(arguments)


def _end_at_once(loss: PeerError, directory: RunDirectory | None) -> None:
    """End without the clean-up of a process group in which others no longer answer."""
    if is_first_process() or not loss.is_told:
        print(visible(f"error: {loss}"), file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    kill_children()
    kill_parent()
    if directory is not None and not loss.is_told and (status := directory.read_status())["state"] == "killed":
        directory.write_status(status | {"state": "failed", "error": str(loss)})  # the first process no longer can
    os._exit(1)


def report_death(directory: RunDirectory, status: RunStatus, code: int, sentence: str) -> int:
    """Report that a process of the job has ended with ``code``, in the first process; return the code to end with."""
    signum = STOP.signum or {143: signal.SIGTERM, 130: signal.SIGINT}.get(code)
    if signum is not None:
        stop = Terminated(signum)
        status.end(stop.state, str(stop))
        report_termination(directory, stop)
        return int(stop.code or 0)
    status.end("failed", sentence)
    print(visible(f"error: {sentence}"), file=sys.stderr, flush=True)
    return 1


def report_termination(directory: RunDirectory, stop: Terminated, command: str | None = None) -> None:
    """Report that a signal stopped the run in ``directory``, and the ``command`` that goes on, if there is one."""
    if command is not None:
        how = f"; go on with: {command}"
    elif directory.last_checkpoint.is_file():
        how = f"; resume with: {_resume_command(directory.last_checkpoint)}"
    else:
        how = "; nothing was saved: start it again"
    print(f"{stop}{how}", file=sys.stderr, flush=True)


def job_command() -> list[str]:
    """The first words of a command line for another job with the same flags of Hydra."""
    flags = job_flags()
    return [*program_words(), *([] if flags == ["--config-name", "train"] else flags)]


def _resume_command(path: Path) -> str:
    """The command line that resumes this job; the settings of the run are in the checkpoint."""
    allowed = [each for each in job_overrides() if each.startswith("allow=")]
    return shell_words(*job_command(), override("ckpt_path", os.path.relpath(path)), *allowed)
