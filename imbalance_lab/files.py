"""Files that are written completely or not at all, and that survive a crash, a full disk and a second writer."""

import errno
import json
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imbalance_lab.errors import UsageError

_TEMPORARY = re.compile(r"\.(?P<host>[\w-]+)-(?P<pid>\d+)-[0-9a-f]{8}\.part$")
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


class WriteError(UsageError):
    """A disk that is full, read-only or not permitted; its cause is the OSError."""


@contextmanager
def atomic_write(path: Path, size: int = 0) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces ``path`` at the end unless there was an error.

    The temporary file is beside ``path``, so that replacing it is one step; its name is unique, so that two processes
    may write the same file: the last one wins. It is flushed to the disk before it replaces anything.

    Args:
        path: of the file.
        size: about how many bytes it will have, if known; a message about a full disk names it.

    Raises:
        WriteError: if the disk is full, read-only or not permitted, with the space that is free; ``path`` is unchanged.
    """
    temporary = path.with_name(f"{path.name}.{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        if not is_disk_error(error):
            raise
        raise WriteError(_disk_error(path, temporary, size, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write plain values as JSON; NaN raises a ValueError, undefined values are null."""
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def is_disk_error(error: BaseException) -> bool:
    """Whether a disk is full, read-only or not permitted."""
    return isinstance(error, OSError) and error.errno in _DISK_ERRORS


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove the temporary files that killed processes of this machine left in ``folder``; return their paths."""
    removed = []
    for path in folder.glob("*.part"):
        match = _TEMPORARY.search(path.name)
        if match and match["host"] == _host() and not process_exists(int(match["pid"])):
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def process_exists(pid: int) -> bool:
    """Whether this machine has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def process_start(pid: int) -> str | None:
    """When a process started, in a form to compare with another such value: process numbers are used again.

    None where the system does not say (it does on Linux), or has no such process.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='utf-8').strip()}/{fields[19]}"
    except OSError:
        return None


def readable_size(size: float) -> str:
    """A number of bytes in kB or MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _flush(path: Path) -> None:
    """Make the content of a file, or the entries of a folder, survive a power failure."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        return  # a folder may be writable and not readable
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # file systems that cannot flush
            raise
    finally:
        os.close(descriptor)


def _disk_error(path: Path, temporary: Path, size: int, error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return f"cannot write {path}: {error.strerror}: make its folder writable, or choose another one"
    written = temporary.stat().st_size if temporary.is_file() else 0
    needed = readable_size(size) if size > written else f"more than {readable_size(written)}"
    free = readable_size(free_space(path) + written)
    return (
        f"cannot write {path}: {error.strerror}: it needs {needed}, and {free} are free: free some space, or choose "
        "another disk; what was written before is unchanged"
    )


def free_space(path: Path) -> int:
    """Bytes that are free where ``path`` is or will be."""
    return shutil.disk_usage(next(each for each in (path, *path.absolute().parents) if each.is_dir())).free


def _host() -> str:
    return re.sub(r"[^\w-]", "_", socket.gethostname()) or "localhost"
