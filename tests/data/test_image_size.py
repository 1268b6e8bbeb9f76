"""The size that images are read at by default: theirs, never enlarged beyond most of them, at most 224."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbalance_lab.data import image_folder
from imbalance_lab.data.image_size import auto_size, describe_reading


def pictures(root: Path, sizes: list[tuple[int, int]], **save: object) -> Path:
    """Two classes, each with an image of every size (width, height)."""
    for c in "ab":
        (root / c).mkdir(parents=True)
        for n, (width, height) in enumerate(sizes):
            Image.new("L", (width, height), 40 * (c == "a") + n).save(root / c / f"{n}.png", **save)
    return root


@pytest.mark.parametrize("seed", range(5))
def test_it_is_a_side_that_half_of_the_images_reach_and_at_most_224(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = [tuple(map(int, size)) for size in rng.integers(1, 400, (rng.integers(1, 40), 2))]
    chosen, shorter = auto_size(sizes), np.array([min(size) for size in sizes])
    assert chosen == min(224, sorted(shorter)[(len(sizes) - 1) // 2])
    assert (shorter >= chosen).mean() >= 0.5


@pytest.mark.parametrize(
    ("sizes", "size", "guess"),
    [
        ([(28, 28)], 28, "images are read at 28 × 28 pixels, as all training images have"),
        ([(64, 48)], 48, "images are read at 48 × 48 pixels, all training images have 64 × 48"),
        ([(30, 900)], 30, "only the square center of an image is read, which leaves out 97% of one of 30 × 900"),
        ([(260, 250)], 224, "images are read at 224 × 224 pixels, all training images have 260 × 250"),
    ],
)
def test_a_folder_of_one_size_is_read_at_it(
    sizes: list[tuple[int, int]], size: int, guess: str, tmp_path: Path
) -> None:
    splits = image_folder(root=str(pictures(tmp_path, sizes * 8)))
    assert splits.train.input_shape == splits.schema.input_shape == (1, size, size)
    assert any(guess in each for each in splits.guesses)
    assert not splits.notes


def test_only_training_images_decide_and_the_model_keeps_the_size(tmp_path: Path) -> None:
    pictures(tmp_path / "train", [(20, 20), (12, 12), (40, 30)])
    pictures(tmp_path / "val", [(60, 60)] * 3)
    pictures(tmp_path / "test", [(60, 60)] * 3)
    splits = image_folder(root=str(tmp_path))
    assert splits.train.input_shape == (1, 20, 20)
    (guess,) = splits.guesses
    assert "12 to 30 pixels, in the median 20; 2 of 6 are smaller and are scaled up" in guess
    pictures(tmp_path / "new", [(50, 50)] * 8)
    again = image_folder(root=str(tmp_path / "new"), schema=splits.schema)
    assert again.train.input_shape == (1, 20, 20)
    assert not again.guesses
    assert not again.notes
    told = image_folder(root=str(tmp_path / "new"), schema=splits.schema, image_size=50)
    assert told.notes == ["data.image_size=50 is ignored: the model takes images of 20 × 20 pixels"]


def test_a_given_size_is_taken(tmp_path: Path) -> None:
    splits = image_folder(root=str(pictures(tmp_path, [(28, 28)] * 8)), image_size=32)
    assert splits.train.input_shape == (1, 32, 32)
    assert not splits.guesses


def test_images_of_one_pixel_are_worth_a_warning(tmp_path: Path) -> None:
    splits = image_folder(root=str(pictures(tmp_path, [(1, 1)] * 8)))
    (note,) = splits.notes
    assert note.startswith("half of the training images have a side of at most 1 pixel, so all are read at 1 × 1")


def test_a_square_set_with_one_panorama_is_not_worth_a_remark() -> None:
    told = describe_reading([(100, 100)] * 9 + [(900, 100)], 100, is_auto=True)
    assert [each for each in told.guesses if "center" in each] == []


@pytest.mark.parametrize("size", ["big", "224", 0, 5000, 2.5, True, None])
def test_other_sizes_are_refused(size: object, tmp_path: Path) -> None:
    pictures(tmp_path, [(8, 8)] * 8)
    with pytest.raises((TypeError, ValueError), match=r"^image_size \(auto, or pixels\) must be an integer"):
        image_folder(root=str(tmp_path), image_size=size)  # type: ignore[arg-type]
