"""The status file of a run: whether it is running, finished, failed or was stopped."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.app.restart import NEW, Restart
from imbalance_lab.errors import UsageError, describe
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.status_file import this_process
from imbalance_lab.termination import Pruned, Terminated


class RunStatus:
    """Writes the status file of one run; processes other than the first write nothing.

    Args:
        directory: of the run.
        overrides: of its command line, by which it is known again when it is started again.
        restart: what there was of it.
    """

    def __init__(self, directory: RunDirectory, overrides: Sequence[str] = (), restart: Restart = NEW) -> None:
        self.directory = directory
        self.start = time.monotonic()
        self.score = math.nan
        self.pruned: Pruned | None = None
        self.content: dict[str, Any] = {
            "state": "running",
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            **this_process(),
            "overrides": list(overrides),
        }
        if restart.checkpoint is not None:
            self.content["checkpoint"] = restart.checkpoint.relative_to(directory.path).as_posix()
        if restart.earlier:
            self.content["earlier"] = list(restart.earlier)

    def begin(self) -> None:
        """Write that the run has begun."""
        self._write()

    def end(self, state: str, error: str | None = None) -> None:
        """Write how the run ended."""
        self.content |= {"state": state, "seconds": round(time.monotonic() - self.start, 1)}
        if error is not None:
            self.content["error"] = error
        if state == "finished":
            self.content["score"] = None if math.isnan(self.score) else self.score
        with suppress(UsageError, OSError):  # the error that ended the run is the one to tell
            self._write()

    def _write(self) -> None:
        if is_first_process():
            self.directory.write_status(self.content)


@contextmanager
def recording_status(
    directory: RunDirectory, overrides: Sequence[str] = (), restart: Restart = NEW
) -> Iterator[RunStatus]:
    """Write the status file at the start and the end; the table of a sweep shows why a run has no scores."""
    status = RunStatus(directory, overrides, restart)
    try:
        status.begin()
        yield status
    except Terminated as stop:
        status.end(stop.state, str(stop))
        raise
    except KeyboardInterrupt:
        status.end("interrupted", "stopped by Ctrl-C")
        raise
    except BaseException as error:
        status.end("failed", describe(error))
        raise
    if status.pruned is not None:
        status.end("pruned", str(status.pruned))
    else:
        status.end("finished")
