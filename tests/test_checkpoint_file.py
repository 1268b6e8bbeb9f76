"""Checkpoints are whole, and damage is seen."""

import os
import random
import signal
import time
import zipfile
from pathlib import Path

import pytest
import torch

from imbalance_lab.checkpoint_file import (
    DamagedCheckpointError,
    is_whole,
    newest_whole,
    read_checkpoint_file,
    write_checkpoint,
)
from imbalance_lab.errors import UsageError
from tests.helpers.disks import small_disk

CONTENT = {"weights": torch.arange(50_000.0), "epoch": 3, "nested": {"list": [1, 2.5, "text", None, True]}}


def same(content: dict[str, object]) -> bool:
    weights = content["weights"]
    assert isinstance(weights, torch.Tensor)
    return torch.equal(weights, CONTENT["weights"]) and content["nested"] == CONTENT["nested"]  # type: ignore[arg-type]


def test_what_is_written_is_read_by_us_by_torch_and_by_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    assert same(read_checkpoint_file(path))
    assert same(torch.load(path, weights_only=True))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_no_flipped_bit_is_loaded(tmp_path: Path) -> None:
    path, draw = tmp_path / "a.ckpt", random.Random(0)
    write_checkpoint(path, CONTENT)
    whole = path.read_bytes()
    end = len(whole) * 8
    anywhere = [draw.randrange(end) for _ in range(200)]
    in_the_digest = [end - 1 - draw.randrange(8 * 110) for _ in range(60)]
    for bit in anywhere + in_the_digest:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DamagedCheckpointError, match=r"a\.ckpt is damaged"):
            read_checkpoint_file(path)
    path.write_bytes(whole)
    assert same(read_checkpoint_file(path))


@pytest.mark.parametrize("length", [0, 1, 21, 1000, -1, -86, -87, -200])
def test_a_truncated_file_is_damaged(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedCheckpointError, match="damaged"):
        read_checkpoint_file(path)


def test_other_files_are_one_sentence(tmp_path: Path) -> None:
    torch.save(CONTENT, tmp_path / "plain.ckpt")
    with pytest.raises(DamagedCheckpointError, match="not a checkpoint of this release"):
        read_checkpoint_file(tmp_path / "plain.ckpt")
    for path in (tmp_path / "absent.ckpt", tmp_path, tmp_path / "plain.ckpt" / "below"):
        with pytest.raises(UsageError, match="there is no checkpoint"):
            read_checkpoint_file(path)


def test_what_executes_code_is_not_read(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "executed"),)

    write_checkpoint(tmp_path / "a.ckpt", {"weights": Malicious()})
    with pytest.raises(DamagedCheckpointError, match="not a readable checkpoint"):
        read_checkpoint_file(tmp_path / "a.ckpt")
    assert not (tmp_path / "executed").exists()


def test_no_kill_leaves_a_broken_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, draw, seen = tmp_path / "last.ckpt", random.Random(1), set()
    monkeypatch.setenv("TMPDIR", "/dev/shm")  # another file system
    write_checkpoint(path, {"epoch": -1, "weights": torch.zeros(200_000)})
    for _ in range(100):
        child = os.fork()
        if not child:
            for epoch in range(1000):
                write_checkpoint(path, {"epoch": epoch, "weights": torch.full((200_000,), float(epoch))})
            os._exit(0)
        time.sleep(draw.uniform(0.001, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        content = read_checkpoint_file(path)
        assert (content["weights"] == max(0, content["epoch"])).all()
        seen.add(content["epoch"])
    assert len(seen) > 1, "no kill came between two writes"


def test_a_full_disk_keeps_the_older_checkpoint(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        write_checkpoint(disk / "last.ckpt", CONTENT)
        with pytest.raises(UsageError, match=r"it needs 4.0 MB, and 1.\d MB are free"):
            write_checkpoint(disk / "last.ckpt", CONTENT | {"weights": torch.zeros(1_000_000)})
        assert same(read_checkpoint_file(disk / "last.ckpt"))
        assert [path.name for path in disk.iterdir()] == ["last.ckpt"]


def test_the_newest_whole_one_is_found(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.ckpt" for name in "abc"]
    for age, path in enumerate(paths):
        write_checkpoint(path, CONTENT)
        os.utime(path, (100 - age, 100 - age))
    assert newest_whole(paths) == paths[0]
    paths[0].write_bytes(paths[0].read_bytes()[:-1])
    assert not is_whole(paths[0])
    assert newest_whole(paths) == paths[1]
    assert newest_whole([paths[0], tmp_path / "absent.ckpt"]) is None
