"""Images as sources: a tree with a folder a class, or a table of paths and labels."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.image_decoder import SUFFIXES, ImageDecoder
from imbalance_lab.data.image_files import ImageFiles, Normalization, cached, fit_normalize, infer_decoder
from imbalance_lab.data.labels import group_ids, read_targets, split_from_column, validate_splits
from imbalance_lab.data.read_table import format_location, read_table, require_column
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits, stratified_split
from imbalance_lab.progress import progress

Channels = Literal["auto"] | int

SPLIT_FOLDERS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}


def image_folder(
    *,
    root: str,
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    split_seed: int = 0,
    group_pattern: str | None = None,
    image_size: int = 224,
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    max_pixels: int = 100_000_000,
) -> Splits:
    """Read a tree with one folder a class, or with folders train, val and test that each have one a class.

    Args:
        root: the tree.
        val_fraction, test_fraction: shares that are cut off, stratified, where there is no folder for them.
        split_seed: decides that cut.
        group_pattern: a regular expression that is looked for in each path below ``root``; files with the same match
            (of its first group, if it has one) are never on two sides of the cut.
        image_size: pixels of the sides; see `ImageDecoder`.
        channels: 1, 3, or "auto": 1 if every image is grey.
        normalize: "imagenet" for pretrained backbones, or "fitted" on the training images.
        cache: a folder for all images, read and resized once.
        max_pixels: larger images are refused.

    Raises:
        ValueError, FileNotFoundError: naming the folder or file of what cannot be.
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"data.root={root} is no folder: name the one with a folder for each class")
    parts = {split: _existing(folder, names) for split, names in SPLIT_FOLDERS.items()}
    trees = {split: tree for split, tree in parts.items() if tree} if parts["train"] else {"train": folder}
    found = {split: list(_classes(tree)) for split, tree in trees.items()}
    classes = [name for name, _ in found["train"]]
    for split, there in found.items():
        for name, _ in there:
            if name not in classes:
                raise ValueError(f"class {name!r} is in {trees[split]} but has no folder in {trees['train']}")
    files: list[str] = []
    numbers: list[int] = []
    told: dict[str, Tensor] = {}
    for split in SPLIT_FOLDERS:
        before = len(files)
        for name, paths in found.get(split, []):
            files += paths
            numbers += [classes.index(name)] * len(paths)
        told[split] = torch.arange(before, len(files))
    targets = torch.tensor(numbers)
    groups = None if group_pattern is None else _groups(files, folder, group_pattern)
    fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction}
    splits = fill_missing_splits(SplitIndices(**told), targets, **fractions, seed=split_seed, groups=groups)
    reading = _checked(image_size, channels, max_pixels)
    return _splits(_Listed(folder, files, tuple(classes), targets, groups), splits, reading, channels, normalize, cache)


def image_table(
    *,
    path: str,
    label: str | Sequence[str],
    root: str | None = None,
    path_column: str = "path",
    group: str | None = None,
    split: str | None = None,
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    split_seed: int = 0,
    image_size: int = 224,
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    max_pixels: int = 100_000_000,
) -> Splits:
    """Read images that a table lists.

    Args:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file.
        label: its column with the class; or a list of columns, each 0 or 1, of labels that may hold together.
        root: what the paths are relative to; the table's folder if None.
        path_column: the column with the image's path.
        group: a column; rows that are equal in it are never on two sides of a cut.
        split: a column with train, val or test in every row.

    The other arguments are `image_folder`'s.

    Raises:
        ValueError, FileNotFoundError: naming the line, file or column of what cannot be.
    """
    table = read_table(path)
    source = [(Path(path).expanduser(), 0)]
    labels = [label] if isinstance(label, str) else list(label)
    options: dict[str, list[str]] = {
        "label": labels,
        "path_column": [path_column],
        "group": [group] if group else [],
        "split": [split] if split else [],
    }
    for option, columns in options.items():
        for column in columns:
            require_column(column, table.column_names, source[0][0], f"data.{option}")
    classes, targets = read_targets(table, label, source)
    folder = source[0][0].parent if root is None else Path(root).expanduser()
    files = []
    for row, name in enumerate(table[path_column].to_pylist()):
        file = folder / str(name)
        if name is None or not file.is_file():
            raise ValueError(f"{format_location(source, row)}, column {path_column!r}: there is no file {file}")
        files.append(str(file))
    groups = None if group is None else group_ids(table[group])
    if split is None:
        fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction}
        splits = stratified_split(targets, **fractions, seed=split_seed, groups=groups)
    else:
        splits = split_from_column(table[split], split, source)
    reading = _checked(image_size, channels, max_pixels)
    return _splits(_Listed(folder, files, classes, targets, groups), splits, reading, channels, normalize, cache)


