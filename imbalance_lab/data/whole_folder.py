"""Folders that are written completely or not at all, by one process at a time."""

import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imbalance_lab.files import process_exists


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` that replaces it at the end, unless there was an error; leftovers are removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    for old in folder.parent.glob(f"*.{host}-*.part"):
        pid = old.name.split("-")[-2]
        if pid.isdigit() and not process_exists(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    made = folder.with_name(f"{folder.name}.{host}-{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    made.mkdir()
    try:
        yield made
        shutil.rmtree(folder, ignore_errors=True)  # of other sizes than it should have
        made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Let other processes of this machine wait that write the same."""
    try:
        import fcntl
    except ImportError:  # on Windows: each writes its own, and the last one wins
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
