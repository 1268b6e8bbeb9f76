"""Checkpoint files: written whole, and verified whenever they are read.

A checkpoint is what ``torch.save`` writes, a ZIP archive, with the SHA-256 of its bytes as the archive's comment. So
one file has both, and ``torch.load`` of other programs reads it too.
"""

import errno
import hashlib
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write, free_space

_LABEL = b"imbalance_lab sha256="
_DIGEST_SIZE = hashlib.sha256().digest_size * 2
_COMMENT_SIZE = len(_LABEL) + _DIGEST_SIZE
_END = struct.Struct("<4s4H2LH")
"""The end-of-central-directory record, whose last number is the length of the comment after it."""


class DamagedCheckpointError(UsageError):
    """A checkpoint whose bytes are not those that were written."""


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint with its digest, or leave ``path`` as it is.

    Raises:
        UsageError: if the disk is full or not writable.
    """
    import torch

    with atomic_write(path, content_size(content)) as temporary:
        try:
            torch.save(content, temporary)
        except RuntimeError as error:  # torch does not say why it could not write
            if free_space(path) > content_size(content):
                raise
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        with temporary.open("r+b") as file:
            _sign(file)


def content_size(content: Any) -> int:
    """The bytes of the tensors in nested dictionaries and lists: about the size of their file."""
    import torch

    if isinstance(content, torch.Tensor):
        return content.numel() * content.element_size()
    if isinstance(content, Mapping):
        return sum(content_size(value) for value in content.values())
    return sum(map(content_size, content)) if isinstance(content, list | tuple) else 0


def read_checkpoint_file(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU: plain data and tensors, nothing in it is executed.

    Raises:
        DamagedCheckpointError: if a byte differs from what was written, or it is not a checkpoint of this program.
        UsageError: if there is no such file.
    """
    import torch

    try:
        with path.open("rb") as file:
            verify(file, path)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise UsageError(f"there is no checkpoint {path}") from error
    except PermissionError as error:
        raise UsageError(f"cannot read the checkpoint {path}: permission denied") from error
    except UsageError:
        raise
    except Exception as error:  # whatever reading a file that is not a checkpoint may raise
        raise DamagedCheckpointError(f"{path} is not a readable checkpoint of this program") from error
    if not isinstance(content, dict):
        raise DamagedCheckpointError(f"{path} is not a checkpoint of this program")
    return content


def part_of(weights: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The entries of a state dict that are of one submodule, without its prefix.

    >>> part_of({"head.weight": 1, "heading.weight": 2}, "head")
    {'weight': 1}
    """
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def stored_digest(path: Path) -> str:
    """The SHA-256 that a checkpoint carries, 64 hexadecimal digits: it names this model and no other.

    Raises:
        DamagedCheckpointError: naming ``path``.
    """
    with path.open("rb") as file:
        verify(file, path)
        file.seek(-_DIGEST_SIZE, os.SEEK_END)
        return file.read().decode("ascii")


def newest_whole(paths: Iterable[Path]) -> Path | None:
    """The newest of some checkpoints that is not damaged; None if there is none."""
    files = [path for path in paths if path.is_file()]
    for path in sorted(files, key=lambda each: each.stat().st_mtime, reverse=True):
        if is_whole(path):
            return path
    return None


def is_whole(path: Path) -> bool:
    """Whether a file is a checkpoint with the bytes that were written."""
    try:
        with path.open("rb") as file:
            verify(file, path)
    except (OSError, UsageError):
        return False
    return True


def verify(file: BinaryIO, path: Path) -> None:
    """Compare the digest of an open checkpoint with the stored one, and go back to its start.

    Raises:
        DamagedCheckpointError: naming ``path``.
    """
    size = file.seek(0, 2)
    label_start = size - _COMMENT_SIZE
    file.seek(max(0, label_start))
    comment = file.read()
    if label_start <= 0 or not comment.startswith(_LABEL):
        raise DamagedCheckpointError(
            f"{path} is damaged, or not a checkpoint of this release: it does not end with the digest of its content"
        )
    if comment.removeprefix(_LABEL).decode("ascii", "replace") != _digest(file, label_start):
        raise DamagedCheckpointError(f"{path} is damaged: its content does not have the digest stored with it")
    file.seek(0)


def _sign(file: BinaryIO) -> None:
    """Append the digest to a ZIP archive as its comment."""
    end = file.seek(-_END.size, 2)
    signature, *fields, comment_size = _END.unpack(file.read(_END.size))
    if signature != b"PK\x05\x06" or comment_size:
        raise RuntimeError("torch.save has not written a ZIP archive without a comment")
    file.seek(end)
    file.write(_END.pack(signature, *fields, _COMMENT_SIZE))
    size = file.tell()
    digest = _digest(file, size)
    file.seek(size)
    file.write(_LABEL + digest.encode("ascii"))


def _digest(file: BinaryIO, size: int) -> str:
    """SHA-256 of the first ``size`` bytes."""
    digest = hashlib.sha256()
    file.seek(0)
    while size:
        block = file.read(min(size, 1 << 20))
        if not block:
            break
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()
