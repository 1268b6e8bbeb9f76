"""What happens to the other processes of a job when one dies, raises an error or stops answering."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from imbalance_lab.app.distributed import ddp_command, is_lightnings_child
from imbalance_lab.errors import UsageError, describe
from imbalance_lab.termination import Terminated

GRACE = 10.0
"""Seconds that a process has to notice by itself that another has died."""

_OF_SIGNALS = (143, 130)
"""Exit codes of a process that was asked to stop; the others were asked too."""

_ERROR, _SIGNAL = "imbalance_lab/error", "imbalance_lab/signal"

_PARENT = os.getppid()
"""The process that has started this one, as long as it lives."""

_children: list[subprocess.Popen[bytes]] = []
_on_death: list[Callable[[int, str], int]] = []


class PeerError(UsageError):
    """Another process of the job has failed, died or stopped; the message is one sentence. Exit code 1.

    Args:
        message: the sentence.
        is_told: whether it is that process's own error, which the first process prints for all.
    """

    def __init__(self, message: str, *, is_told: bool = False) -> None:
        super().__init__(message)
        self.is_told = is_told


def manage_processes() -> None:
    """Make Lightning start the other DDP processes with `ddp_command`, and leave watching them to us."""
    from lightning.fabric.strategies.launchers import subprocess_script as fabric
    from lightning.pytorch.strategies.launchers import subprocess_script as pytorch

    # Where the first process is dead, so is the store that it kept: torch would print C++ stack traces about it.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    for module in (fabric, pytorch):
        module._hydra_subprocess_cmd = ddp_command  # type: ignore[attr-defined]
        module._launch_process_observer = watch  # type: ignore[attr-defined]  # Lightning's kills the first process


def watch(children: list[subprocess.Popen[bytes]]) -> None:
    """Watch the processes that Lightning has started; called in the first process, with all of them."""
    _children[:] = children
    threading.Thread(target=_watch, args=(list(children),), daemon=True, name="watch-processes").start()


@contextmanager
def sharing_errors(on_death: Callable[[int, str], int]) -> Iterator[None]:
    """Tell an error inside to the other processes of the job, and raise theirs where this one noticed only silence.

    Args:
        on_death: called with the exit code of a process that the first one had started, and a sentence, in a thread
            of the first one, before it is ended because it hangs; returns the exit code to end with.

    Raises:
        PeerError: if another process failed, died or did not answer in time.
        Terminated: if another process was asked to stop.
    """
    _on_death[:] = [on_death]
    try:
        yield
    except BaseException as error:
        if not is_connected():
            raise
        if not _is_lost_connection(error):
            _tell(error)
            raise
        raise _cause(error) from None
    finally:
        _on_death.clear()


def kill_children() -> None:
    """End the processes that this one has started, which would wait for it for ever; they may be frozen."""
    for child in _children:
        if child.poll() is None:
            child.kill()


def kill_parent() -> None:
    """End the process that has started this one, unless it ends by itself: it may be frozen."""
    deadline = time.monotonic() + GRACE
    while is_lightnings_child() and os.getppid() == _PARENT:
        if time.monotonic() > deadline:
            os.kill(_PARENT, signal.SIGKILL)
            return
        time.sleep(0.1)


def _watch(children: list[subprocess.Popen[bytes]]) -> None:
    while (dead := _first_dead(children)) is None:
        if all(child.poll() == 0 for child in children):
            return
        time.sleep(0.2)
    time.sleep(2 if children[dead].returncode in _OF_SIGNALS else GRACE)
    if not _on_death or _children != children:
        return  # the first process has noticed, and ends by itself
    code = children[dead].returncode
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    own_code = _on_death[0](code, f"process {dead + 1} of the job has died ({how})")
    for child in children:
        child.kill()
    os._exit(own_code)


def _first_dead(children: list[subprocess.Popen[bytes]]) -> int | None:
    """The place of the first process that has ended with an error."""
    return next((place for place, child in enumerate(children) if child.poll()), None)


def is_connected() -> bool:
    """Whether this process can talk to the others of its job."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized()


def _is_lost_connection(error: BaseException) -> bool:
    """Whether a process raised this because another one no longer answers."""
    import torch.distributed as dist

    if isinstance(error, dist.DistError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in ("gloo", "NCCL", "Connection closed"))


def _store() -> Any:
    from torch.distributed import distributed_c10d

    return distributed_c10d._get_default_store()


def _tell(error: BaseException) -> None:
    """Leave an error where the other processes look for it."""
    if isinstance(error, Terminated):
        _within_seconds(lambda: _store().set(_SIGNAL, str(int(error.signum))))
    elif isinstance(error, Exception):
        _within_seconds(lambda: _store().set(_ERROR, describe(error)))


def _cause(error: BaseException) -> BaseException:
    """Why another process no longer answers, as it told, or as far as this one can know."""
    told: BaseException | None = _within_seconds(_read_told)
    if told is not None:
        return told
    if "imed out" in str(error) or "imeout" in str(error):
        return PeerError("another process of the job did not answer within trainer.timeout: it is frozen or too slow")
    dead = _first_dead(_children)
    which = "another process" if dead is None else f"process {dead + 1}"
    return PeerError(f"{which} of the job has died: look for its error above, or for a lack of memory")


def _read_told() -> BaseException | None:
    """What another process has told, or tells within a second."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if _store().check([_SIGNAL]):
            return Terminated(int(_store().get(_SIGNAL)))
        if _store().check([_ERROR]):
            return PeerError(_store().get(_ERROR).decode(), is_told=True)
        time.sleep(0.1)
    return None


def _within_seconds(ask: Callable[[], Any]) -> Any:
    """The answer of the first process's store; None if that process is dead, or frozen and does not answer."""
    answer: list[Any] = [None]

    def run() -> None:
        with suppress(Exception):
            answer[0] = ask()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(3)
    return answer[0]
