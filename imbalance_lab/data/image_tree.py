"""What lies below a folder: images, files that are ignored, and what systems leave behind, all of it counted."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from imbalance_lab.data.image_formats import SUFFIXES, is_image

SYSTEM = {
    "$recycle.bin", "@eadir", "__macosx", "__pycache__", "#recycle", "@recycle", "desktop.ini", "ehthumbs.db",
    "lost+found", "system volume information", "thumbnails", "thumbs.db",
}  # fmt: skip
"""Names, in lower case, of what file managers, network drives and archives add; no class is called so."""

_REAL_SUFFIX = re.compile(r"\.(?=[^.]*[a-z])[a-z0-9_~-]{1,8}", re.IGNORECASE)
"""What tells the kind of a file; ``.1`` of ``1.2.840.1`` and ``. cat`` of ``no. cat`` do not."""


@dataclass
class Folder:
    """One folder of a tree.

    Args:
        path: of the folder.
        folders: in it, by name; those that systems leave behind and those that the user left out are not among them.
        images: paths of the images that lie directly in it, in order.
        ignored: how many other files lie directly in it, by suffix.
        skipped: how many files of systems lie directly in it, or in folders of systems, by name.
    """

    path: Path
    folders: list["Folder"] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.name

    def walk(self) -> Iterator["Folder"]:
        """The folder and all below it."""
        yield self
        for each in self.folders:
            yield from each.walk()

    def all_images(self) -> list[str]:
        """The paths of the images in the folder and below it, in order."""
        return sorted(path for each in self.walk() for path in each.images)

    def all_ignored(self) -> Counter[str]:
        """The ignored files in the folder and below it, by suffix."""
        return sum((each.ignored for each in self.walk()), Counter())

    def all_skipped(self) -> Counter[str]:
        """The skipped files in the folder and below it, by name."""
        return sum((each.skipped for each in self.walk()), Counter())

    @property
    def has_images(self) -> bool:
        """Whether an image lies in it or below."""
        return any(each.images for each in self.walk())

    def with_images(self) -> list["Folder"]:
        """The folders in it that hold an image, at any depth."""
        return [each for each in self.folders if each.has_images]


def scan(root: Path, ignore: Sequence[str] = ()) -> Folder:
    """Read a tree of folders; no file is opened but those whose name does not tell their kind.

    Args:
        root: the tree.
        ignore: patterns as ``*_mask.png``, in which a star stands for any text, slashes too; folders and files whose
            path below ``root`` fits one are left out.

    Raises:
        ValueError: for a link to a folder that contains it, and a name that is not UTF-8.
    """
    return _scan(root, root, tuple(ignore), ())


def _scan(folder: Path, root: Path, ignore: tuple[str, ...], above: tuple[Path, ...]) -> Folder:
    real = folder.resolve()
    if real in above:
        raise ValueError(f"{folder} is a link to a folder that contains it: remove the link")
    found = Folder(folder)
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if ignore and _is_left_out(entry, root, ignore):
            continue
        if left_by := _system_name(entry):
            found.skipped[left_by] += _count_files(entry)
        elif entry.is_dir():
            _check_utf8(Path(entry.path))
            found.folders.append(_scan(Path(entry.path), root, ignore, (*above, real)))
        elif is_image_file(entry.path):
            _check_utf8(Path(entry.path))
            found.images.append(entry.path)
        else:
            found.ignored[_kind(entry.name)] += 1
    return found


def is_image_file(path: str | Path) -> bool:
    """Whether a file is to be read as an image: by its suffix, or by its content if it has none."""
    suffix = os.path.splitext(path)[1].lower()
    return suffix in SUFFIXES or (not _REAL_SUFFIX.fullmatch(suffix) and is_image(path))


def _is_left_out(entry: os.DirEntry[str], root: Path, ignore: tuple[str, ...]) -> bool:
    relative = Path(entry.path).relative_to(root).as_posix()
    return any(fnmatchcase(relative, each.rstrip("/")) for each in ignore)


def _system_name(entry: os.DirEntry[str]) -> str:
    """By what name a thing of the system is counted; "" for any other."""
    if entry.name.startswith("._"):
        return "._*"
    if entry.name.startswith(".") and not entry.is_dir() and entry.name != ".DS_Store":
        return ".*"
    if entry.name.startswith(".") or entry.name.casefold() in SYSTEM:
        return entry.name
    return ""


def _count_files(entry: os.DirEntry[str]) -> int:
    return sum(len(files) for _, _, files in os.walk(entry.path)) if entry.is_dir() else 1


def _kind(name: str) -> str:
    """The suffix of a file, as it is counted; both of ``.nii.gz``."""
    suffixes = [each for each in Path(name).suffixes[-2:] if _REAL_SUFFIX.fullmatch(each)]
    if len(suffixes) == 2 and suffixes[1].lower() in (".gz", ".bz2", ".xz", ".zst"):
        return "".join(suffixes).lower()
    return suffixes[-1].lower() if suffixes else "without a suffix"


def _check_utf8(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise ValueError(f"the name of {shown} is not UTF-8: rename it") from None
