"""Images as sources: the list files of published subsets, a path and a class number on each line.

ImageNet-LT and Places-LT (Liu et al. 2019, arXiv 1904.05160) are published so, and iNaturalist 2018 as Kang et al. 2020
(arXiv 1910.09217) use it: ``train/n01440764/n01440764_190.JPEG 0``, beside the images of the full dataset.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.folds import Fold
from imbalance_lab.data.image_files import Normalization
from imbalance_lab.data.image_paths import ImagePaths
from imbalance_lab.data.image_size import ImageSize
from imbalance_lab.data.image_splits import Channels, ImageList, ImageOptions, build_splits
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.splitting import NOTHING, SplitIndices, fill_missing_splits
from imbalance_lab.validation import check_integer, check_list


def image_lists(
    *,
    root: str,
    train: str,
    test: str,
    val: str | None = None,
    lists: str | None = None,
    classes: str | None = None,
    sizes: Sequence[int] | None = None,
    val_fraction: float = 0.0,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    image_size: ImageSize = "auto",
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    max_pixels: int = 100_000_000,
    schema: InputSchema | None = None,
    fold: Fold | None = None,
) -> Splits:
    """Read the images that list files name.

    Args:
        root: the directory that the paths are relative to.
        train, test, val: the list files; without ``val``, ``val_fraction`` says what is validated on.
        lists: the directory that the list files are relative to; the working directory if None.
        classes: a text file with the name of each class, one a line; None for their numbers.
        sizes: how many examples the published lists have, of train, test and, if there is one, val: any other number is
            an error, as of a file that was not downloaded whole. None to take the lists as they are.
        val_fraction: the share of the training list, stratified, that is validated on if there is no ``val``; 0 for no
            validation, see `Splits`.

    The other arguments are `image_folder`'s.

    Raises:
        ValueError, FileNotFoundError: naming the file and line, and the remedy.
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"data.root={root} is not a directory: name the one that the paths are relative to")
    given_lists = {"train": train, "test": test} | ({} if val is None else {"val": val})
    paths, beside = ImagePaths(folder), Path("" if lists is None else lists).expanduser()
    read = {split: _read_list(beside / file, f"data.{split}", paths) for split, file in given_lists.items()}
    if sizes is not None:
        _check_sizes(given_lists, read, sizes)
    targets = torch.tensor([label for each in read.values() for label in each.labels])
    names = _class_names(classes, int(targets.max()) + 1, None if schema is None else schema.classes)
    files = [file for each in read.values() for file in each.files]
    given = fill_missing_splits(
        _positions({split: len(each.files) for split, each in read.items()}),
        targets,
        val_fraction=val_fraction,
        test_fraction=0.0,
        calibration_fraction=calibration_fraction,
        seed=split_seed,
        fold=fold,
        classes=names,
    )
    may_lack_validation = 0.0 if val is None and val_fraction == 0 else 1.0
    options = ImageOptions(image_size, channels, normalize, cache, max_pixels, schema, may_lack_validation)
    return build_splits(ImageList(folder, files, names, targets, None), given, options)


class _List(NamedTuple):
    """The files and class numbers of a list."""

    files: list[str]
    labels: list[int]


def _read_list(path: Path, option: str, paths: ImagePaths) -> _List:
    """Read a list file.

    Raises:
        ValueError, FileNotFoundError: naming the line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{option}: {path} is not a file: name the list, with a path and a class on each line")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error.reason}): download it again") from error
    found = _List([], [])
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        image, _, label = line.strip().replace("\t", " ").rpartition(" ")
        if not image or not (label.isascii() and label.isdigit()):
            raise ValueError(
                f"{path}, line {number}: {line.strip()!r} is not a path and the number of a class: "
                "correct the line, as in images/a.jpg 7"
            )
        try:
            found.files.append(str(paths.find(image.strip())))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        found.labels.append(int(label))
    if not found.files:
        raise ValueError(f"{path} lists no image: download it again")
    return found


def _check_sizes(lists: dict[str, str], read: dict[str, _List], sizes: Sequence[int]) -> None:
    """Raise an error for a list with another number of examples than the published one has."""
    check_list("data.sizes", sizes, length=len(lists))
    for (split, file), size in zip(lists.items(), sizes, strict=True):
        check_integer(f"data.sizes of {split}", size, minimum=1)
        n = len(read[split].files)
        if n != size:
            raise ValueError(
                f"{file} lists {n:,} images, but the published list of {split} has {size:,}: download it again, or "
                "choose data.sizes=null for a list of your own"
            )


def _class_names(file: str | None, n_classes: int, known: tuple[str, ...] | None) -> tuple[str, ...]:
    """The names of the classes: from a file, or their numbers; of a trained model its own."""
    if file is None:
        names = tuple(map(str, range(n_classes)))
    else:
        path = Path(file).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f"data.classes={file} is not a file: name one with the name of a class on each line"
            )
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
        if len(names) < n_classes:
            raise ValueError(
                f"{path} names {len(names)} classes, but the lists have class {n_classes - 1}: complete it"
            )
    if known is not None and known[: len(names)] != names:
        raise ValueError(
            f"the model has {len(known)} classes, {known[0]!r} …, but the lists have {len(names)}, {names[0]!r} …: "
            "choose the lists that it was trained on"
        )
    return known or names


def _positions(sizes: dict[str, int]) -> SplitIndices:
    """The positions of the splits, whose examples follow each other."""
    found: dict[str, Tensor] = {"val": NOTHING}
    start = 0
    for split, size in sizes.items():
        found[split] = torch.arange(start, start + size)
        start += size
    return SplitIndices(**found)
