"""Real image files of every kind: what is read of them, how they are split, what the messages about broken ones say."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from imbalance_lab.data import ImageFiles, Splits, fashion_mnist, image_files, image_folder, image_table
from imbalance_lab.data.image_decoder import UnreadableImageError
from imbalance_lab.samplers import SampledIndices
from tests.conftest import RunJob, needs_fashion_mnist
from tests.helpers.images import DIGITS, PHOTO, broken_in_the_middle, digit, read, tree


def inputs(source: Any) -> torch.Tensor:
    at = torch.arange(len(source))
    found: torch.Tensor = source.__getitems__(SampledIndices(at, at)).input
    return found


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "webp"])
def test_grayscale_is_read_exactly(kind: str, tmp_path: Path) -> None:
    digit(3).save(tmp_path / f"x.{kind}", **({"lossless": True} if kind == "webp" else {}))
    np.testing.assert_array_equal(read(tmp_path / f"x.{kind}")[0], np.asarray(digit(3)))


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    deep = (DIGITS.images[5] * 4000 + np.arange(8)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read(tmp_path / "x.png", is_16bit=True)[0], deep)
    tree(tmp_path / "root", "ab")
    Image.fromarray(deep).save(tmp_path / "root" / "a" / "deep.png")
    splits = image_folder(root=str(tmp_path / "root"), image_size=8)
    parts = (splits.train, splits.val, splits.test)
    everything = {
        name: image
        for part in parts
        for name, image in zip(part.names(torch.arange(len(part))), inputs(part), strict=True)
    }
    assert everything["a/deep.png"].dtype == torch.float32
    np.testing.assert_array_equal(everything["a/deep.png"][0], deep)
    shallow = np.asarray(Image.open(tmp_path / "root" / "b" / "p0_0.png"))
    np.testing.assert_array_equal(everything["b/p0_0.png"][0], shallow.astype(float) * 257)  # white stays white
    assert abs(splits.prepare(inputs(splits.train)).mean()) < 0.05


def test_color_palette_and_transparency(tmp_path: Path) -> None:
    photo = Image.fromarray(PHOTO).resize((16, 16))
    photo.save(tmp_path / "rgb.png")
    photo.quantize(64).save(tmp_path / "palette.png")
    half = photo.copy()
    half.putalpha(Image.fromarray(np.repeat([[0], [255]], 8, 0).repeat(16, 1).astype(np.uint8)))
    half.save(tmp_path / "rgba.png")
    wanted = np.asarray(photo).transpose(2, 0, 1)
    np.testing.assert_array_equal(read(tmp_path / "rgb.png", size=16, channels=3), wanted)
    assert np.abs(read(tmp_path / "palette.png", size=16, channels=3) - wanted.astype(float)).mean() < 6
    transparent = read(tmp_path / "rgba.png", size=16, channels=3)
    assert (transparent[:, :8] == 0).all()
    np.testing.assert_array_equal(transparent[:, 8:], wanted[:, 8:])
    gray = read(tmp_path / "rgb.png", size=16, channels=1)
    np.testing.assert_array_equal(gray[0], np.asarray(photo.convert("L")))


def test_the_shorter_side_is_scaled_and_the_middle_is_taken(tmp_path: Path) -> None:
    wide = Image.fromarray(PHOTO[:100, :300])
    wide.save(tmp_path / "x.png")
    expected = np.asarray(wide.crop((100, 0, 200, 100)).resize((50, 50), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    apart = np.abs(read(tmp_path / "x.png", size=50, channels=3) - expected.astype(float))
    assert apart[:, :, 1:-1].max() <= 1  # at the sides it sees a little of what was cut off


def test_a_jpeg_is_decoded_small_upright_and_nearly_the_same(tmp_path: Path) -> None:
    photo = Image.fromarray(PHOTO)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    photo.save(tmp_path / "x.jpg", quality=95, exif=exif)
    turned = photo.transpose(Image.Transpose.ROTATE_270).resize((32, 32), Image.Resampling.BILINEAR)
    assert (
        np.abs(read(tmp_path / "x.jpg", size=32, channels=3).transpose(1, 2, 0) - np.asarray(turned, float)).mean() < 4
    )


def test_a_tree_is_split_and_its_folders_are_the_classes(tmp_path: Path) -> None:
    splits = image_folder(root=str(tree(tmp_path, "abc", 20)), image_size=8)
    assert splits.classes == ("a", "b", "c")
    assert splits.class_counts.tolist() == [14, 14, 14]
    assert splits.train.input_shape == (1, 8, 8)
    parts = [set(part.names(torch.arange(len(part)))) for part in (splits.train, splits.val, splits.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    for part in (splits.train, splits.val, splits.test):
        for name, target in zip(part.names(torch.arange(len(part))), part.targets.tolist(), strict=True):
            assert name[0] == "abc"[target]


def test_folders_give_the_split_and_missing_splits_are_split_off(tmp_path: Path) -> None:
    tree(tmp_path / "train", "abc", 20)
    tree(tmp_path / "test", "ab", 5)
    splits = image_folder(root=str(tmp_path), image_size=8, val_fraction=0.2)
    assert (len(splits.train), len(splits.val), len(splits.test)) == (48, 12, 10)
    assert all(name.startswith("test") for name in splits.test.names(torch.arange(10)))
    tree(tmp_path / "valid", "abc", 3)
    assert len(image_folder(root=str(tmp_path), image_size=8).val) == 9


def test_groups_are_in_one_split(tmp_path: Path) -> None:
    splits = image_folder(root=str(tree(tmp_path, "ab", 20)), image_size=8, group_pattern=r"(./p\d)_")
    sides = [
        {name[:4] for name in part.names(torch.arange(len(part)))} for part in (splits.train, splits.val, splits.test)
    ]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert all(sides)


def test_a_table_lists_images(tmp_path: Path) -> None:
    tree(tmp_path / "images", "abc", 12)
    files = sorted((tmp_path / "images").rglob("*.png"))
    frame = pd.DataFrame({"path": [str(file.relative_to(tmp_path)) for file in files]})
    frame["label"] = [file.parent.name for file in files]
    frame["big"], frame["round"] = [i % 2 for i in range(36)], [int(i % 3 == 0) for i in range(36)]
    frame["part"] = [("train", "train", "val", "test")[i % 4] for i in range(36)]
    frame.to_csv(tmp_path / "labels.csv", index=False)
    splits = image_table(path=str(tmp_path / "labels.csv"), label="label", split="part", image_size=8)
    assert splits.classes == ("a", "b", "c")
    assert splits.val.names(torch.tensor([0])) == [frame["path"][2]]
    many = image_table(path=str(tmp_path / "labels.csv"), label=["big", "round"], image_size=8)
    assert many.classes == ("big", "round")
    assert many.train.targets.tolist() == frame[["big", "round"]].to_numpy()[many.train.index].tolist()


def test_a_cache_has_the_same_images_and_is_made_once(tmp_path: Path) -> None:
    root = str(tree(tmp_path / "root", "ab"))
    plain = image_folder(root=root, image_size=8)
    first = image_folder(root=root, image_size=8, cache=str(tmp_path / "cache"))
    assert torch.equal(inputs(plain.train), inputs(first.train))
    (file,) = (tmp_path / "cache").iterdir()
    before = file.stat().st_mtime_ns
    assert torch.equal(
        inputs(image_folder(root=root, image_size=8, cache=str(tmp_path / "cache")).test), inputs(plain.test)
    )
    assert file.stat().st_mtime_ns == before
    digit(0).save(tmp_path / "root" / "a" / "another.png")
    image_folder(root=root, image_size=8, cache=str(tmp_path / "cache"))
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_cache_is_whole_or_not_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", "ab")
    broken_in_the_middle(root / "a" / "p0_0.png")
    with pytest.raises(UnreadableImageError, match=r"p0_0\.png is broken"):
        image_folder(root=str(root), image_size=8, cache=str(tmp_path / "cache"))
    assert not list((tmp_path / "cache").iterdir())


def test_verify_finds_what_headers_do_not_show(tmp_path: Path) -> None:
    root = tree(tmp_path, "ab", 10)
    broken_in_the_middle(root / "b" / "p1_2.png")
    splits = image_folder(root=str(root), image_size=8, normalize="imagenet")
    seen: list[tuple[int, int]] = []
    faults = [
        fault
        for part in (splits.train, splits.val, splits.test)
        for fault in part.verify(lambda done, total: seen.append((done, total)))  # type: ignore[attr-defined]
    ]
    (fault,) = faults
    assert str(root / "b" / "p1_2.png") in fault
    assert "copy it again, or remove it" in fault
    assert len(seen) == 20
    parts = (splits.train, splits.val, splits.test)
    (part,) = [part for part in parts if "b/p1_2.png" in part.names(torch.arange(len(part)))]
    with pytest.raises(UnreadableImageError, match=r"p1_2\.png is broken"):
        inputs(part)


def test_equal_files_have_equal_hashes(tmp_path: Path) -> None:
    root = tree(tmp_path, "ab", 10)
    (root / "b" / "copy.png").write_bytes((root / "a" / "p0_0.png").read_bytes())
    splits = image_folder(root=str(root), image_size=8)
    found: dict[int, list[str]] = {}
    for part in (splits.train, splits.val, splits.test):
        for name, number in zip(part.names(torch.arange(len(part))), part.content_hashes().tolist(), strict=True):
            found.setdefault(number, []).append(name)
    assert [sorted(names) for names in found.values() if len(names) > 1] == [["a/p0_0.png", "b/copy.png"]]


def test_files_are_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of a sweep share a source, and each names its features by the hashes."""
    train = image_folder(root=str(tree(tmp_path, "ab", 10)), image_size=8).train
    hashes = train.content_hashes()
    monkeypatch.setattr(image_files, "_hash", lambda path: pytest.fail(f"{path} is read again"))
    assert train.content_hashes() is hashes


