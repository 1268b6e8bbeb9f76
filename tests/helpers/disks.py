"""A disk of two megabytes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, size: str = "2m") -> Iterator[Path]:
    """Mount a small file system in memory at ``at``; skip the test where that is not permitted."""
    at.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", at], capture_output=True)
    if mounted.returncode:
        pytest.skip("no permission to mount a file system")
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)
