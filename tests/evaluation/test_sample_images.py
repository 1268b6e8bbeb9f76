"""Sample images are what a training step gets, before and after augmentation."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imbalance_lab import seeding
from imbalance_lab.data import Arrays, NoAugmentation, RandomResizedCrop, ShiftFlip, Splits, digits, image_folder
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.sample_images import CLASSES, EACH, GAP, SIDE, read_samples, write_samples
from imbalance_lab.samplers import SampledIndices
from tests.helpers.images import PHOTO, tree


def splits_of(inputs: torch.Tensor, targets: torch.Tensor, classes: tuple[str, ...]) -> Splits:
    arrays = Arrays(inputs, targets, torch.arange(len(targets)))
    return Splits(classes, arrays, arrays, arrays)


DIGITS = digits()
SPLITS = splits_of(DIGITS.test.inputs, DIGITS.test.targets, tuple("0123456789"))


def pixels(picture: bytes, side: int, n: int = EACH) -> list[np.ndarray]:
    """The images of a picture, each (side, side, …), without enlargement."""
    shown, times = np.asarray(Image.open(io.BytesIO(picture))), SIDE // side
    width = side * times
    assert shown.shape[:2] == (width, n * width + (n - 1) * GAP)
    return [shown[:, at * (width + GAP) :][::times, :width:times] for at in range(n)]


def test_they_are_the_inputs_of_a_training_step(tmp_path: Path) -> None:
    augment = ShiftFlip(2)
    written = write_samples(tmp_path / "samples.parquet", SPLITS, augment, seed=3)
    assert read_samples(tmp_path / "samples.parquet") == written
    assert len(written) == CLASSES
    for each in written:
        at = torch.tensor([int(name.split()[1]) for name in each.names])
        assert SPLITS.train.targets[at].tolist() == [each.of_class] * EACH
        seeds = seeding.hash_indices(seeding.hash_seeds(3, 0), at)
        batch = SPLITS.train.__getitems__(SampledIndices(at, seeds))
        assert np.array_equal(pixels(each.plain, 8), batch.input[:, 0].numpy())
        assert each.augmented is not None
        assert np.array_equal(pixels(each.augmented, 8), augment(batch.input, seeds)[:, 0].numpy())


def test_without_augmentation_there_is_one_picture_and_the_rarest_come_first(tmp_path: Path) -> None:
    kept = torch.cat([(SPLITS.train.targets == c).nonzero().flatten()[: 2 + c] for c in (7, 0, 3)])
    few = replace(SPLITS, train=SPLITS.train.subset(kept))
    written = write_samples(tmp_path / "samples.parquet", few, NoAugmentation(), seed=0)
    assert [(each.of_class, each.augmented) for each in written] == [(0, None), (3, None), (7, None)]
    assert [len(each.names) for each in written] == [2, 3, 3]
    assert sum(len(each.plain) for each in written) < 3000


def test_labels_show_their_positives(tmp_path: Path) -> None:
    targets = torch.stack([SPLITS.train.targets == 1, SPLITS.train.targets > 5], 1).long()
    splits = splits_of(SPLITS.train.inputs, targets, ("one", "large"))
    for each in write_samples(tmp_path / "samples.parquet", splits, NoAugmentation(), seed=0):
        assert all(targets[int(name.split()[1]), each.of_class] for name in each.names)


@pytest.mark.parametrize("factor", [257.0, 1 / 255, -1.0])
def test_other_ranges_share_one_scale(factor: float, tmp_path: Path) -> None:
    """16 bits as floats, [0, 1], and negative values: the darkest pixel of all is black, the brightest white."""
    splits = splits_of(SPLITS.train.inputs.float() * factor, SPLITS.train.targets, SPLITS.classes)
    plain = write_samples(tmp_path / "samples.parquet", splits, NoAugmentation(), seed=0)
    every = np.concatenate([np.concatenate(pixels(each.plain, 8)) for each in plain])
    assert (every.min(), every.max()) == (0, 255)
    flat = splits_of(torch.ones(4, 1, 8, 8), torch.tensor([0, 0, 1, 1]), ("a", "b"))
    assert len(write_samples(tmp_path / "samples.parquet", flat, NoAugmentation(), seed=0)) == 2


def test_photographs_are_small_files(tmp_path: Path) -> None:
    for c in "ab":
        (tmp_path / "photos" / c).mkdir(parents=True)
        for n in range(8):
            Image.fromarray(PHOTO[n * 9 :]).save(tmp_path / "photos" / c / f"{n}.jpg")
    splits = image_folder(root=str(tmp_path / "photos"))
    written = write_samples(tmp_path / "samples.parquet", splits, RandomResizedCrop(), seed=0)
    for each in written:
        for picture in (each.plain, each.augmented):
            assert picture is not None
            assert len(picture) < 8000
            assert Image.open(io.BytesIO(picture)).size == (3 * SIDE + 2 * GAP, SIDE)


def test_gray_files_of_16_bits_and_inputs_that_are_no_images(tmp_path: Path) -> None:
    root = tree(tmp_path / "digits", "ab", 8)
    for file in root.glob("*/*.png"):
        Image.fromarray(np.asarray(Image.open(file)).astype(np.uint16) * 40).save(file)
    written = write_samples(tmp_path / "s.parquet", image_folder(root=str(root)), NoAugmentation(), seed=0)
    assert max(image.max() for each in written for image in pixels(each.plain, 8)) > 200
    rows = splits_of(torch.randn(6, 5), torch.tensor([0, 1] * 3), ("a", "b"))
    assert write_samples(tmp_path / "none.parquet", rows, NoAugmentation(), seed=0) == []
    assert not (tmp_path / "none.parquet").exists()
    assert read_samples(tmp_path / "none.parquet") == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    write_samples(path, SPLITS, NoAugmentation(), seed=0)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with pytest.raises(
        UsageError, match=r"samples\.parquet is damaged .*only the sample images of the report are lost"
    ):
        read_samples(path)
