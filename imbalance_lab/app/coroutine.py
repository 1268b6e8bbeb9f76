"""Jobs that take turns in one process: each runs until it pauses, and then waits until it is resumed."""

import io
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout
from contextvars import ContextVar
from typing import Any

from hydra.core.hydra_config import HydraConfig

_CURRENT: ContextVar["Coroutine | None"] = ContextVar("coroutine", default=None)


class Coroutine:
    """A function that may pause deep inside other people's code, which a generator cannot.

    It has a thread of its own, but is only ever at work while `resume` waits for it, so nothing needs a lock. Hydra's
    configuration, a global variable, is its own too. What it prints is shown when it has ended, in one piece.

    Args:
        function: what to do; its result, or what it raises, ends the coroutine.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.paused_with: Any = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_done = False
        self._thrown: BaseException | None = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)  # a second Ctrl-C must end the process
        self._hydra = HydraConfig.instance().cfg
        self._output = io.StringIO()

    @property
    def has_started(self) -> bool:
        """Whether it was resumed once."""
        return self._thread.ident is not None

    def resume(self, thrown: BaseException | None = None) -> Any:
        """Let it go on until it pauses again or ends; return what it paused with, None if it has ended.

        Args:
            thrown: is raised where it paused.
        """
        if not self.has_started:
            self._thread.start()
        here, HydraConfig.instance().cfg = HydraConfig.instance().cfg, self._hydra
        self._thrown, self.paused_with = thrown, None
        with redirect_stdout(self._output):
            self._go.release()
            self._back.acquire()
        self._hydra, HydraConfig.instance().cfg = HydraConfig.instance().cfg, here
        if self.is_done:
            sys.stdout.write(self._output.getvalue())
            sys.stdout.flush()
        return self.paused_with

    def pause(self, value: Any) -> None:
        """Called by the function: wait until it is resumed."""
        self.paused_with = value
        self._back.release()
        self._go.acquire()
        if self._thrown is not None:
            raise self._thrown

    def _run(self) -> None:
        self._go.acquire()
        _CURRENT.set(self)
        try:
            self.result = self.function()
        except BaseException as error:  # for the thread that waits
            self.error = error
        self.is_done = True
        self._back.release()


def current_coroutine() -> Coroutine | None:
    """The coroutine that this is called in, if any."""
    return _CURRENT.get()
