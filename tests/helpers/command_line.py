"""The command line as users type it, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers import fork_server

ROOT = Path(__file__).parents[2]

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "OMP_NUM_THREADS": "1"
}


def call(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a Python command with one thread, as in a terminal 100 columns wide that is a pipe."""
    program = [str(word) for word in command]
    whole = ENVIRONMENT | {"PYTHONPATH": str(ROOT)} | environment
    if sys.platform == "linux" and program[0] != "-c":
        return fork_server.run(program, cwd, whole)
    return subprocess.run(
        [sys.executable, *program], cwd=cwd, env=whole, capture_output=True, text=True, timeout=300, check=False
    )


def train(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python train.py ARGUMENTS``."""
    return call(ROOT / "train.py", *arguments, cwd=cwd, **environment)


def finished(*arguments: str, cwd: Path) -> Path:
    """The directory of a run that ``python train.py ARGUMENTS`` has finished in ``cwd``."""
    done = train(*arguments, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run"


def metrics_of(directory: Path) -> dict[str, Any]:
    """The final scores of a run."""
    content: dict[str, Any] = json.loads((directory / "metrics.json").read_text())
    return content
