"""All images of a source, read and resized once, in a file that is whole or is made again.

The file is a NumPy array (N, channels, size, size), uint8 or uint16, see `imbalance_lab.data.array_file`.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imbalance_lab.data.array_file import ArrayContent, describe_failure, digest_row, find_fault, write_rows
from imbalance_lab.data.image_bytes import ImageMember
from imbalance_lab.data.image_decoder import ImageDecoder
from imbalance_lab.data.image_files import ImagePath
from imbalance_lab.data.threads import in_parallel
from imbalance_lab.files import WriteError, remove_leftovers
from imbalance_lab.progress import Step

FORMAT = 2
"""Goes into every name: a file of another layout is never read."""


def cached(
    files: Sequence[ImagePath], decoder: ImageDecoder, folder: Path, progress: Step
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
    fault = find_fault(file, content)
    if fault == "":
        return file, ()

    def read(path: ImagePath) -> tuple[bytes, bytes]:
        row = np.ascontiguousarray(decoder.read(path), content.dtype)
        return row.tobytes(), digest_row(row)

    try:
        write_rows(file, content, in_parallel(read, files, progress))
    except (OSError, WriteError) as error:
        why = describe_failure(error, content)
        return None, [
            f"data.cache={folder} cannot be written ({why}), so the images are decoded anew in every epoch: make room, "
            "or name another directory"
        ]
    return file, () if fault is None else [f"data.cache: {file} {fault}: it was made again"]


def _content(files: Sequence[ImagePath], decoder: ImageDecoder) -> ArrayContent:
    key = hashlib.blake2b(f"{FORMAT} {decoder!r}".encode(), digest_size=12)
    for path in files:
        stat = os.stat(path.archive if isinstance(path, ImageMember) else path)
        size = path.size if isinstance(path, ImageMember) else stat.st_size
        key.update(f"{path}\0{size}\0{stat.st_mtime_ns}\0".encode())
    shape = len(files), decoder.channels, decoder.size, decoder.size
    return ArrayContent.of(key.hexdigest(), shape, np.dtype(np.uint16 if decoder.is_16bit else np.uint8))
