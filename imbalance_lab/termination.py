"""Signals: SIGTERM, which schedulers and ``kill`` send, ends a run with code 143 and a sentence on how to go on.

Nothing here imports Lightning, which turns SIGTERM into exit code 0 and Ctrl-C into 1.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Terminated(SystemExit):
    """The run was asked to stop by SIGTERM. Exit code 143, which is 128 + 15, as shells tell of it.

    Args:
        saved: the checkpoint to resume from, if training was going on.
    """

    def __init__(self, saved: Path | None = None) -> None:
        super().__init__(128 + int(signal.SIGTERM))
        self.saved = saved


@contextmanager
def answering_signals() -> Iterator[None]:
    """Raise `Terminated` where SIGTERM arrives, and KeyboardInterrupt for Ctrl-C also where Lightning catches it."""

    def stop(*_: Any) -> None:
        listen(signal.SIG_IGN)  # asked once is enough: what is still to be written must not be torn
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
    """Let ``handler`` answer SIGTERM; only the main thread of a process may choose."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
