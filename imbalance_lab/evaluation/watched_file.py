"""Which file, or folder, was watched, and where its result goes: none takes the place of another file's."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_files import RunFiles, WatchFiles
from imbalance_lab.evaluation.stored_files import read_json, reading


@dataclass(frozen=True)
class WatchedFile:
    """A file or a folder as it was.

    Args:
        path: absolute.
        size: bytes, of all files.
        modified: when the last one was, ns since 1970.
    """

    path: str
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """As it is now; of a folder all files below it count."""
        stats = list(_stats(path))
        return cls(os.path.abspath(path), sum(each.st_size for each in stats), max(each.st_mtime_ns for each in stats))

    @property
    def name(self) -> str:
        """Without its folder."""
        return Path(self.path).name

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def result_files(run: RunFiles, file: WatchedFile, chosen: Path | None) -> WatchFiles:
    """Where the result for this file goes: a folder of its own below the run, unless one was ``chosen``.

    A file that was watched before and has not changed since gets the same folder again; another one of the same name,
    or the same with other content, gets the next free one: ``march.csv``, ``march.csv-2``, …

    Raises:
        UsageError: if the chosen folder is a file, or holds the result of another file.
    """
    if chosen is None:
        numbered = (run.watch(f"{file.name}-{number}" if number > 1 else file.name) for number in itertools.count(1))
        return next(each for each in numbered if not each.folder.exists() or _watched(each) == file)
    files = WatchFiles(chosen)
    if chosen.exists() and not chosen.is_dir():
        raise UsageError(f"-o {chosen} is a file: choose a folder for the result")
    if files.result.exists() and (before := _watched(files)) != file:
        whose = "another file" if before is None else before.path
        changed = ", as it was before it changed" if before is not None and before.path == file.path else ""
        raise UsageError(f"-o {chosen} holds the result for {whose}{changed}: choose another folder")
    return files


def _watched(files: WatchFiles) -> WatchedFile | None:
    """The file that a folder has the result of; None if it has none that can be read."""
    try:
        with reading(files.result, "delete it"):
            return WatchedFile(**read_json(files.result)["file"])
    except UsageError:
        return None


def _stats(path: Path) -> Iterator[os.stat_result]:
    yield path.stat()
    if path.is_dir():
        yield from (each.stat() for each in path.rglob("*") if each.is_file())
