"""Paths of images as tables have them: without suffix, with backslashes, with leading zeros."""

import shutil
from pathlib import Path

import pytest

from imbalance_lab.data import image_table
from imbalance_lab.data.image_paths import ImagePaths
from tests.helpers.images import digit


def test_numbers_with_leading_zeros_and_without_suffix_are_found(tmp_path: Path) -> None:
    lines = [f"{n:06d},{'bad' if n % 3 == 0 else 'ok'}" for n in range(12)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *lines]))
    for n in range(12):
        digit(n).save(tmp_path / f"{n:06d}.png")
    splits = image_table(path=str(tmp_path / "labels.csv"), label="label", image_size=8)
    assert sum(map(len, splits.parts.values())) == 12
    assert any("12 paths of column 'path', written without a suffix" in each for each in splits.guesses)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    digit(0).save(tmp_path / "sub" / "a.png")
    shutil.copy(tmp_path / "sub" / "a.png", tmp_path / "sub" / "b.png")
    digit(0).save(tmp_path / "sub" / "b.jpg")
    (tmp_path / "sub" / "a.txt").write_text("")
    digit(0).save(tmp_path / "sub" / "v1.2.png")
    return tmp_path


@pytest.mark.parametrize(
    ("written", "file"),
    [("sub/a.png", "a.png"), (r"sub\a.png", "a.png"), ("sub/a", "a.png"), (" .\\sub\\a ", "a.png"),
     ("sub/v1.2", "v1.2.png")],
)  # fmt: skip
def test_found(written: str, file: str, root: Path) -> None:
    paths = ImagePaths(root)
    assert paths.find(written) == root / "sub" / file
    assert len(list(paths.describe("path"))) == (written != "sub/a.png")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("sub/b", r"there is no file .*sub/b, but b\.jpg, b\.png: write the suffix"),
        ("sub/a.bmp", r"no file .*a\.bmp, but a\.png, a\.txt: correct the path"),
        ("sub/A.PNG", r"but a\.png, a\.txt"),
        (r"C:\me\a.png", r"write the paths without a drive, or name the directory of the paths with data\.root"),
        ("sub/none.png", r"correct the path, or name the directory of the paths with data\.root"),
        (" ", "there is no path: fill it in"),
    ],
)
def test_not_found_names_what_there_is(written: str, says: str, root: Path) -> None:
    with pytest.raises(ValueError, match=says):
        ImagePaths(root).find(written)
