"""Images as sources: a tree with a folder for each class."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.folder_layout import Layout, find_layout
from imbalance_lab.data.folds import Fold, describe_left_out
from imbalance_lab.data.ignored_files import describe_ignored, describe_loose, describe_suffixes, remedy_for
from imbalance_lab.data.image_files import Normalization
from imbalance_lab.data.image_formats import FORMATS
from imbalance_lab.data.image_size import ImageSize
from imbalance_lab.data.image_splits import Channels, ImageList, ImageOptions, build_splits
from imbalance_lab.data.image_tree import Folder, scan
from imbalance_lab.data.labels import SPLITS
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits
from imbalance_lab.validation import did_you_mean


def image_folder(
    *,
    root: str,
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    group_pattern: str | None = None,
    ignore: Sequence[str] = (),
    image_size: ImageSize = "auto",
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    max_pixels: int = 100_000_000,
    schema: InputSchema | None = None,
    fold: Fold | None = None,
) -> Splits:
    """Read a tree with a folder for each class, or with folders train, val and test that each have one for each class.

    The folders may lie in others, and splits may be called as `SPLIT_WORDS` has it; what was guessed is in the result's
    ``guesses``, with the number of files that are not images.

    Args:
        root: the tree.
        val_fraction, test_fraction: shares, stratified, of a split that has no folder; the first may be 0 for no
            validation, see `Splits`.
        calibration_fraction: the same for calibration, taken from what would be for training; 0 for no such split.
        split_seed: decides which images are in which split.
        group_pattern: a regular expression that is searched for in each path below ``root``; files with the same match
            (of its first group, if it has one) are never in two splits.
        ignore: patterns of folders and files that are left out, see `scan`.
        image_size: pixels of the sides, see `ImageDecoder`; or "auto", see `auto_size`.
        channels: 1, 3, or "auto": 1 if every image is gray.
        normalize: "fitted" on the training images; or as a pretrained backbone wants it, "imagenet" or "inception".
        cache: a directory for all images, read and resized once.
        max_pixels: larger images are refused.
        schema: of a trained model: size, channels, bits and classes are its own, whatever these files hold.
        fold: of a cross-validation: what it tests is the test split.

    Raises:
        ValueError, FileNotFoundError: naming the folder or file, and the remedy.
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"data.root={root} is not a directory: name the one with a folder for each class")
    tree = _read_tree(folder, ignore, None if schema is None else schema.classes)
    files, targets = tree.files, torch.tensor(tree.numbers)
    values = None if group_pattern is None else _groups(files, folder, group_pattern)
    groups = None if values is None else np.unique(np.array(values), return_inverse=True)[1]
    splits = fill_missing_splits(
        *(tree.given, targets),
        val_fraction=val_fraction,
        test_fraction=test_fraction,
        calibration_fraction=calibration_fraction,
        seed=split_seed,
        groups=groups,
        fold=fold,
        classes=tree.classes,
    )
    options = ImageOptions(image_size, channels, normalize, cache, max_pixels, schema, val_fraction)
    listed = ImageList(folder, files, tree.classes, targets, None if values is None else pa.array(values))
    built = build_splits(listed, splits, options)
    return replace(
        built,
        guesses=[*tree.guesses, *describe_left_out(fold, tree.given), *built.guesses],
        notes=[*tree.warnings, *built.notes],
    )


class _Tree(NamedTuple):
    """The images of a tree, their class indices, the classes, the splits with a folder, and what is to be told."""

    files: list[str]
    numbers: list[int]
    classes: tuple[str, ...]
    given: SplitIndices
    guesses: list[str]
    warnings: list[str]


def _read_tree(root: Path, ignore: Sequence[str], known: tuple[str, ...] | None) -> _Tree:
    """Read the tree; ``known`` are the classes of a trained model."""
    tree = scan(root, ignore)
    layout = find_layout(tree, known or ())
    if not layout.classes["train"]:
        raise ValueError(f"{layout.folders['train'].path} has no folders: it needs one for each class")
    classes = known or tuple(folder.name for folder in layout.classes["train"])
    files: list[str] = []
    numbers: list[int] = []
    given: dict[str, Tensor] = {}
    for split in SPLITS:
        before = len(files)
        for folder in layout.classes.get(split, []):
            paths = folder.all_images()
            _check_class(folder, layout, split, classes, is_model=known is not None)
            files += paths
            numbers += [classes.index(folder.name)] * len(paths)
        given[split] = torch.arange(before, len(files))
    folders = [(folder.name, folder) for split in layout.classes.values() for folder in split]
    warnings = [*layout.warnings, *describe_loose(tree, folders, layout.left_out), *_near_twins(classes)]
    guesses = [*layout.guesses, *describe_ignored(tree, folders)]
    return _Tree(files, numbers, classes, SplitIndices(**given), guesses, warnings)


def _check_class(folder: Folder, layout: Layout, split: str, classes: Sequence[str], *, is_model: bool) -> None:
    """Refuse a class folder without images, and one that training, or the model, does not know."""
    if not folder.has_images:
        ignored = folder.all_ignored()
        if ignored:
            n = f"no image, only {describe_suffixes(ignored)}"
            raise ValueError(f"the class folder {folder.path} has {n}: {remedy_for(ignored)}")
        raise ValueError(f"the class folder {folder.path} has no image ({', '.join(FORMATS)}): fill it, or remove it")
    if folder.name in classes:
        return
    tree = layout.folders[split].path
    if is_model:
        hint = did_you_mean(folder.name, classes) or f": it has {', '.join(classes[:8])}{' …' * (len(classes) > 8)}"
        raise ValueError(f"class {folder.name!r} in {tree} is not a class of the model{hint}")
    twin = next((name for name in classes if _plain_name(name) == _plain_name(folder.name)), None)
    remedy = "move images there, or leave the class out" if twin is None else f"it has {twin!r}: rename one of them"
    train = layout.folders["train"].path
    raise ValueError(f"class {folder.name!r} is in {tree} but has no folder in {train}: {remedy}")


def _near_twins(classes: Sequence[str]) -> list[str]:
    """A warning for each two classes whose names differ only in case or blanks."""
    by_name: dict[str, str] = {}
    return [
        f"the class folders {by_name[plain]!r} and {name!r} differ only in case or blanks: put their images into one, "
        "if they are one class"
        for name in classes
        if by_name.setdefault(plain := _plain_name(name), name) != name
    ]


def _plain_name(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.casefold()).strip()


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
