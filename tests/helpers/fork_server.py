"""Starts programs in a fraction of a second: by forking a process that has imported what they import.

The programs behave as if they had been started afresh, save that other people's packages are imported already, which
otherwise takes each of them six seconds of a core. So do the programs that they start in turn (torchrun, or Lightning
with several processes): each is a child of the process that asked for it, with its own number, signals and exit code.
"""

import atexit
import ctypes
import inspect
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

FRESH_CHILDREN = "TESTS_FRESH_CHILDREN"
"""A variable of the environment: with it, the programs that a program starts are interpreters of their own."""

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # of prctl, see <linux/prctl.h>
_EXECUTE_CHILD = subprocess.Popen._execute_child  # type: ignore[attr-defined]
_MESSAGE = 1 << 20

_server: tuple[subprocess.Popen[bytes], socket.socket] | None = None


def run(
    program: list[str], cwd: Path, environment: dict[str, str], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run ``python SCRIPT ARGUMENTS``, or ``python -m MODULE ARGUMENTS``."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = Popen(
                [sys.executable, *program],
                cwd=cwd,
                env=environment | {"TESTS_TIMEOUT": str(int(timeout))},
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        code = process.wait()
        _wait_for_group(process.pid)
        return subprocess.CompletedProcess(program, code, out.read_text(), err.read_text())


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen` for ``[sys.executable, SCRIPT, …]`` and ``[sys.executable, "-m", MODULE, …]``."""

    def _execute_child(self, *args: Any) -> None:
        _start(_asked_server(), self, args)


def _asked_server() -> socket.socket:
    """The server, started when it is first needed."""
    global _server
    if _server is None or _server[0].poll() is not None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = os.fspath(Path(__file__).parents[2])
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root}
        # As the programs do before they import torch; the tests with fresh processes see that they do.
        environment["TORCH_CPP_LOG_LEVEL"] = "ERROR"
        command = [sys.executable, "-m", __name__, str(its.fileno())]
        _server = subprocess.Popen(command, pass_fds=[its.fileno()], cwd=root, env=environment), ours
        its.close()
        atexit.register(_stop, *_server)
    return _server[1]


def _stop(server: subprocess.Popen[bytes], connection: socket.socket) -> None:
    connection.close()
    server.wait()


def _start(connection: socket.socket, process: Any, args: tuple[Any, ...]) -> None:
    """Do what `subprocess.Popen._execute_child` does, by the server at the other end."""
    call = inspect.signature(_EXECUTE_CHILD).bind(process, *args).arguments
    pipes = [call[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
    request = {
        "program": _program(call["args"]),
        "cwd": os.fspath(call["cwd"] or os.getcwd()),
        "environment": dict(os.environ if call["env"] is None else call["env"]),
        "session": bool(call["start_new_session"]),
    }
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # The new process's parent ends at once, which makes it the child of the nearest process with this mark.
    _prctl(_SET_CHILD_SUBREAPER, 1)
    try:
        given = [own if fd == -1 else fd for own, fd in enumerate((pipes[0], pipes[3], pipes[5]))]
        socket.send_fds(connection, [json.dumps(request).encode()], given)
        process.pid = int(connection.recv(100))
    finally:
        _prctl(_SET_CHILD_SUBREAPER, 0)
    process._child_created = True
    process._close_pipe_fds(*pipes)


def _program(command: Any) -> list[str] | None:
    """The words after the interpreter and its flag -u; None for another command than our interpreter's."""
    words = [] if isinstance(command, str | bytes | os.PathLike) else [os.fsdecode(word) for word in command]
    if len(words) < 2 or words.pop(0) != sys.executable:
        return None
    if words[0] == "-u":
        words.pop(0)
    return words if words and (words[0] == "-m" or words[0].endswith(".py")) else None


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _wait_for_group(leader: int) -> None:
    """Wait for the processes that a program has left: what they print belongs to it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(_group(entry) == leader for entry in Path("/proc").glob("[0-9]*")):
        time.sleep(0.02)


def _group(process: Path) -> int | None:
    """The process group of an entry of /proc; None for one that has ended, whether or not its parent has taken note."""
    try:
        state, _, group, *_ = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else int(group)


def _serve(connection: socket.socket) -> None:
    """Start what is asked for, until the asking process ends."""
    while True:
        message, fds, *_ = socket.recv_fds(connection, _MESSAGE, 3)
        if not message:
            os._exit(0)
        reading, writing = os.pipe()
        between = os.fork()
        if not between:
            between = os.getpid()
            child = os.fork()
            if child:
                os.write(writing, str(child).encode())
                os._exit(0)
            for fd in (reading, writing, connection.detach()):
                os.close(fd)
            while os.getppid() == between:
                time.sleep(0.0005)
            _become(json.loads(message), fds)
        os.waitpid(between, 0)
        connection.send(os.read(reading, 100))
        for fd in (reading, writing, *fds):
            os.close(fd)


def _serve_children(fds: list[int]) -> None:
    """Give this process a server of its own, still without any state of a program, for the programs that it starts."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = os.fork()
    if not server:
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for fd in (*fds, ours.detach()):
            os.close(fd)
        _serve(its)
    its.close()
    atexit.register(_kill, server)

    def execute_child(process: Any, *args: Any) -> None:
        if _program(args[0]) is None:
            _EXECUTE_CHILD(process, *args)
        else:
            _start(ours, process, args)

    subprocess.Popen._execute_child = execute_child  # type: ignore[attr-defined]


def _kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _become(request: dict[str, Any], fds: list[int]) -> None:
    """Run the program and end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    signal.alarm(int(os.environ.pop("TESTS_TIMEOUT", 300)))
    if FRESH_CHILDREN not in os.environ:
        _serve_children(fds)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    for fd in fds:
        if fd > 2:
            os.close(fd)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty())  # type: ignore[union-attr]
    os.chdir(request["cwd"])
    is_module = request["program"][0] == "-m"
    sys.argv[:] = request["program"][is_module:]
    paths = request["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = ["" if is_module else os.path.dirname(sys.argv[0]), *(path for path in paths if path)]
    code: Any = 0
    try:
        if is_module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # as the interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code or 0))


if __name__ == "__main__":
    import hydra  # noqa: F401
    import jinja2  # noqa: F401
    import lightning.pytorch  # noqa: F401
    import pyarrow.compute  # noqa: F401
    import rich.console  # noqa: F401
    import sklearn.datasets  # noqa: F401
    import torchmetrics.classification  # noqa: F401
    import torchvision  # noqa: F401

    atexit._clear()
    _serve(socket.socket(fileno=int(sys.argv[1])))
