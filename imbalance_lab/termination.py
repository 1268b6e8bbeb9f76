"""Signals that end a job: SIGTERM, SIGUSR1 and SIGUSR2, which schedulers send before a preemption, and Ctrl-C (SIGINT).

Nothing here imports Lightning, whose own handlers turn SIGTERM into exit code 0 and Ctrl-C into 1.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT") if hasattr(signal, name))
"""Windows has no SIGUSR1 and no SIGUSR2."""


class Terminated(SystemExit):
    """A signal asked the job to stop: exit code 143 for SIGTERM, SIGUSR1 and SIGUSR2, and 130 for Ctrl-C.

    Args:
        signum: the signal.
        saved: the checkpoint to resume from, if the run was training.
    """

    def __init__(self, signum: int = signal.SIGTERM, saved: Path | None = None) -> None:
        super().__init__(128 + int(signal.SIGINT if signum == signal.SIGINT else signal.SIGTERM))
        self.signum = signum
        self.saved = saved

    @property
    def state(self) -> str:
        """What the run is then called in its status."""
        return "interrupted" if self.signum == signal.SIGINT else "preempted"

    @property
    def cause(self) -> str:
        """The signal in words."""
        return "Ctrl-C" if self.signum == signal.SIGINT else signal.Signals(self.signum).name

    def __str__(self) -> str:
        return f"stopped by {self.cause}"


class Pruned(Exception):  # noqa: N818 - no error
    """A search has stopped a training that scored badly beside others: exit code 0.

    Args:
        epoch: after which it was stopped, from 1 on.
        epochs: that it was to have; None without a limit.
        monitor: the tag of the score.
        score: of that epoch.
    """

    def __init__(self, epoch: int, epochs: int | None, monitor: str, score: float) -> None:
        super().__init__(epoch, epochs, monitor, score)
        self.epoch, self.epochs, self.monitor, self.score = epoch, epochs, monitor, score

    def __str__(self) -> str:
        of = "" if self.epochs is None or self.epochs < 0 else f" of {self.epochs}"
        return f"pruned after epoch {self.epoch}{of}, {self.monitor} {self.score:.4f}"


class StopRequest:
    """The signal that a process has received, if any: raised at once, or during `deferred` only noted.

    A second Ctrl-C stops at once in any case.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._is_deferred = False
        self._is_handling = False

    @contextmanager
    def handled(self, *, restore: bool = True) -> Iterator[None]:
        """Handle the signals inside; nested calls change nothing. Only the main thread of a process can.

        Afterwards the earlier handlers are in place again, or with ``restore=False`` nothing: a process that has done
        its work is not stopped while it ends.
        """
        if self._is_handling or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self._receive) for each in SIGNALS}
        self.signum, self._is_handling = None, True
        try:
            yield
        finally:
            self.signum, self._is_handling = None, False
            for each, handler in before.items():
                signal.signal(each, signal.SIG_DFL if handler is None else handler if restore else signal.SIG_IGN)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only note a signal that arrives inside: the code inside reads ``signum`` where it can stop."""
        before, self._is_deferred = self._is_deferred, True
        try:
            yield
        finally:
            self._is_deferred = before

    def _receive(self, signum: int, frame: FrameType | None = None) -> None:
        is_second = self.signum is not None
        self.signum = signum
        if not self._is_deferred or (is_second and signum == signal.SIGINT):
            for each in SIGNALS:
                signal.signal(each, signal.SIG_IGN)  # another signal must not interrupt files being written
            raise Terminated(signum)


STOP = StopRequest()
"""That of this process: signals are a property of a process."""


def ignore_signals(*_: Any) -> None:
    """In a worker process, where the one that has started it decides when to stop; and where a job has ended."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
