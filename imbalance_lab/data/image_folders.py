"""Images as sources: a tree with a folder for each class."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.image_decoder import SUFFIXES
from imbalance_lab.data.image_files import Normalization
from imbalance_lab.data.image_size import ImageSize
from imbalance_lab.data.image_splits import Channels, ImageList, ImageOptions, build_splits
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits
from imbalance_lab.validation import did_you_mean

SPLIT_FOLDERS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
    "calibration": ("calibration",),
}


def image_folder(
    *,
    root: str,
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    group_pattern: str | None = None,
    image_size: ImageSize = "auto",
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    max_pixels: int = 100_000_000,
    schema: InputSchema | None = None,
) -> Splits:
    """Read a tree with a folder for each class, or with folders train, val and test that each have one for each class.

    Args:
        root: the tree.
        val_fraction, test_fraction: shares, stratified, of a split that has no folder.
        calibration_fraction: the same for calibration, taken from what would be for training; 0 for no such split.
        split_seed: decides which images are in which split.
        group_pattern: a regular expression that is searched for in each path below ``root``; files with the same match
            (of its first group, if it has one) are never in two splits.
        image_size: pixels of the sides, see `ImageDecoder`; or "auto", see `auto_size`.
        channels: 1, 3, or "auto": 1 if every image is gray.
        normalize: "imagenet" for pretrained backbones, or "fitted" on the training images.
        cache: a directory for all images, read and resized once.
        max_pixels: larger images are refused.
        schema: of a trained model: size, channels, bits and classes are its own, whatever these files hold.

    Raises:
        ValueError, FileNotFoundError: naming the folder or file, and the remedy.
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"data.root={root} is not a directory: name the one with a folder for each class")
    files, numbers, classes, given = _tree(folder, None if schema is None else schema.classes)
    targets = torch.tensor(numbers)
    values = None if group_pattern is None else _groups(files, folder, group_pattern)
    groups = None if values is None else np.unique(np.array(values), return_inverse=True)[1]
    fractions = {
        "val_fraction": val_fraction,
        "test_fraction": test_fraction,
        "calibration_fraction": calibration_fraction,
    }
    splits = fill_missing_splits(given, targets, **fractions, seed=split_seed, groups=groups)
    options = ImageOptions(image_size, channels, normalize, cache, max_pixels, schema)
    listed = ImageList(folder, files, classes, targets, None if values is None else pa.array(values))
    return build_splits(listed, splits, options)


def _tree(root: Path, known: tuple[str, ...] | None) -> tuple[list[str], list[int], tuple[str, ...], SplitIndices]:
    """Files, their class indices, the classes (those ``known`` to a model, if given), and the splits with a folder."""
    parts = {split: _existing(root, names) for split, names in SPLIT_FOLDERS.items()}
    trees = {split: tree for split, tree in parts.items() if tree} if parts["train"] else {"train": root}
    found = {split: list(_classes(tree)) for split, tree in trees.items()}
    classes = known or tuple(name for name, _ in found["train"])
    for split, there in found.items():
        for name, _ in there:
            if name not in classes and known:
                hint = did_you_mean(name, known) or f": it has {', '.join(known[:8])}{' …' * (len(known) > 8)}"
                raise ValueError(f"class {name!r} in {trees[split]} is not a class of the model{hint}")
            if name not in classes:
                raise ValueError(f"class {name!r} is in {trees[split]} but has no folder in {trees['train']}")
    files: list[str] = []
    numbers: list[int] = []
    given: dict[str, Tensor] = {}
    for split in SPLIT_FOLDERS:
        before = len(files)
        for name, paths in found.get(split, []):
            files += paths
            numbers += [classes.index(name)] * len(paths)
        given[split] = torch.arange(before, len(files))
    return files, numbers, classes, SplitIndices(**given)


def _classes(tree: Path) -> Iterator[tuple[str, list[str]]]:
    """The classes of a tree, by name, each with its images, in order."""
    folders = sorted(each for each in tree.iterdir() if each.is_dir() and each.name[0] != ".")
    if not folders:
        raise ValueError(f"{tree} has no folders: it needs one for each class")
    for folder in folders:
        _check_utf8(folder)
        paths = sorted(find_images(folder))
        if not paths:
            raise ValueError(f"the class folder {folder} has no image ({', '.join(SUFFIXES)}): fill it, or remove it")
        yield folder.name, paths


def find_images(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[str]:
    """The paths of the images below a folder, in no order; hidden files are left out.

    Raises:
        ValueError: for a link to a folder that contains it, and a name that is not UTF-8.
    """
    real = folder.resolve()
    if real in above:
        raise ValueError(f"{folder} is a link to a folder that contains it: remove the link")
    with os.scandir(folder) as listing:
        entries = list(listing)
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from find_images(path, (*above, real))
        elif path.suffix.lower() in SUFFIXES:
            _check_utf8(path)
            yield entry.path


def _check_utf8(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise ValueError(f"the name of {shown} is not UTF-8: rename it") from None


def _existing(root: Path, names: Sequence[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _groups(files: Sequence[str], root: Path, pattern: str) -> list[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"data.group_pattern={pattern!r} is not a regular expression ({error})") from error
    found = []
    for file in files:
        match = expression.search(os.path.relpath(file, root))
        if match is None:
            raise ValueError(f"data.group_pattern={pattern!r} does not match {os.path.relpath(file, root)}")
        found.append(match.group(1 if expression.groups else 0))
    return found
