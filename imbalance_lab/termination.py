"""Signals: SIGTERM, which schedulers and ``kill`` send, ends a run with code 143 and a sentence on how to go on.

Nothing here imports Lightning, which turns SIGTERM into exit code 0 and Ctrl-C into 1.
"""

import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imbalance_lab.cli import job_flags, job_overrides


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


def tell(directory: Path, stop: Terminated) -> None:
    """Say on stderr that SIGTERM stopped the run in ``directory``, and the command that goes on, if there is one."""
    best = directory / "checkpoints" / "best.ckpt"
    if stop.saved is not None:
        how = f"; go on with: {_command(_named('ckpt_path', stop.saved))}"
    elif best.is_file():
        how = f" after training; test the model with: {_command('fit=false', _named('ckpt_path', best))}"
    else:
        how = "; nothing was trained"
    print(f"stopped by SIGTERM{how}", file=sys.stderr, flush=True)


def _named(key: str, path: Path) -> str:
    text = os.path.relpath(path)
    return f"{key}={text}" if re.fullmatch(r"[\w./+-]+", text) else f'{key}="{text}"'


def _command(*changed: str) -> str:
    """The command line of this job, of a sweep this one job, with ``changed`` in the place of what it says of them."""
    keys = {override.partition("=")[0] for override in changed}
    kept = [override for override in job_overrides() if override.lstrip("+").partition("=")[0] not in keys]
    program = [sys.argv[0]] if not sys.argv[0].endswith(".py") else ["python", sys.argv[0]]
    flags = [] if (given := job_flags()) == ["--config-name", "train"] else given
    return shlex.join([*program, *flags, *kept, *changed])
