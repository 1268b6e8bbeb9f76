"""Files are written completely or not at all."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write, process_exists, process_start, remove_leftovers, write_json
from tests.helpers.disks import small_disk


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half of the ne")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert files_in(tmp_path) == ["a.txt"]


def test_the_temporary_file_is_beside_its_target_and_flushed_before_it_replaces_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("flush"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("replace"), replace(*paths)))
    with atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
    assert done == ["flush", "replace", "flush"]


def test_many_writers_of_one_file_all_succeed(tmp_path: Path) -> None:
    path, failures = tmp_path / "a.json", []

    def write(number: int) -> None:
        try:
            for _ in range(20):
                write_json(path, {"writer": number, "text": "y" * 10_000})
        except BaseException as error:  # a thread's error would be lost
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert path.read_text().count("y") == 10_000
    assert files_in(tmp_path) == ["a.json"]


def test_a_full_disk_leaves_the_old_file_and_names_both_sizes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "a.bin"
        path.write_bytes(b"old" * 300_000)
        with (
            pytest.raises(UsageError, match=r"No space left on device: it needs 3.0 MB, and 1.\d MB are free"),
            atomic_write(path, size=3_000_000) as temporary,
        ):
            temporary.write_bytes(bytes(3_000_000))
        assert path.read_bytes() == b"old" * 300_000
        assert files_in(disk) == ["a.bin"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_errors_of_the_disk_are_one_sentence(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UsageError, match=f"cannot write .*a.json: {os.strerror(code)}"):
        write_json(tmp_path / "a.json", {})
    assert files_in(tmp_path) == []


def test_leftovers_of_dead_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    killed = (
        "import os, signal, sys; from pathlib import Path; from imbalance_lab.files import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as t: t.write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    dead = subprocess.run([sys.executable, "-c", killed, tmp_path / "best.ckpt"], check=False)
    assert dead.returncode == -signal.SIGKILL
    (left,) = files_in(tmp_path)
    (tmp_path / "mine.part").write_text("a user's")
    with atomic_write(tmp_path / "b.txt") as temporary:
        temporary.write_text("in progress")
        assert [path.name for path in remove_leftovers(tmp_path)] == [left]
    assert files_in(tmp_path) == ["b.txt", "mine.part"]


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        assert process_exists(process.pid)
        start = process_start(process.pid)
        assert start == process_start(process.pid) != process_start(os.getppid())
        process.kill()
    assert not process_exists(process.pid)
    assert process_start(process.pid) is None
