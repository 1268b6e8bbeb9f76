"""A process that runs the jobs of a sweep one after the other, and what happens in it.

loky starts the processes and carries jobs to them; one pool of one process each, so that it is known which job a
process was at when it died, and the others go on.
"""

import ctypes
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

from imbalance_lab.app.messages import format_error
from imbalance_lab.errors import UsageError, describe
from imbalance_lab.termination import SIGNALS, Terminated

_SET_DEATH_SIGNAL = 1  # of prctl, see <linux/prctl.h>


class Worker:
    """One process, which starts with its first job.

    Args:
        threads: that each library may use in it.
    """

    def __init__(self, threads: int) -> None:
        from joblib.externals.loky import ProcessPoolExecutor  # type: ignore[import-untyped]

        names = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB")
        limits = {f"{name}_NUM_THREADS": str(threads) for name in names} | {"VECLIB_MAXIMUM_THREADS": str(threads)}
        begin = (os.getpid(), list(sys.argv))
        self.pool = ProcessPoolExecutor(1, timeout=None, initializer=_begin, initargs=begin, env=limits)
        self.process: Any = None

    def submit(self, job: Callable[..., JobReturn], *arguments: Any, label: str) -> "Future[JobReturn | int]":
        """Let the process run a job; the result is that of Hydra, or the signal that stopped it."""
        future: Future[JobReturn | int] = self.pool.submit(_run, job, arguments, label)
        (self.process,) = self.pool._processes.values()
        return future

    def signal(self, signum: int) -> None:
        """Send the process a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signum)

    def how_it_ended(self) -> str:
        """How a process that is gone has ended, in words."""
        self.process.join(5)
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"its process ended with exit code {code}"
        return f"killed by signal {-code} ({signal.Signals(-code).name})"

    def close(self) -> None:
        """End the process and those that it has started, at once."""
        self.pool.shutdown(wait=False, kill_workers=True)


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


def _begin(parent: int, arguments: list[str]) -> None:
    """Prepare the process: it ends with its parent, who alone tells it to stop."""
    os.setpgid(0, 0)  # Ctrl-C in a terminal goes to the parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between two jobs
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # What Lightning starts again for other processes of a job is the program of the parent.
    sys.argv[:] = arguments
    sys.modules["__main__"].__spec__ = None


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _run(job: Callable[..., JobReturn], arguments: Sequence[Any], label: str) -> JobReturn | int:
    """Run one job in this process; an exception is a sentence, which can travel to the parent."""
    with redirect_stdout(LabelledLines(sys.stdout, label)), redirect_stderr(LabelledLines(sys.stderr, label)):
        try:
            returned = job(*arguments)
        except Terminated as stop:
            for each in SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            return int(stop.signum)
        except Exception as error:
            return failed(format_error(error) or describe(error))
    if returned.status is JobStatus.FAILED:
        reason: Any = returned._return_value
        return failed(format_error(reason) or describe(reason), returned.overrides or ())
    answer = JobReturn(overrides=returned.overrides, status=returned.status)
    answer.return_value = returned.return_value
    return answer
