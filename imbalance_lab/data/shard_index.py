"""Where each image of WebDataset shards is, and its label: found in one pass over the tar files, and kept.

A sample is what follows each other with the same key, the path up to the first dot of the file's name: ``000017.jpg``
and ``000017.cls``, or ``000017.json``. The bytes of a member lie in one piece, so an image can be read from its place.
"""

import glob
import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from imbalance_lab.data.image_formats import SUFFIXES
from imbalance_lab.files import WriteError, atomic_write
from imbalance_lab.progress import Step

FORMAT = 1
"""Goes into every name: an index of another layout is never read."""

BLOCK = tarfile.BLOCKSIZE
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
CLASS, RECORD = "cls", "json"

SCHEMA = pa.schema(
    [("shard", pa.int32()), ("name", pa.string()), ("offset", pa.int64()), ("size", pa.int64()), ("label", pa.string())]
)


class Sample(NamedTuple):
    """An image of a shard: its name, the place and number of its bytes, and its label."""

    name: str
    offset: int
    size: int
    label: str


def find_shards(patterns: str | Sequence[str], option: str) -> list[Path]:
    """The files that ``train-{000..099}.tar``, ``train-*.tar``, or a list of such, stand for.

    Raises:
        FileNotFoundError: naming the first one that is not there.
    """
    found: list[Path] = []
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        for path in _expand(os.path.expanduser(str(pattern))):
            several = [Path(each) for each in sorted(glob.glob(path))] if glob.has_magic(path) else [Path(path)]
            if not several or not several[0].is_file():
                raise FileNotFoundError(f"{option}={pattern}: {path} is not a file: name the .tar files")
            found += several
    if len(set(found)) < len(found):
        raise ValueError(f"{option} names a shard twice: {next(each for each in found if found.count(each) > 1)}")
    return found


def _expand(pattern: str) -> Iterator[str]:
    """The paths of a pattern with ranges as ``{000..099}``, whose numbers keep their leading zeros."""
    pieces = RANGE.split(pattern)
    texts, ranges = pieces[::3], zip(pieces[1::3], pieces[2::3], strict=True)
    numbers = [[str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)] for first, last in ranges]
    for chosen in product(*numbers):
        yield texts[0] + "".join(n + text for n, text in zip(chosen, texts[1:], strict=True))


def index_shards(shards: Sequence[Path], label_key: str, folder: Path, step: Step) -> pa.Table:
    """The images of all shards, in order, see `SCHEMA`; from ``folder``, as long as no shard has changed.

    Args:
        shards: the files.
        label_key: where a ``.json`` has the label.
        folder: of the stored indices.
        step: told of every shard.

    Raises:
        ValueError: for a shard that is damaged or compressed, and an image without a label.
    """
    digest = hashlib.blake2b(f"{FORMAT} {label_key}".encode(), digest_size=12)
    for shard in shards:
        status = shard.stat()
        digest.update(f"{shard.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    file = folder / f"shards-{digest.hexdigest()}.parquet"
    try:
        return pq.read_table(file, schema=SCHEMA, page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        pass  # none, or a damaged one
    tables = []
    for number, shard in enumerate(shards):
        samples = list(read_shard(shard, label_key))
        rows = [{"shard": number, **sample._asdict()} for sample in samples]
        tables.append(pa.Table.from_pylist(rows, SCHEMA))
        step(number + 1, len(shards))
    table = pa.concat_tables(tables)
    try:
        with atomic_write(file) as unfinished:
            pq.write_table(table, unfinished, write_page_checksum=True)
    except WriteError:
        pass  # it is found again next time
    return table


def read_shard(shard: Path, label_key: str) -> Iterator[Sample]:
    """The images of one shard.

    Raises:
        ValueError: naming the shard, and the sample.
    """
    key, image, label = "", None, None
    for name, offset, content in _members(shard):
        own, suffix = _split(name)
        if own != key:
            yield from _sample(shard, key, image, label)
            key, image, label = own, None, None
        if f".{suffix.rpartition('.')[2]}" in SUFFIXES:
            if image is not None:
                raise ValueError(f"{shard}: sample {key!r} has two images, {image[0]} and {name}: keep one")
            image = name, offset, content.size
        elif suffix == CLASS:
            label = content.read().decode("utf-8", "replace").strip()
        elif suffix == RECORD:
            label = label or _label_of(shard, name, content.read(), label_key)
    yield from _sample(shard, key, image, label)


class _Content(NamedTuple):
    """The bytes of a member."""

    file: Any
    offset: int
    size: int

    def read(self) -> bytes:
        return os.pread(self.file.fileno(), self.size, self.offset)


def _members(shard: Path) -> Iterator[tuple[str, int, _Content]]:
    """The name, offset and content of every file in a shard."""
    with shard.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        try:
            with tarfile.open(fileobj=opened, mode="r:") as tar:
                for member in tar:
                    if member.isfile():
                        end = member.offset_data + member.size
                        if end > size:
                            raise tarfile.ReadError("unexpected end of data")
                        yield member.name, member.offset_data, _Content(opened, member.offset_data, member.size)
                end = tar.offset
        except (tarfile.TarError, ValueError, EOFError) as error:
            if isinstance(error, ValueError) and not isinstance(error, tarfile.TarError):
                raise
            kind = " (is it compressed? shards must be plain .tar files)" if _is_packed(shard) else ""
            raise ValueError(f"{shard} is damaged or not a tar file, {error}{kind}: copy it again") from error
        # tarfile takes a damaged header for the end.
        if os.pread(opened.fileno(), BLOCK, end - end % BLOCK) != bytes(BLOCK):
            raise ValueError(f"{shard} is damaged or truncated at byte {end:,}: copy it again")


def _is_packed(shard: Path) -> bool:
    with shard.open("rb") as opened:
        return opened.read(4)[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5")


def _split(name: str) -> tuple[str, str]:
    """The key of a member and its suffix, as WebDataset has them."""
    folder, slash, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return f"{folder}{slash}{stem}", suffix.lower()


def _sample(shard: Path, key: str, image: tuple[str, int, int] | None, label: str | None) -> Iterator[Sample]:
    if image is None:
        return  # what is no sample of ours, as a file with remarks
    if not label:
        raise ValueError(
            f"{shard}: sample {key!r} has no label: add {key}.cls with its class, or {key}.json and name data.label_key"
        )
    yield Sample(*image, label)


def _label_of(shard: Path, name: str, content: bytes, label_key: str) -> str | None:
    try:
        record = json.loads(content)
    except ValueError as error:
        raise ValueError(f"{shard}: {name} is not JSON ({error}): correct it") from error
    value = record.get(label_key) if isinstance(record, dict) else record
    if value is not None and not isinstance(value, str | int):
        raise ValueError(f"{shard}: {name} has {label_key}={value!r}, which is not a class: name data.label_key")
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
