"""The image files that the paths of a table mean, as other systems and tables write them."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath

import pyarrow as pa

from imbalance_lab.data.image_formats import SUFFIXES
from imbalance_lab.data.read_table import Files, format_location

MAX_NAMED = 5
"""Files that a sentence names."""


class ImagePaths:
    """Finds the files that a column lists; one that is not there as written is looked for, see `find`.

    Args:
        root: the directory that the paths are relative to.
        root_option: what a user names another directory with; "" if nothing does.
    """

    def __init__(self, root: Path, root_option: str = "data.root") -> None:
        self.root = root
        self._or_root = f", or name the directory of the paths with {root_option}" if root_option else ""
        self._guessed: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._names: dict[Path, dict[str, list[str]]] = {}

    def read(self, column: pa.ChunkedArray, name: str, source: Files) -> list[str]:
        """The files of the column ``name``.

        Raises:
            ValueError: naming the line, the file that does not exist, and the remedy.
        """
        files = []
        for row, written in enumerate(column.to_pylist()):
            try:
                files.append(str(self.find("" if written is None else str(written))))
            except ValueError as error:
                raise ValueError(f"{format_location(source, row)}, column {name!r}: {error}") from None
        return files

    def find(self, written: str) -> Path:
        """The file of a path.

        If there is none, backslashes are taken for slashes and blanks around the path are left out; if that does not
        help, the one image is taken that has this name and a suffix. `describe` tells of it.

        Raises:
            ValueError: if there is no such file, or more than one.
        """
        if not written.strip():
            raise ValueError("there is no path: fill it in, or remove the row")
        file = self.root / written
        if file.is_file():
            return file
        plain = self.root / PureWindowsPath(written.strip()).as_posix()
        if plain.is_file():
            return self._guess("with backslashes" if "\\" in written else "with blanks around it", written, plain)
        images = [name for name in self._called(plain, plain.name) if _suffix(name) in SUFFIXES]
        if len(images) == 1:
            return self._guess("without a suffix", written, plain.with_name(images[0]))
        if images:
            raise ValueError(f"there is no file {plain}, but {_listed(images)}: write the suffix")
        raise ValueError(f"there is no file {plain}{self._remedy(plain, written)}")

    def describe(self, name: str) -> Iterator[str]:
        """A sentence for each way in which paths of the column ``name`` were not there as written."""
        for how, found in self._guessed.items():
            written, file = found[0]
            paths = "1 path" if len(found) == 1 else f"{len(found):,} paths"
            yield f"{paths} of column {name!r}, written {how}, found all the same: '{written}' is taken for {file}"

    def _guess(self, how: str, written: str, file: Path) -> Path:
        self._guessed[how].append((written, os.path.relpath(file, self.root)))
        return file

    def _called(self, file: Path, stem: str) -> Sequence[str]:
        """The files beside ``file`` that are called ``stem`` and any suffix, in any case; a folder is listed once."""
        if file.parent not in self._names:
            names = self._names[file.parent] = defaultdict(list)
            for name in sorted(os.listdir(file.parent)) if file.parent.is_dir() else ():
                names[os.path.splitext(name)[0].casefold()].append(name)
        same = self._names[file.parent].get(stem.casefold(), ())
        return [name for name in same if os.path.splitext(name)[0] == stem] or same

    def _remedy(self, file: Path, written: str) -> str:
        if PureWindowsPath(written).drive:
            return f": write the paths without a drive{self._or_root}"
        if others := self._called(file, file.stem):
            return f", but {_listed(others)}: correct the path"
        if file.parent != self.root and (self.root / file.name).is_file():
            return f", but {self.root / file.name}: correct the path{self._or_root}"
        return f": correct the path{self._or_root}"


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:MAX_NAMED])}{' …' * (len(names) > MAX_NAMED)}"
