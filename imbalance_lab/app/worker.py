"""A process that runs the jobs of a sweep one after the other, and what happens in it.

Python's fork server imports what runs need once, and each process begins as a copy of it: in a moment, and without its
own share of the memory. A pool of one process each carries jobs to it, so that it is known which job a process was at
when it died, and the others go on.
"""

import ctypes
import io
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout, suppress
from multiprocessing import forkserver
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
from hydra.core.utils import JobReturn, JobStatus

from imbalance_lab.app.config_cache import keep_parsed_files
from imbalance_lab.app.messages import format_error
from imbalance_lab.app.sweep_record import number_of_jobs
from imbalance_lab.errors import UsageError, describe
from imbalance_lab.termination import SIGNALS, Terminated

_SET_DEATH_SIGNAL = 1  # of prctl, see <linux/prctl.h>

PRELOADED = "imbalance_lab.app.preloaded"
"""The module that imports what runs need."""

_work: list[tuple[Callable[..., JobReturn], tuple[Any, ...]]] = []
"""What this process does with its jobs."""


class Worker:
    """One process, which starts with its first job.

    Args:
        execute: runs a job in it, and takes what `submit` is given.
        arguments: what every job is given after that.
    """

    def __init__(self, execute: Callable[..., JobReturn], *arguments: Any) -> None:
        begin = (list(sys.argv), cloudpickle.dumps((execute, arguments)))
        context = multiprocessing.get_context("forkserver")
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=begin)
        self.process: Any = None

    def submit(self, *arguments: Any, label: str) -> "Future[JobReturn | int]":
        """Let the process run a job; the result is that of Hydra, or the signal that stopped it."""
        future: Future[JobReturn | int] = self.pool.submit(_run, arguments, label)
        if self.process is None:
            self.process = next(iter((self.pool._processes or {}).values()), None)  # none if it died at once
        return future

    def signal(self, signum: int) -> None:
        """Send the process a signal."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signum)

    def how_it_ended(self) -> str:
        """How a process that is gone has ended, in words."""
        if self.process is None:
            return "its process ended as soon as it was started"
        self.process.join(5)
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"its process ended with exit code {code}"
        return f"killed by signal {-code} ({signal.Signals(-code).name})"

    def close(self) -> None:
        """End the process, and those that it has started, at once."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)  # a group of its own
            self.signal(signal.SIGKILL)  # or it has just begun
        self.pool.shutdown(wait=False)


def start_server(jobs: object) -> int:
    """Start the process of which all workers are copies, each with its share of the cores; return how many jobs.

    Libraries use cores ÷ jobs threads, or fewer where OMP_NUM_THREADS says so. The process takes no notice of signals,
    which are for the parent to act on, and ends with it.

    Raises:
        UsageError: for ``jobs`` that are neither a number ≥ 1 nor "auto".
    """
    from joblib.externals.loky import cpu_count  # type: ignore[import-untyped]

    cores = cpu_count()
    number = number_of_jobs(jobs, cores)
    given = os.environ.get("OMP_NUM_THREADS", "")
    threads = max(1, min(cores // number, int(given) if given.isdigit() and int(given) else cores))
    names = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
    limits = {f"{name}_NUM_THREADS": str(threads) for name in names} | {"VECLIB_MAXIMUM_THREADS": str(threads)}
    before, mask = dict(os.environ), signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.environ |= limits | {"PYTHONPATH": os.pathsep.join(sys.path)}  # it has to find what it imports
    try:
        forkserver.set_forkserver_preload([PRELOADED])
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return number


def failed(sentence: str, overrides: Sequence[str] = ()) -> JobReturn:
    """What Hydra is told of a job that failed."""
    returned = JobReturn(overrides=overrides, status=JobStatus.FAILED)
    returned.return_value = UsageError(sentence)
    return returned


class LabelledLines(io.TextIOBase):
    """Writes whole lines, each with a label in front, so that those of several processes can be told apart."""

    def __init__(self, stream: Any, label: str) -> None:
        self.stream, self.label, self.line = stream, label, ""

    def write(self, text: str) -> int:
        """Write the lines that are whole now; empty ones are left out."""
        *whole, self.line = (self.line + text).split("\n")
        lines = "".join(f"{self.label}{line}\n" for line in whole if line.strip())
        if lines:
            self.stream.write(lines)
            self.stream.flush()
        return len(text)

    def fileno(self) -> int:
        """Of the stream itself."""
        number: int = self.stream.fileno()
        return number


def _begin(arguments: list[str], work: bytes) -> None:
    """Prepare the process: it ends with its parent, who alone tells it to stop."""
    os.setpgid(0, 0)  # Ctrl-C in a terminal goes to the parent
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # between two jobs
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)  # with the server, which ends with the parent
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # What Lightning starts again for other processes of a job is the program of the parent.
    sys.argv[:] = arguments
    sys.modules["__main__"].__spec__ = None
    keep_parsed_files()
    _work[:] = [cloudpickle.loads(work)]


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _run(arguments: Sequence[Any], label: str) -> JobReturn | int:
    """Run one job in this process; an exception is a sentence, which can travel to the parent."""
    ((job, common),) = _work
    with redirect_stdout(LabelledLines(sys.stdout, label)), redirect_stderr(LabelledLines(sys.stderr, label)):
        try:
            returned = job(*arguments, *common)
        except Terminated as stop:
            return int(stop.signum)
        except Exception as error:
            return failed(format_error(error) or describe(error))
    if returned.status is JobStatus.FAILED:
        reason: Any = returned._return_value
        return failed(format_error(reason) or describe(reason), returned.overrides or ())
    answer = JobReturn(overrides=returned.overrides, status=returned.status)
    answer.return_value = returned.return_value
    return answer
