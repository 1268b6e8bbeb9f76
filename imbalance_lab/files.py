"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a name to write to; at the end it takes the place of ``path``, unless something was raised."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write plain values; NaN is refused, undefined is null."""
    with atomic_write(path) as unfinished:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        unfinished.write_text(text + "\n", encoding="utf-8")
