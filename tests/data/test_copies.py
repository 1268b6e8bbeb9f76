"""Equal images: under two labels an error that names both, under one a warning; found fast."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from imbalance_lab.data import Splits, image_folder, image_table
from imbalance_lab.data.copies import PIECE, equal_files
from imbalance_lab.data.image_decoder import UnreadableImageError
from imbalance_lab.data.summary import summarize
from imbalance_lab.samplers import RandomSampler
from tests.helpers.images import broken_in_the_middle, digit, tree


def summary_of(splits: Splits, *, thorough: bool = False) -> Any:
    return summarize(splits, RandomSampler(targets=splits.train.targets), 10, thorough=thorough)


@pytest.mark.parametrize("thorough", [False, True])
def test_one_image_under_two_labels_is_an_error_that_names_both(thorough: bool, tmp_path: Path) -> None:
    root = tree(tmp_path, "ab", 20)
    assert not summary_of(image_folder(root=str(root), image_size=8), thorough=thorough).errors
    (root / "b" / "again.png").write_bytes((root / "a" / "p0_0.png").read_bytes())
    (root / "b" / "twin.png").write_bytes((root / "b" / "p0_1.png").read_bytes())  # the same label: no error
    for seed in range(3):  # wherever the two are
        (error,) = summary_of(image_folder(root=str(root), image_size=8, split_seed=seed), thorough=thorough).errors
        assert "a/p0_0.png ('a')" in error
        assert "b/again.png ('b')" in error
        assert "are the same image under two labels" in error


def test_the_same_pixels_in_other_bytes_are_found_if_thorough(tmp_path: Path) -> None:
    root = tree(tmp_path, "ab", 20)
    Image.open(root / "a" / "p0_0.png").save(root / "b" / "again.bmp")
    splits = image_folder(root=str(root), image_size=8)
    assert not summary_of(splits).errors
    assert "again.bmp" in summary_of(splits, thorough=True).errors[0]


def test_a_table_may_not_give_an_image_two_labels(tmp_path: Path) -> None:
    for n in range(12):
        digit(n).save(tmp_path / f"{n}.png")
    frame = pd.DataFrame({"path": [f"{n}.png" for n in range(12)], "label": list("ab") * 6})
    frame["x"], frame["y"] = [0, 1] * 6, [1, 0] * 6
    twice = pd.concat([frame, frame.tail(1).assign(label="a", x=0, y=0)])
    twice.to_csv(tmp_path / "t.csv", index=False)
    (error,) = summary_of(image_table(path=str(tmp_path / "t.csv"), label="label", image_size=8)).errors
    assert error.startswith("11.png is listed twice, as ")
    assert "'a'" in error and "'b'" in error  # noqa: PT018
    (error,) = summary_of(image_table(path=str(tmp_path / "t.csv"), label=["x", "y"], image_size=8)).errors
    assert "'x'" in error and "none" in error  # noqa: PT018


def test_files_are_equal_if_and_only_if_their_bytes_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    base = rng.bytes(10 * PIECE)
    flipped = [bytearray(base) for _ in range(4)]
    for content, at in zip(flipped, (0, 3 * PIECE, 9 * PIECE, 10 * PIECE - 1), strict=True):
        content[at] ^= 1  # between the pieces too
    small = [b"", b"", b"x", b"y", b"x", bytes(3 * PIECE), bytes(3 * PIECE)]
    contents = [base, *map(bytes, flipped), base, *small, base[:-1]]
    files = []
    for n, content in enumerate(contents):
        (tmp_path / f"{n}").write_bytes(content)
        files.append(str(tmp_path / f"{n}"))
    numbers = equal_files(files)
    for i, one in enumerate(contents):
        assert [n == numbers[i] for n in numbers] == [other == one for other in contents]


def test_all_unreadable_images_are_named_at_once(tmp_path: Path) -> None:
    root = tree(tmp_path / "head", "ab", 20)
    (root / "a" / "zero.png").write_bytes(b"")
    (root / "a" / "page.jpg").write_text("<!DOCTYPE html><html>404</html>")
    (root / "b" / "lfs.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(UnreadableImageError, match=r"^3 of 43 images cannot be read: ") as error:
        image_folder(root=str(root), image_size=8)
    for says in ("zero.png is not a readable image, it is empty", "page.jpg is not a readable image but a web page",
                 "lfs.png is not a readable image but a pointer of Git LFS"):  # fmt: skip
        assert says in str(error.value)
    root = tree(tmp_path / "deep", "ab", 20)
    for n in range(1, 7):
        broken_in_the_middle(root / "b" / f"p{n // 2}_{n}.png")
    with pytest.raises(UnreadableImageError, match=r"^6 of 40 images cannot be read: .*; and 1 more$"):
        image_folder(root=str(root), image_size=8)
    splits = image_folder(root=str(root), image_size=8, normalize="imagenet")
    assert len(summary_of(splits, thorough=True).errors) == 6


def test_the_numbers_of_a_thorough_look_belong_to_their_files(tmp_path: Path) -> None:
    root = tree(tmp_path, "ab", 20)
    splits = image_folder(root=str(root), image_size=8)
    examined = splits.train.examine()  # type: ignore[attr-defined]
    assert examined.faults == []
    assert len(np.unique(examined.pixels)) == len(splits.train)
    some = splits.train.subset(torch.tensor([5, 2]))
    assert some.examine().pixels.tolist() == examined.pixels[[5, 2]].tolist()  # type: ignore[attr-defined]
