"""Where what is computed of data once, and found again, is kept unless the user says otherwise."""

import os
from pathlib import Path

VARIABLE = "IMBALANCE_LAB_CACHE"


def cache_folder(given: str | None) -> Path:
    """The directory that is ``given``; or ``$IMBALANCE_LAB_CACHE``, or ``imbalance_lab`` where caches are kept."""
    default = os.environ.get(VARIABLE) or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "imbalance_lab"
    return Path(default if given is None else given).expanduser()