def truncated(root: Path) -> None:
    path = root / "a" / "p0_0.png"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def truncated_jpeg(root: Path) -> None:
    Image.fromarray(PHOTO).save(root / "a" / "x.jpg")
    content = (root / "a" / "x.jpg").read_bytes()
    (root / "a" / "x.jpg").write_bytes(content[: len(content) // 2])


def bomb(root: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(root / "a" / "huge.png")


def loop(root: Path) -> None:
    (root / "a" / "again").symlink_to(root / "a", target_is_directory=True)


def strange_name(root: Path) -> None:
    digit(0).save(os.fsencode(root / "a") + b"/caf\xe9.png", "PNG")


MISTAKES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "empty class": (lambda root: (root / "d").mkdir(), {}, r"the class folder .*d has no image"),
    "not an image": (lambda root: (root / "a" / "x.png").write_text("hello"), {}, r"x\.png is not a readable image"),
    "empty file": (lambda root: (root / "a" / "x.png").write_bytes(b""), {}, r"x\.png is not a readable image"),
    "truncated": (truncated, {}, r"p0_0\.png is broken or truncated"),
    "truncated jpeg": (truncated_jpeg, {}, r"x\.jpg is broken or truncated"),
    "bomb": (bomb, {}, r"huge\.png has .*more than data\.max_pixels=100000000"),
    "loop": (loop, {}, r"again is a link to a folder that contains it"),
    "not UTF-8": (strange_name, {}, r"caf\\xe9\.png is not UTF-8: rename it"),
    "no training": (
        lambda root: [tree(root / "train", "ab"), tree(root / "val")],
        {"ignore": ["?"]},
        r"'c' is in .*val but has no",
    ),
    "one class": (lambda root: tree(root / "train", "a", 20), {"ignore": ["?"]}, "examples are of one class, 'a'"),
    "no test": (lambda root: None, {"test_fraction": 0.0}, "no example in the test split"),
    "pattern": (lambda root: None, {"group_pattern": "("}, "is not a regular expression"),
    "pattern nowhere": (lambda root: None, {"group_pattern": "patient"}, "'patient' does not match a/p0_0.png"),
    "size": (lambda root: None, {"image_size": 0}, "image_size .auto, or pixels. must be an integer in .1, 4096."),
    "channels": (lambda root: None, {"channels": 2}, "channels must be 1, 3 or auto"),
    "normalize": (lambda root: None, {"normalize": "me"}, "normalize must be one of fitted, imagenet, inception"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_name_the_file_and_the_remedy(case: str, tmp_path: Path) -> None:
    spoil, options, says = MISTAKES[case]
    tree(tmp_path, "abc")
    spoil(tmp_path)
    with pytest.raises(ValueError, match=says):
        image_folder(root=str(tmp_path), **({"image_size": 8} | options))


def test_a_root_that_is_not_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a directory"):
        image_folder(root=str(tmp_path / "absent"))
    with pytest.raises(ValueError, match="has no folders"):
        image_folder(root=str(tmp_path))


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("file,label\nx.png,a\n", {}, r"data\.path_column=path is not a column.*: it has file, label"),
        (
            "path,label\nx.png,a\nabsent.png,b\n",
            {},
            r"labels\.csv, line 3, column 'path': there is no file .*absent\.png",
        ),
        ("path,label\nx.png,\n", {}, r"line 2, column 'label' has no value"),
        ("path,label\nx.png,2\n", {"label": ["label"]}, r"line 2, column 'label': '2' is neither 0 nor 1"),
        ("path,label\nx.png,a\n", {"split": "part"}, r"data\.split=part is not a column"),
    ],
)
def test_mistakes_in_a_table_name_the_line(content: str, options: dict[str, Any], says: str, tmp_path: Path) -> None:
    digit(0).save(tmp_path / "x.png")
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(ValueError, match=says):
        image_table(path=str(tmp_path / "labels.csv"), **({"label": "label"} | options))


@needs_fashion_mnist
def test_fashion_mnist_as_files_is_fashion_mnist(tmp_path: Path) -> None:
    pool = fashion_mnist().pool.subset(torch.arange(400))
    for number, (image, target) in enumerate(zip(pool.inputs.numpy(), pool.targets.tolist(), strict=True)):
        for kind, options in (("png", {}), ("jpg", {"quality": 95})):
            folder = tmp_path / kind / str(target)
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[0]).save(folder / f"{number}.{kind}", **options)
    for kind, most in (("png", 0.0), ("jpg", 3.0)):
        splits = image_folder(root=str(tmp_path / kind), image_size=28)
        for part in (splits.train, splits.val, splits.test):
            numbers = torch.tensor([int(Path(name).stem) for name in part.names(torch.arange(len(part)))])
            assert (inputs(part).float() - pool.inputs[numbers].float()).abs().mean() <= most
            assert torch.equal(part.targets, pool.targets[numbers])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_tree_is_trained_on(workers: int, tmp_path: Path, run_job: RunJob) -> None:
    root = tree(tmp_path / "photos", "abc", 40)
    directory = run_job(
        "data=image_folder", f"data.root={root}", "data.image_size=16", "backbone=convnet", "max_epochs=2",
        f"num_workers={workers}", "head_lr=0.01",
    )  # fmt: skip
    from imbalance_lab.evaluation.mistakes import read_mistakes

    mistakes = read_mistakes(directory / "predictions" / "mistakes.parquet")
    assert all((root / each.name).is_file() and each.png for each in mistakes)


def test_a_subset_keeps_its_groups(tmp_path: Path) -> None:
    splits: Splits = image_folder(root=str(tree(tmp_path, "ab", 12)), image_size=8, group_pattern=r"p\d")
    assert isinstance(splits.train, ImageFiles)
    assert splits.train.groups is not None
    names, groups = splits.train.names(torch.arange(len(splits.train))), splits.train.groups.to_pylist()
    assert groups == [re.search(r"p\d", name)[0] for name in names]  # type: ignore[index]
    assert splits.train.subset(torch.tensor([2, 0])).groups.to_pylist() == [groups[2], groups[0]]  # type: ignore[union-attr]
