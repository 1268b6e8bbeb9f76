"""Jobs of a parallel sweep that kill, end or stop their process; a process that runs them does not import torch."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

from imbalance_lab.termination import Terminated


def act(number: int, overrides: Sequence[str], context: Any, config: Any, task: Any, state: Any) -> JobReturn:
    """A job that does what its override says, in the folder that the configuration names."""
    folder = Path(str(config.hydra.sweep.dir))
    attempts = folder / f"attempts_{number}"
    attempts.write_text(attempts.read_text() + "x" if attempts.exists() else "x")
    print(f"begun\n\nat {len(attempts.read_text())}", flush=True)
    action, _, value = overrides[0].partition("=")
    first = attempts.read_text() == "x"
    if action == "kill" and (first or value == "always"):
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "exit":
        os._exit(int(value))
    if action == "raise":
        raise KeyError(value)
    if action == "wait":
        (folder / "pid").write_text(str(os.getpid()))
        signal.signal(signal.SIGTERM, _stopped)
        time.sleep(60)
    done = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
    done.return_value = {"threads": os.environ["OMP_NUM_THREADS"], "MKL": os.environ["MKL_NUM_THREADS"]}
    return done


def _stopped(signum: int, frame: object) -> None:
    raise Terminated(signum)
