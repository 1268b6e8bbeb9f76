"""Measurements in a file: a line of JSON each, appended as they come, so that a stopped study goes on where it was."""

import json
import os
from collections.abc import Hashable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from imbalance_lab.errors import UsageError


class Measurement(Protocol):
    """A dataclass of plain values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> Hashable:
        """What is measured once."""


M = TypeVar("M", bound=Measurement)


def read_lines(paths: Iterable[Path], kind: type[M]) -> list[M]:
    """All measurements of these files, the later of two with the same key; files that do not exist hold none.

    Raises:
        UsageError: for a line that is no result; a last line without its end was being written, and is left out.
    """
    found: dict[Hashable, M] = {}
    for path in paths:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for at, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):
            try:
                result = kind(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise UsageError(f"{path}, line {at} is no result ({error}): delete the line") from None
            found[result.key] = result
    return list(found.values())


def append_line(path: Path, result: Measurement) -> None:
    """Add a line, after removing one that was cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(json.dumps(asdict(result)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
