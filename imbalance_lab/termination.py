"""Signals: SIGTERM, which schedulers and ``kill`` send, ends a run with code 143 and the command that resumes it.

Nothing here imports Lightning, which turns SIGTERM into exit code 0 and Ctrl-C into 1.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Terminated(SystemExit):
    """SIGTERM asked the run to stop. Exit code 143 = 128 + 15, as shells report it.

    Args:
        saved: the checkpoint to resume from, if the run was training.
    """

    def __init__(self, saved: Path | None = None) -> None:
        super().__init__(128 + int(signal.SIGTERM))
        self.saved = saved


@contextmanager
def handle_signals() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM, and KeyboardInterrupt on Ctrl-C even where Lightning catches it."""

    def stop(*_: Any) -> None:
        listen(signal.SIG_IGN)  # a second signal must not interrupt files being written
        raise Terminated

    before = signal.getsignal(signal.SIGTERM)
    listen(stop)
    try:
        yield
    except SystemExit as end:
        if isinstance(end.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from end
        raise
    finally:
        listen(signal.SIG_DFL if before is None else before)


def listen(handler: Callable[..., Any] | int | signal.Handlers) -> None:
    """Install a handler for SIGTERM; only the main thread of a process can."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
