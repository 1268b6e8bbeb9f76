"""Folders as people lay them out: which are splits, which are classes, what is left out, and how it is told."""

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from PIL import Image

from imbalance_lab.data import Splits, image_folder
from imbalance_lab.data.folder_layout import find_layout, split_of
from imbalance_lab.data.image_decoder import ImageDecoder
from imbalance_lab.data.image_formats import SUFFIXES, is_image
from imbalance_lab.data.image_tree import is_image_file, scan
from tests.helpers.images import digit


def lay(root: Path, *files: str) -> Path:
    """Files of these paths: a digit of its own if it is to be an image, else a text."""
    for number, file in enumerate(files):
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            digit(number).save(path)
        else:
            path.write_text("text")
    return root


def each(*folders: str) -> list[str]:
    """Two images in each of the folders a and b of these."""
    return [f"{folder}/{name}/{n}.png" for folder in folders for name in "ab" for n in range(2)]


def layout(root: Path) -> dict[str, dict[str, int]]:
    """Of each split the number of images in each class."""
    found = find_layout(scan(root)).classes
    return {split: {one.name: len(one.all_images()) for one in folders} for split, folders in found.items()}


TWO = {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "train") for name in ("train", "TRAIN", "Training", "seg_train", "TrainingSet", "train_images")),
        *((name, "val") for name in ("val", "Valid", "validation", "dev", "val2017", "Validation Data")),
        *((name, "test") for name in ("Testing", "holdout", "hold-out", "seg_test", "EVAL", "test1")),
        ("calibration", "calibration"),
        *((name, None) for name in ("trains", "contest", "valley", "device", "latest", "images", "data", "", "42")),
    ],
)  # fmt: skip
def test_the_names_of_splits(name: str, split: str | None) -> None:
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (each("Training", "Testing"), {"train", "test"}),
        (each("TRAIN", "Dev", "HOLDOUT", "calibration"), {"train", "val", "test", "calibration"}),
        (each("archive/data/train", "archive/data/valid"), {"train", "val"}),
        ([*each("seg_train/seg_train", "seg_test/seg_test"), "seg_pred/seg_pred/1.png"], {"train", "test"}),
        (each("train/images", "test/images"), {"train", "test"}),
        (each("archive/pets"), {"train"}),
        ([*each("."), "a/deep/er/5.png", ".git/a/1.png", "@eaDir/a/1.png"], {"train"}),
        ([*each("train"), "train/labels/1.txt", "labels/1.txt"], {"train"}),
        ([*each("train"), "test/1.png"], {"train"}),
    ],
)
def test_layouts(files: list[str], splits: set[str], tmp_path: Path) -> None:
    found = layout(lay(tmp_path, *files))
    assert set(found) == splits
    for classes in found.values():
        assert {name: n for name, n in classes.items() if n and n != 3} in (TWO, {"b": 2})


def test_what_is_guessed_is_told_and_splits_with_their_own_names_are_not(tmp_path: Path) -> None:
    assert find_layout(scan(lay(tmp_path / "plain", *each("train", "val", "test")))).guesses == []
    assert find_layout(scan(lay(tmp_path / "classes", *each(".")))).guesses == []
    (guess,) = find_layout(scan(lay(tmp_path / "odd", *each("x/Training", "x/Testing")))).guesses
    assert guess == (
        "in data.root x/Training is taken for train, x/Testing is taken for test; "
        "val is split from x/Training (data.val_fraction)"
    )


