"""A NumPy array in a file that is whole or is made again.

``numpy.load`` maps it into memory. Behind it is the SHA-256 of what it was made from, of its header and of the SHA-256
of every row. All of it is checked once, at the start of a process; after that a row costs a copy.
"""

import errno
import hashlib
import io
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.data.threads import in_parallel
from imbalance_lab.files import WriteError, atomic_write

DIGEST = hashlib.sha256().digest_size
BLOCK = 1 << 24
"""Bytes that a thread checks in one go."""


class ArrayContent(NamedTuple):
    """What a file has to hold: a name of what its rows were made from, and the array's shape, type and header."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    header: bytes

    @classmethod
    def of(cls, key: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> "ArrayContent":
        """With the header that NumPy writes for this shape and type."""
        header = io.BytesIO()
        description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, description)
        return cls(key, shape, dtype, header.getvalue())

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.header) + int(np.prod(self.shape)) * self.dtype.itemsize + DIGEST

    def digest(self, rows: bytes) -> bytes:
        """Of everything, from the digests of the ``rows``."""
        return hashlib.sha256(self.key.encode() + self.header + rows).digest()


def find_fault(file: Path, content: ArrayContent) -> str | None:
    """What is wrong with a file: "" if nothing is, None if there is no such file."""
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


def write_rows(file: Path, content: ArrayContent, rows: Iterable[tuple[bytes, bytes]]) -> None:
    """Write rows with their digests, see `digest_row`; a process that is killed leaves no file, or the one before.

    Row by row: a full disk is then an error, where a mapped file would be a signal that kills the process.

    Raises:
        OSError, WriteError: if the disk is full or may not be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(file.parent).free < content.size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with atomic_write(file) as unfinished, unfinished.open("wb") as stream:
        stream.write(content.header)
        digests = []
        for row, digest in rows:
            stream.write(row)
            digests.append(digest)
        stream.write(content.digest(b"".join(digests)))


def digest_row(row: NDArray[Any]) -> bytes:
    """The SHA-256 of a contiguous row."""
    return hashlib.sha256(row.data).digest()


def describe_failure(error: OSError | WriteError, content: ArrayContent) -> str:
    """Why a file could not be written, in a few words."""
    cause: Any = error.__cause__ or error
    return f"{cause.strerror or cause}; it takes {content.size / 1e6:,.1f} MB"


def _digests(array: NDArray[Any]) -> bytes:
    """The SHA-256 of every row, one after the other."""
    rows = max(1, BLOCK // array[0].nbytes)
    starts = range(0, len(array), rows)
    return b"".join(in_parallel(lambda start: b"".join(map(digest_row, array[start : start + rows])), starts))
