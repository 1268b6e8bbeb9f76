"""The file of resized images: damaged ones are made again and told of, whoever makes it, is killed or has no room."""

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from imbalance_lab.data import Splits, image_folder
from imbalance_lab.samplers import SampledIndices
from tests.helpers import command_line, fork_server
from tests.helpers.disks import small_disk as mounted
from tests.helpers.images import tree


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree(tmp_path_factory.mktemp("images"), "ab", 12)


def splits_of(root: Path, cache: Path | None) -> Splits:
    return image_folder(root=str(root), image_size=7, cache=None if cache is None else str(cache))


def inputs(splits: Splits) -> torch.Tensor:
    parts = []
    for part in (splits.train, splits.val, splits.test):
        at = torch.arange(len(part))
        parts.append(part.__getitems__(SampledIndices(at, at)).input)
    return torch.cat(parts)


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def other_shape(content: bytes) -> bytes:
    return content.replace(b"(24, 1, 7, 7)", b"(24, 7, 7, 1)")


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "zeroed": lambda content: bytes(len(content)),
    "zeroed images": lambda content: content[:128] + bytes(24 * 49) + content[-32:],
    "one image zeroed": lambda content: content[:177] + bytes(49) + content[226:],
    "two images swapped": lambda content: content[:128] + content[177:226] + content[128:177] + content[226:],
    "zeroed checksum": lambda content: content[:-32] + bytes(32),
    "truncated": lambda content: content[:-1],
    "truncated header": lambda content: content[:50],
    "longer": lambda content: content + b"\0",
    "another shape": other_shape,
    "not an array": lambda content: b"hello\n" * (len(content) // 6),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_cache_is_made_again_and_told(kind: str, root: Path, tmp_path: Path) -> None:
    expected = inputs(splits_of(root, None))
    assert not splits_of(root, tmp_path).notes
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    assert DAMAGE[kind](whole) != whole
    file.write_bytes(DAMAGE[kind](whole))
    splits = splits_of(root, tmp_path)
    (note,) = splits.notes
    assert note.startswith(f"data.cache: {file} ")
    assert note.endswith(": it was made again")
    assert torch.equal(inputs(splits), expected)
    assert file.read_bytes() == whole
    assert not splits_of(root, tmp_path).notes


def test_no_flipped_bit_goes_unnoticed(root: Path, tmp_path: Path) -> None:
    splits_of(root, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    draw, end = random.Random(0), 8 * len(whole)
    header, images, checksum = range(8 * 128), range(8 * 128, end - 8 * 32), range(end - 8 * 32, end)
    for bit in [*draw.sample(header, 40), *draw.sample(images, 20), *draw.sample(checksum, 20)]:
        file.write_bytes(flipped(whole, bit))
        assert "made again" in splits_of(root, tmp_path).notes[0]
        assert file.read_bytes() == whole


def test_a_whole_cache_of_other_images_is_not_taken(root: Path, tmp_path: Path) -> None:
    """A file that was renamed, or copied between directories: whole, of the right shape, but of other pictures."""
    splits_of(root, tmp_path / "mine")
    (mine,) = (tmp_path / "mine").iterdir()
    whole = mine.read_bytes()
    splits_of(tree(tmp_path / "others", "ba", 12), tmp_path / "theirs")
    (theirs,) = (tmp_path / "theirs").iterdir()
    mine.write_bytes(theirs.read_bytes())
    assert "checksum does not fit" in splits_of(root, tmp_path / "mine").notes[0]
    assert mine.read_bytes() == whole


def test_numpy_reads_it(root: Path, tmp_path: Path) -> None:
    splits = splits_of(root, tmp_path)
    array = np.load(next(tmp_path.iterdir()), mmap_mode="r")
    order = torch.cat([splits.train.index, splits.val.index, splits.test.index])
    assert np.array_equal(array[order.numpy()], inputs(splits).numpy())


BUILD = """
import sys
from pathlib import Path
from imbalance_lab.data.image_cache import cached
from imbalance_lab.data.image_decoder import ImageDecoder
def build(folder, size=7):
    files = sorted(str(file) for file in Path(sys.argv[1]).rglob("*.png"))
    return cached(files, ImageDecoder(size, 1, False, 10**6), Path(folder), lambda done, total: None)
"""

TOGETHER = (
    BUILD
    + """
import time
for round in range(5):
    folder = Path(sys.argv[2]) / str(round)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sys.argv[3]).touch()
    while not all((folder / name).exists() for name in ("first", "second")):
        time.sleep(0.0005)
    file, told = build(folder / "cache", 128)
    print(file is not None, list(told))
"""
)


def test_processes_that_make_it_at_the_same_time_all_succeed(root: Path, tmp_path: Path) -> None:
    script = tmp_path / "together.py"
    script.write_text(TOGETHER)
    both = [
        fork_server.Popen(
            [command_line.sys.executable, str(script), str(root), str(tmp_path), name],
            env=command_line.ENVIRONMENT | {"PYTHONPATH": str(command_line.ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("first", "second")
    ]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert [output.splitlines() for output in outputs] == [["True []"] * 5] * 2
    for number in range(5):
        (file,) = (tmp_path / str(number) / "cache").iterdir()
        assert file.stat().st_size > 24 * 128 * 128


KILLED = (
    BUILD
    + """
import os, random, signal, time
from imbalance_lab.data.array_file import find_fault
from imbalance_lab.data.image_cache import _content
draw, broken, done, left = random.Random(0), 0, 0, 0
for round in range(40):
    folder = Path(sys.argv[2])
    child = os.fork()
    if not child:
        build(folder, 256)
        os._exit(0)
    time.sleep(draw.uniform(0, 0.12))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    files = sorted(str(file) for file in Path(sys.argv[1]).rglob("*.png"))
    content = _content(files, ImageDecoder(256, 1, False, 10**6))
    made = folder / f"{content.key}.npy"
    fault = find_fault(made, content)
    done += fault == ""
    broken += fault not in ("", None)
    made.unlink(missing_ok=True)
    left += len(list(folder.iterdir()))
build(folder, 8)
print(broken, done, left, [str(file) for file in folder.iterdir() if not str(file).endswith(".npy")])
"""
)


def test_a_killed_process_leaves_no_broken_cache_and_the_next_start_cleans_up(root: Path, tmp_path: Path) -> None:
    script, cache = tmp_path / "killed.py", tmp_path / "cache"
    script.write_text(KILLED)
    cache.mkdir()
    done = command_line.call(script, root, cache, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    broken, whole, left, remaining = done.stdout.split(maxsplit=3)
    assert (broken, remaining.strip()) == ("0", "[]")
    assert int(left) >= 1
    assert int(whole) < 40


def test_a_directory_that_cannot_be_written_is_told_and_done_without(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    splits = splits_of(root, tmp_path / "file" / "cache")
    (note,) = splits.notes
    assert note == (
        f"data.cache={tmp_path}/file/cache cannot be written (Not a directory; it takes 0.0 MB), so the images are "
        "decoded anew in every epoch: make room, or name another directory"
    )
    assert torch.equal(inputs(splits), inputs(splits_of(root, None)))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    with mounted(tmp_path / "disk", "256k") as folder:
        yield folder


def test_a_full_disk_is_told_before_it_is_filled(root: Path, small_disk: Path) -> None:
    splits = image_folder(root=str(root), image_size=128, cache=str(small_disk / "cache"))
    (note,) = splits.notes
    assert "cannot be written (No space left on device; it takes 0.4 MB)" in note
    assert not list((small_disk / "cache").iterdir())
    assert inputs(splits).shape == (24, 1, 128, 128)


def test_a_disk_that_fills_up_meanwhile_is_told(root: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1 << 40))
    splits = image_folder(root=str(root), image_size=128, cache=str(small_disk / "cache"))
    assert "No space left on device" in splits.notes[0]
    assert not list((small_disk / "cache").iterdir())
    assert inputs(splits).shape == (24, 1, 128, 128)
