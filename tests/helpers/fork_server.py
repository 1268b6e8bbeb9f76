"""Starts programs in a fraction of a second: by forking a process that has imported what they import.

The programs behave as if they had been started afresh, save that torch and Lightning are imported already, which
otherwise takes each of them four seconds of a core.
"""

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

_server: subprocess.Popen[str] | None = None


def run(
    program: list[str], cwd: Path, environment: dict[str, str], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run ``python SCRIPT ARGUMENTS``, or ``python -m MODULE ARGUMENTS``."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        request = {
            "program": program,
            "cwd": os.fspath(cwd),
            "environment": environment,
            "out": os.fspath(out),
            "err": os.fspath(err),
            "timeout": timeout,
        }
        code = json.loads(_ask(json.dumps(request)))
        return subprocess.CompletedProcess(program, code, out.read_text(), err.read_text())


def _ask(request: str) -> str:
    global _server
    if _server is None or _server.poll() is not None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.fspath(Path(__file__).parents[2])}
        _server = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        atexit.register(_stop, _server)
    assert _server.stdin is not None
    assert _server.stdout is not None
    _server.stdin.write(request + "\n")
    _server.stdin.flush()
    return _server.stdout.readline()


def _stop(server: subprocess.Popen[str]) -> None:
    server.communicate()


def _serve() -> None:
    import hydra  # noqa: F401
    import lightning.pytorch  # noqa: F401
    import torchmetrics.classification  # noqa: F401
    import torchvision  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            atexit._clear()
            _become(request)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        _wait_for_group(child)
        sys.stdout.write(json.dumps(code) + "\n")
        sys.stdout.flush()


def _wait_for_group(leader: int) -> None:
    """Wait for the processes that a program has left: what they print belongs to it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def _become(request: dict[str, Any]) -> None:
    """Run the program and end."""
    os.setsid()
    signal.alarm(int(request["timeout"]))
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
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
    _serve()
