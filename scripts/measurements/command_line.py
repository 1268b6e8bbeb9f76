"""What the commands of the studies share."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write


def check_names(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError for a name that is not known."""
    known = list(known)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no {what} {name!r}: choose among {', '.join(known)}")


def code_version() -> str:
    """The commit, marked if files differ from it; "unknown" outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write_page(path: Path, text: str) -> None:
    """Write a page, and say where."""
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    print(path)
