"""The status file of a run: whether it is running, finished, failed or was stopped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import Terminated


@contextmanager
def recording_status(directory: RunDirectory) -> Iterator[None]:
    """Write the status file at the start and the end; the table of a sweep shows why a run has no scores."""
    if not is_first_process():
        yield
        return
    start = time.monotonic()
    status: dict[str, Any] = {"state": "running", "started": datetime.now().astimezone().isoformat(timespec="seconds")}
    directory.write_status(status)
    try:
        yield
        status["state"] = "finished"
    except Terminated:
        status |= {"state": "preempted", "error": "stopped by SIGTERM"}
        raise
    except KeyboardInterrupt:
        status |= {"state": "interrupted", "error": "stopped by Ctrl-C"}
        raise
    except BaseException as error:
        status |= {"state": "failed", "error": str(error) or type(error).__name__}
        raise
    finally:
        status["seconds"] = round(time.monotonic() - start, 1)
        directory.write_status(status)
