"""The file that says whether a run is running, finished, failed or was stopped."""

import json
import os
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.stored_files import read_json, reading
from imbalance_lab.files import process_exists, process_start, write_json
from imbalance_lab.validation import check_number, check_text


def this_process() -> dict[str, Any]:
    """What names this process for good: numbers are used again, so its start belongs to it."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "process_start": process_start(os.getpid())}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the status; on a full disk, which has no room for another file, into the old one."""
    try:
        write_json(path, dict(content))
    except UsageError:
        if not path.is_file():
            raise
        with path.open("r+b") as file:
            file.write(json.dumps(dict(content)).encode())
            file.truncate()


def read(path: Path) -> dict[str, Any]:
    """The status; "not started" where there is none, "killed" where it says "running" of a process that is gone."""
    if not path.exists():
        return {"state": "not started"}
    with reading(path, "delete it, it only says how the run ended"):
        status = _check(read_json(path))
    if status["state"] == "running" and is_gone(status):
        status |= {"state": "killed", "error": "killed: its process has ended without a word"}
    return status


def is_of_another_process(status: Mapping[str, Any]) -> bool:
    """Whether a status was written by another process than this one, alive or not."""
    return any(status.get(name) != value for name, value in this_process().items())


def is_gone(status: Mapping[str, Any]) -> bool:
    """Whether the process of a status, see `this_process`, ran on this machine and no longer does."""
    if status.get("host") != socket.gethostname() or not isinstance(status.get("pid"), int):
        return False
    return not process_exists(status["pid"]) or process_start(status["pid"]) != status.get("process_start")


def _check(content: dict[str, Any]) -> dict[str, Any]:
    """The content of `status.json`.

    Raises:
        ValueError, TypeError: naming the entry that is wrong.
    """
    check_text("state", content.get("state"))
    for name in ("error", "started"):
        if content.get(name) is not None:
            check_text(name, content[name])
    if content.get("started") is not None and datetime.fromisoformat(content["started"]).tzinfo is None:
        raise ValueError(f"started has no time zone: {content['started']}")
    if content.get("seconds") is not None:
        check_number("seconds", content["seconds"], minimum=0)
    return content