class _Listed(NamedTuple):
    """All images, before any is opened."""

    root: Path
    files: Sequence[str]
    classes: tuple[str, ...]
    targets: Tensor
    groups: NDArray[np.int64] | None


def _splits(
    listed: _Listed,
    splits: SplitIndices,
    reading: ImageDecoder,
    channels: Channels,
    how: Normalization,
    cache: str | None,
) -> Splits:
    root, files, classes, targets, groups = listed
    validate_splits(classes, targets, splits)
    with progress("reading the headers of the images") as step:
        reading = infer_decoder(files, reading, channels, step)
    stored = None
    if cache is not None:
        with progress("resizing the images") as step:
            stored = cached(files, reading, Path(cache).expanduser(), step)
    everything = ImageFiles(root, files, targets, torch.arange(len(files)), reading, groups, stored)
    train, val, test = (everything.subset(rows) for rows in splits)
    return Splits(classes, train, val, test, fitted=fit_normalize(train, how))


def _checked(image_size: int, channels: Channels, max_pixels: int) -> ImageDecoder:
    for name, value in {"image_size": image_size, "max_pixels": max_pixels}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")
    if channels not in ("auto", 1, 3):
        raise ValueError(f"channels must be 1, 3 or auto, got {channels!r}")
    return ImageDecoder(image_size, 3, False, max_pixels)


def _classes(tree: Path) -> Iterator[tuple[str, list[str]]]:
    """The classes of a tree, by name, each with its images, in order."""
    folders = sorted(each for each in tree.iterdir() if each.is_dir() and each.name[0] != ".")
    if not folders:
        raise ValueError(f"{tree} has no folder in it: it takes one for each class")
    for folder in folders:
        _check_utf8(folder)
        paths = sorted(_images(folder, ()))
        if not paths:
            raise ValueError(f"the class folder {folder} has no image ({', '.join(SUFFIXES)}): fill it, or remove it")
        yield folder.name, paths


def _images(folder: Path, above: tuple[Path, ...]) -> Iterator[str]:
    real = folder.resolve()
    if real in above:
        raise ValueError(f"{folder} is a link to a folder that it lies in: remove the link")
    with os.scandir(folder) as listing:
        entries = list(listing)
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _images(path, (*above, real))
        elif path.suffix.lower() in SUFFIXES:
            _check_utf8(path)
            yield entry.path


def _check_utf8(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        told = os.fsencode(path).decode(errors="backslashreplace")
        raise ValueError(f"the name of {told} is not UTF-8: rename it") from None


def _existing(root: Path, names: Sequence[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _groups(files: Sequence[str], root: Path, pattern: str) -> NDArray[np.int64]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"data.group_pattern={pattern!r} is no regular expression ({error})") from error
    found = []
    for file in files:
        match = expression.search(os.path.relpath(file, root))
        if match is None:
            raise ValueError(f"data.group_pattern={pattern!r} is nowhere in {os.path.relpath(file, root)}")
        found.append(match.group(1 if expression.groups else 0))
    codes: NDArray[np.int64] = np.unique(np.array(found), return_inverse=True)[1]
    return codes