REFUSED = {
    "two of a kind": (each("train", "val", "valid"), r"two folders for val, val and valid: .*data\.ignore=\[valid\]"),
    "a class among them": ([*each("train", "test"), "cat/1.png"], r"has the folder cat beside the split train"),
    "only flat ones": (["train/1.png", "test/1.png"], r"folders test and train, which look like splits but have no"),
    "no training": (each("valid", "test"), r"folders valid and test, which look like splits, but no folder for train"),
    "classes first": (["a/train/1.png", "a/test/1.png", "b/1.png"], r"a has the folders test and train, .* inside"),
    "a word for all": (each("pets_train", "pets_test"), r"pets_test and pets_train, .*: name them test and train"),
    "no class folders": (["1.png", "2.png"], r"has 2 images but no folders.*data=image_table"),
    "detection": (["train/images/1.png", "val/images/1.png"], r"train and val, which look like splits but have no"),
    "nothing but": (["a/1.dcm", "b/1.dcm"], r"no folders with images, only 2 \.dcm: DICOM is not read: convert it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_looks_like_a_split_but_is_none_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    files, says = REFUSED[case]
    with pytest.raises(ValueError, match=says) as refused:
        find_layout(scan(lay(tmp_path, *files)))
    assert "\n" not in str(refused.value)


def test_the_remedy_of_the_refusal_works_as_written(tmp_path: Path) -> None:
    lay(tmp_path, *each("train", "test"), "my cats, old/1.png")
    with pytest.raises(ValueError, match="beside the split") as refused:
        find_layout(scan(tmp_path))
    (word,) = shlex.split(re.search(r"out with (.*)$", str(refused.value))[1])  # type: ignore[index]
    left_out = OverridesParser.create().parse_override(word).value()
    found = find_layout(scan(tmp_path, left_out)).classes  # type: ignore[arg-type]
    assert set(found) == {"train", "test"}


def test_a_class_called_train_is_a_class(tmp_path: Path) -> None:
    found = find_layout(scan(lay(tmp_path, "train/1.png", "car/1.png", "bus/1.png")))
    assert [folder.name for folder in found.classes["train"]] == ["bus", "car", "train"]
    assert "'train' is taken for a class" in found.guesses[0]
    known = find_layout(scan(lay(tmp_path / "b", *each("train", "test"))), known=("train", "test")).classes
    assert [folder.name for folder in known["train"]] == ["test", "train"]


def test_equal_folders_in_all_classes_are_told(tmp_path: Path) -> None:
    (warning,) = find_layout(scan(lay(tmp_path, *each("north", "south")))).warnings
    assert warning.startswith("the folders north and south are taken for the classes, but each has the folders a and b")


def folders(root: Path) -> Splits:
    return image_folder(root=str(root), image_size=8, val_fraction=0.25, test_fraction=0.25)


def test_ignored_and_skipped_files_are_counted_by_suffix_and_class(tmp_path: Path) -> None:
    images = [f"{name}/{n}.png" for name in "ab" for n in range(6)]
    others = ["a/1.txt", "a/2.TXT", "b/1.mp4", "b/x.nii.gz", "b/photo.png.bak", "readme.md", "b/README"]
    system = ["a/.DS_Store", "a/._1.png", "__MACOSX/a/1.png", "b/@eaDir/1.png/T.png", ".ipynb_checkpoints/1.png",
              "b/Thumbs.db", "b/thumbnails/1.png"]  # fmt: skip
    splits = folders(lay(tmp_path, *images, *others, *system, "loose.png"))
    assert splits.classes == ("a", "b")
    assert sum(map(len, splits.parts.values())) == 12
    ignored, skipped = splits.guesses[:2]
    assert ignored == (
        "ignored 7 files that are not images: 2 .txt, 1 .bak, 1 .md, 1 .mp4, 1 .nii.gz and 1 more "
        "(in b: 4, a: 2; 1 outside the class folders)"
    )
    assert skipped.startswith("skipped 7 hidden or system files: 1 ")
    assert "1 image lies in no class folder, such as loose.png: it is left out" in splits.notes
    assert scan(tmp_path).all_skipped() == Counter(
        [".DS_Store", "._*", "__MACOSX", "@eaDir", ".ipynb_checkpoints", "Thumbs.db", "thumbnails"]
    )


def test_a_class_without_images_names_what_it_has(tmp_path: Path) -> None:
    lay(tmp_path, "a/1.png", "b/1.png", *(f"c/{n}.heic" for n in range(3)))
    with pytest.raises(ValueError, match=r"class folder .*c has no image, only 3 \.heic: HEIC is not read: convert"):
        folders(tmp_path)


def test_classes_that_differ_in_case_are_told(tmp_path: Path) -> None:
    lay(tmp_path / "two", *(f"{name}/{n}.png" for name in ("Good", "good ", "bad") for n in range(6)))
    assert "class folders 'Good' and 'good ' differ only in case" in " ".join(folders(tmp_path / "two").notes)
    lay(tmp_path / "splits", *each("train"), "test/A/1.png")
    with pytest.raises(ValueError, match=r"class 'A' is in .*test but has no folder in .*train: it has 'a': rename"):
        folders(tmp_path / "splits")


@pytest.mark.parametrize("kind", ["gif", "jfif", "jpe", "pgm", "ppm", "pnm", "pbm", "dib", "avif", "jp2"])
def test_more_kinds_of_files_are_read_by_suffix_and_without_one_by_content(kind: str, tmp_path: Path) -> None:
    if f".{kind}" not in SUFFIXES:
        pytest.skip(f"this Pillow reads no {kind}")
    square = np.kron(np.eye(2), np.full((16, 16), 255)).astype(np.uint8)
    image = Image.fromarray(square).convert("1" if kind == "pbm" else "L")
    image.save(tmp_path / f"x.{kind}", format={"pnm": "PPM", "jfif": "JPEG", "jpe": "JPEG"}.get(kind))
    (tmp_path / "no suffix").write_bytes((tmp_path / f"x.{kind}").read_bytes())
    (tmp_path / "1.2.840.1").write_bytes((tmp_path / f"x.{kind}").read_bytes())
    assert len(scan(tmp_path).images) == 3
    for path in tmp_path.iterdir():
        assert is_image_file(path)
        assert is_image(path)
        read = ImageDecoder(32, 1, False, 10**6).read(path)[0]
        assert np.abs(read.astype(float) - square).mean() < 4


def test_a_program_is_never_started_for_a_file(tmp_path: Path) -> None:
    """PostScript, which Pillow gives to Ghostscript, under the name of a photo or none."""
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage\n"
    lay(tmp_path, *each("."))
    (tmp_path / "a" / "drawing").write_bytes(postscript)
    assert scan(tmp_path).all_ignored() == {"without a suffix": 1}
    (tmp_path / "a" / "photo.jpg").write_bytes(postscript)
    with pytest.raises(ValueError, match=r"photo\.jpg is not a readable image but PostScript"):
        folders(tmp_path)


def test_the_first_images_order_does_not_depend_on_what_is_skipped(tmp_path: Path) -> None:
    plain = folders(lay(tmp_path / "x", *(f"{name}/{n}.png" for name in "ab" for n in range(9))))
    before = plain.train.names(torch.arange(len(plain.train)))
    lay(tmp_path / "x", "a/.hidden.png", "a/note.txt")
    after = folders(tmp_path / "x")
    assert after.train.names(torch.arange(len(after.train))) == before


@pytest.mark.parametrize(
    ("kind", "several"), [("gif", True), ("tiff", True), ("webp", True), ("png", True), ("jpg", False)]
)
def test_the_first_of_several_frames_is_taken_and_told(kind: str, several: bool, tmp_path: Path) -> None:
    lay(tmp_path, *(f"{name}/{n}.png" for name in "ab" for n in range(6)))
    frames = [digit(n).resize((16, 16)) for n in (3, 8)]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]} if several else {}
    frames[0].save(tmp_path / "a" / f"film.{kind}", **options)
    told = [guess for guess in folders(tmp_path).guesses if "several frames" in guess]
    wanted = f"1 file has several frames or pages, such as a/film.{kind}: the first is taken"
    assert told == ([wanted] if several else [])
    read = ImageDecoder(16, 1, False, 10**6).read(tmp_path / "a" / f"film.{kind}")[0].astype(float)
    assert np.abs(read - np.asarray(frames[0])).mean() < 10 < np.abs(read - np.asarray(frames[1])).mean()
