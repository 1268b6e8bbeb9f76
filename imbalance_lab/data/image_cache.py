"""All images of a source, read and resized once, in a file that is whole or is made again.

The file is a NumPy array (N, channels, size, size), uint8 or uint16, that ``numpy.load`` maps into memory. Behind it is
the SHA-256 of what it was made from, of its header and of the SHA-256 of every image. All of it is checked once, at the
start of a process; after that an image costs a copy.
"""

import errno
import hashlib
import io
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.image_decoder import ImageDecoder, in_parallel
from imbalance_lab.files import WriteError, atomic_write, remove_leftovers
from imbalance_lab.progress import Step

FORMAT = 2
"""Goes into every name: a file of another layout is never read."""

DIGEST = hashlib.sha256().digest_size
BLOCK = 1 << 24
"""Bytes that a thread checks in one go."""


class _Content(NamedTuple):
    """What a cache has to hold: the name of its images, and the array's shape, type and header."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    header: bytes

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.header) + int(np.prod(self.shape)) * self.dtype.itemsize + DIGEST

    def digest(self, rows: bytes) -> bytes:
        """Of everything, from the digests of the ``rows``."""
        return hashlib.sha256(self.key.encode() + self.header + rows).digest()


def cached(
    files: Sequence[str], decoder: ImageDecoder, folder: Path, progress: Step
) -> tuple[Path | None, Sequence[str]]:
    """A file in ``folder`` with all ``files`` as `ImageDecoder` reads them; made if there is no whole one of them.

    Returns:
        The file, and a sentence for each thing that a user should know: that a damaged one was made again, or that
        none can be written, in which case the file is None.

    Raises:
        UnreadableImageError: for the first file that cannot be decoded; nothing is left behind then.
    """
    content = _content(files, decoder)
    file = folder / f"{content.key}.npy"
    remove_leftovers(folder)
    fault = _fault(file, content)
    if fault == "":
        return file, ()
    try:
        _build(file, content, files, decoder, progress)
    except (OSError, WriteError) as error:
        cause: Any = error.__cause__ or error
        why = f"{cause.strerror or cause}; it takes {content.size / 1e6:,.1f} MB"
        return None, [
            f"data.cache={folder} cannot be written ({why}), so the images are decoded anew in every epoch: make room, "
            "or name another directory"
        ]
    return file, () if fault is None else [f"data.cache: {file} {fault}: it was made again"]


def _content(files: Sequence[str], decoder: ImageDecoder) -> _Content:
    key = hashlib.blake2b(f"{FORMAT} {decoder!r}".encode(), digest_size=12)
    for path in files:
        stat = os.stat(path)
        key.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    shape = len(files), decoder.channels, decoder.size, decoder.size
    dtype = np.dtype(np.uint16 if decoder.is_16bit else np.uint8)
    header = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, description)
    return _Content(key.hexdigest(), shape, dtype, header.getvalue())


def _fault(file: Path, content: _Content) -> str | None:
    """What is wrong with a cache: "" if nothing is, None if there is no such file."""
    try:
        with file.open("rb") as stream:
            if stream.read(len(content.header)) != content.header:
                return "is not the array that it should be"
            if (size := os.fstat(stream.fileno()).st_size) != content.size:
                return f"has {size:,} bytes, not {content.size:,}"
            stream.seek(-DIGEST, os.SEEK_END)
            stored = stream.read()
        array = np.memmap(file, content.dtype, "r", len(content.header), content.shape)
        return "" if content.digest(_digests(array)) == stored else "is damaged, its checksum does not fit"
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"


def _digests(array: NDArray[Any]) -> bytes:
    """The SHA-256 of every row, one after the other."""
    rows = max(1, BLOCK // array[0].nbytes)
    starts = range(0, len(array), rows)
    return b"".join(in_parallel(lambda start: b"".join(map(_digest, array[start : start + rows])), starts))


def _digest(row: NDArray[Any]) -> bytes:
    return hashlib.sha256(row.data).digest()


def _build(file: Path, content: _Content, files: Sequence[str], decoder: ImageDecoder, progress: Step) -> None:
    """Write row by row: a full disk is then an error, where a mapped file would be a signal that kills the process."""

    def read(path: str) -> tuple[bytes, bytes]:
        row = np.ascontiguousarray(decoder.read(path), content.dtype)
        return row.tobytes(), _digest(row)

    file.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(file.parent).free < content.size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with atomic_write(file) as unfinished, unfinished.open("wb") as stream:
        stream.write(content.header)
        digests = []
        for row, digest in in_parallel(read, files, progress):
            stream.write(row)
            digests.append(digest)
        stream.write(content.digest(b"".join(digests)))
