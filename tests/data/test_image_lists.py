"""Images from published list files: read as they are written, the subsets of exactly the published sizes."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from imbalance_lab.data import Splits, image_lists
from tests.conftest import composed

SIZES = {
    "imagenet_lt": (115_846, 50_000, 20_000),
    "places_lt": (62_500, 36_500, 7_300),
    "inaturalist18": (437_513, 24_426),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes with 6, 3 and 2 training images, 2 of each to validate on and to test on; a name has a space."""
    lines: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for c, n_train in enumerate((6, 3, 2)):
        for split, n in (("train", n_train), ("val", 2), ("test", 2)):
            for i in range(n):
                path = f"{'val' if split == 'test' else 'train'}/n0{c} x/{split}_{i}.JPEG"
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (9, 8), (80 * c, 10 * i, 0)).save(tmp_path / path)
                lines[split].append(f"{path} {c}")
    for split, each in lines.items():
        (tmp_path / f"{split}.txt").write_text("\n".join(each) + "\n")
    return tmp_path


def read(folder: Path, **options: object) -> Splits:
    lists = {"train": "train.txt", "val": "val.txt", "test": "test.txt", "image_size": 8, "channels": 3}
    return image_lists(root=str(folder), lists=str(folder), **lists | options)  # type: ignore[arg-type]


def test_every_split_has_the_examples_and_classes_of_its_list(folder: Path) -> None:
    splits = image_lists(root=str(folder), lists=str(folder), train="train.txt", val="val.txt", test="test.txt")
    assert splits.val is not None
    assert splits.classes == ("0", "1", "2")
    assert splits.class_counts.tolist() == [6, 3, 2]
    assert [part.targets.bincount().tolist() for part in (splits.val, splits.test)] == [[2, 2, 2], [2, 2, 2]]
    assert splits.train.names(torch.tensor([0, 6])) == ["train/n00 x/train_0.JPEG", "train/n01 x/train_0.JPEG"]
    assert splits.test.names(torch.tensor([5])) == ["val/n02 x/test_1.JPEG"]
    indices = torch.cat([part.index for part in (splits.train, splits.val, splits.test)])
    assert len(set(indices.tolist())) == 11 + 6 + 6


def test_without_a_list_for_validation_there_is_none_or_a_share(folder: Path) -> None:
    files = {"root": str(folder), "lists": str(folder), "train": "train.txt", "test": "test.txt"}
    none = image_lists(**files)  # type: ignore[arg-type]
    assert none.val is None
    assert len(none.train) == 11
    share = image_lists(**files, val_fraction=0.3)  # type: ignore[arg-type]
    assert share.val is not None
    assert len(share.val) + len(share.train) == 11
    assert len(share.test) == 6


def test_classes_have_the_names_of_a_file(folder: Path) -> None:
    (folder / "names.txt").write_text("cat\ndog\nowl\n")
    assert read(folder, classes=str(folder / "names.txt")).classes == ("cat", "dog", "owl")
    (folder / "names.txt").write_text("cat\n")
    with pytest.raises(ValueError, match="names 1 classes, but the lists have class 2"):
        read(folder, classes=str(folder / "names.txt"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train/n00 x/train_0.JPEG", "train.txt, line 12: .* is not a path and the number of a class"),
        ("train/n00 x/train_0.JPEG one", "line 12: .* is not a path and the number of a class"),
        ("train/n00 x/lost.JPEG 1", r"line 12: there is no file .*lost\.JPEG"),
    ],
)
def test_a_wrong_line_is_named(line: str, said: str, folder: Path) -> None:
    with (folder / "train.txt").open("a") as file:
        file.write(line)
    with pytest.raises(ValueError, match=said):
        read(folder)


def test_another_number_of_examples_than_the_published_one_is_refused(folder: Path) -> None:
    assert len(read(folder, sizes=[11, 6, 6]).train) == 11
    with pytest.raises(ValueError, match=r"train\.txt lists 11 images, but the published list of train has 12"):
        read(folder, sizes=[12, 6, 6])


@pytest.mark.parametrize("name", SIZES)
def test_published_subsets_have_their_sizes(name: str, folder: Path) -> None:
    data = composed(f"data={name}", f"data.root={folder}", f"data.lists={folder}").data
    assert tuple(data.sizes) == SIZES[name]
    assert len(data.sizes) == 2 + (data.val is not None)
