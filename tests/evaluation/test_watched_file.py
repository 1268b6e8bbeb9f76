"""Where the result for a watched file goes: no other file's result is overwritten."""

import os
from pathlib import Path

import pytest

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_files import WatchFiles
from imbalance_lab.evaluation.stored_files import sealed
from imbalance_lab.evaluation.watched_file import WatchedFile, result_files
from imbalance_lab.files import write_json


@pytest.fixture
def march(tmp_path: Path) -> Path:
    path = tmp_path / "march.csv"
    path.write_text("a\n1\n")
    return path


def store(files: WatchFiles, file: WatchedFile) -> None:
    """What a finished watch leaves."""
    write_json(files.result, sealed({"file": file.as_json()}))


def test_a_file_gets_its_own_folder_again_until_it_changes(tmp_path: Path, march: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    first = WatchedFile.of(march)
    files = result_files(run, first, None)
    assert files.folder == tmp_path / "run" / "watch" / "march.csv"
    store(files, first)
    assert result_files(run, WatchedFile.of(march), None) == files
    os.utime(march, ns=(0, first.modified + 1))
    changed = WatchedFile.of(march)
    second = result_files(run, changed, None)
    assert second.folder.name == "march.csv-2"
    store(second, changed)
    assert result_files(run, changed, None) == second
    other = tmp_path / "elsewhere" / "march.csv"
    other.parent.mkdir()
    other.write_text("a\n1\n")
    assert result_files(run, WatchedFile.of(other), None).folder.name == "march.csv-3"


def test_a_chosen_folder_with_another_result_is_refused(tmp_path: Path, march: Path) -> None:
    run, chosen, file = RunDirectory(tmp_path / "run"), tmp_path / "mine", WatchedFile.of(march)
    assert result_files(run, file, chosen).page == chosen / "watch.html"
    store(WatchFiles(chosen), file)
    assert result_files(run, file, chosen).folder == chosen
    april = tmp_path / "april.csv"
    april.write_text("a\n2\n")
    with pytest.raises(UsageError, match=r"holds the result for .*march\.csv: choose another folder"):
        result_files(run, WatchedFile.of(april), chosen)
    os.utime(march, ns=(0, 1))
    with pytest.raises(UsageError, match=r"march\.csv, as it was before it changed"):
        result_files(run, WatchedFile.of(march), chosen)
    with pytest.raises(UsageError, match="is a file: choose a folder"):
        result_files(run, file, april)


def test_a_damaged_result_belongs_to_nobody(tmp_path: Path, march: Path) -> None:
    run, file = RunDirectory(tmp_path / "run"), WatchedFile.of(march)
    store(run.watch("march.csv"), file)
    result = run.watch("march.csv").result
    result.write_text(result.read_text().replace("march", "April"))  # the digest no longer holds
    assert result_files(run, file, None).folder.name == "march.csv-2"
    with pytest.raises(UsageError, match="holds the result for another file"):
        result_files(run, file, run.watch("march.csv").folder)


def test_the_result_is_below_the_run_whatever_the_path(
    tmp_path: Path, march: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    files = result_files(RunDirectory(tmp_path / "run"), WatchedFile.of(Path("..")), None)
    assert files.folder == tmp_path / "run" / "watch" / tmp_path.name


def test_a_folder_changes_with_the_files_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"1")
    before = WatchedFile.of(tmp_path / "images")
    assert WatchedFile.of(tmp_path / "images") == before
    (folder / "b.png").write_bytes(b"22")
    after = WatchedFile.of(tmp_path / "images")
    assert after != before
    assert after.size - before.size >= 2
