"""Images that are not files of their own: bytes in memory, and members of a larger file."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class ImageBytes(io.BytesIO):
    """The content of an image file, wherever a path could stand; messages call it by its ``name``."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self._shown = name

    def __str__(self) -> str:
        return self._shown


@dataclass(frozen=True, slots=True)
class ImageMember:
    """An image in an archive that is not compressed, read when it is needed; paths call it archive/name.

    Args:
        archive: path of the file.
        name: of the member.
        offset, size: of its bytes.
    """

    archive: str
    name: str
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.archive}/{self.name}"

    def __fspath__(self) -> str:
        return str(self)

    def load(self) -> ImageBytes:
        """Its bytes; fewer, if the archive has become shorter."""
        file = os.open(self.archive, os.O_RDONLY)
        try:
            return ImageBytes(os.pread(file, self.size, self.offset), str(self))
        finally:
            os.close(file)


class MemberFiles(Sequence[ImageMember]):
    """The images in archives, as arrays: millions of them take little memory.

    Args:
        archives: paths of the files.
        archive: (N,) the number of each image's archive.
        names: (N,) text.
        offsets, sizes: (N,) of each image's bytes.
    """

    def __init__(
        self,
        archives: Sequence[str],
        archive: NDArray[np.int64],
        names: pa.ChunkedArray,
        offsets: NDArray[np.int64],
        sizes: NDArray[np.int64],
    ) -> None:
        self.archives, self.archive, self.names, self.offsets, self.sizes = archives, archive, names, offsets, sizes

    def __len__(self) -> int:
        return len(self.archive)

    @overload
    def __getitem__(self, at: int) -> ImageMember: ...
    @overload
    def __getitem__(self, at: slice) -> list[ImageMember]: ...
    def __getitem__(self, at: int | slice) -> ImageMember | list[ImageMember]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        archive, name = self.archives[int(self.archive[at])], self.names[at].as_py()
        return ImageMember(archive, name, int(self.offsets[at]), int(self.sizes[at]))
