"""Images as sources: WebDataset shards, tar files of many images with their classes."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.cache_folder import cache_folder
from imbalance_lab.data.image_bytes import MemberFiles
from imbalance_lab.data.image_files import Normalization
from imbalance_lab.data.image_size import ImageSize
from imbalance_lab.data.image_splits import Channels, ImageList, ImageOptions, build_splits
from imbalance_lab.data.labels import SPLITS, read_targets
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.shard_index import find_shards, index_shards
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits
from imbalance_lab.progress import progress

MAX_HEADERS = 20_000
"""Images that are opened before training, to see their sizes, colors and bits."""

Shards = str | Sequence[str]


def image_shards(
    *,
    train: Shards,
    val: Shards | None = None,
    test: Shards | None = None,
    calibration: Shards | None = None,
    label_key: str = "label",
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    image_size: ImageSize = "auto",
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    index: str | None = None,
    max_pixels: int = 100_000_000,
    schema: InputSchema | None = None,
) -> Splits:
    """Read images from WebDataset shards, each at its place in a tar file: any order, exactly.

    Args:
        train: ``train-{000..099}.tar``, ``train-*.tar``, or a list of such.
        val, test, calibration: the same; without them these splits are taken from ``train``.
        label_key: where a ``.json`` has the class, if there is no ``.cls``.
        index: the directory where it is kept which image is where; null for that of `cache_folder`.

    The other arguments are `image_folder`'s.

    Raises:
        ValueError, FileNotFoundError: naming the shard and the sample, and the remedy.
    """
    patterns = {"train": train, "val": val, "test": test, "calibration": calibration}
    found = {split: [] if each is None else find_shards(each, f"data.{split}") for split, each in patterns.items()}
    shards = [shard for each in found.values() for shard in each]
    for (split, one), (other, another) in combinations(found.items(), 2):
        if both := set(one) & set(another):
            raise ValueError(f"{min(both)} is in data.{split} and in data.{other}: name each shard once")
    with progress("finding the images of the shards") as step:
        table = index_shards(shards, label_key, cache_folder(index), step)
    known = None if schema is None else schema.classes
    ends = np.cumsum([0, *map(len, found.values())])
    places = {name: table[name].to_numpy() for name in ("shard", "offset", "size")}
    files = MemberFiles(list(map(str, shards)), places["shard"], table["name"], places["offset"], places["size"])
    classes, targets = _read_classes(table["label"], files, known)
    ends = np.searchsorted(places["shard"], np.cumsum([0, *map(len, found.values())])).tolist()
    given = {split: torch.arange(*each) for split, each in zip(SPLITS, pairwise(ends), strict=True)}
    _check_classes(classes, targets, given, files)
    splits = fill_missing_splits(
        SplitIndices(**given),
        targets,
        val_fraction=val_fraction,
        test_fraction=test_fraction,
        calibration_fraction=calibration_fraction,
        seed=split_seed,
    )
    options = ImageOptions(image_size, channels, normalize, cache, max_pixels, schema, val_fraction)
    listed = ImageList(shards[0].parent, files, classes, targets, None, max_headers=MAX_HEADERS)
    return build_splits(listed, splits, options)


def _read_classes(
    labels: pa.ChunkedArray, files: MemberFiles, known: tuple[str, ...] | None
) -> tuple[tuple[str, ...], Tensor]:
    """The classes, and the index (N,) of each image's.

    Raises:
        ValueError: naming the image.
    """
    if not len(labels):
        raise ValueError(f"{files.archives[0]} has no image with a label: name shards of images and their classes")
    try:
        return read_targets(pa.table({"label": labels}), "label", (), known)
    except ValueError as error:
        row = re.match(r"row (\d+), column 'label'", str(error))
        if row is None:
            raise
        raise ValueError(f"{files[int(row[1]) - 1]}{str(error)[row.end() :]}") from error


def _check_classes(classes: Sequence[str], targets: Tensor, given: Mapping[str, Tensor], files: MemberFiles) -> None:
    """Refuse a class that shards of another split have, and those of training have not."""
    in_training = torch.bincount(targets[given["train"]], minlength=len(classes)) > 0
    for split, rows in given.items():
        strange = rows[~in_training[targets[rows]]]
        if len(strange):
            at = int(strange[0])
            raise ValueError(
                f"{files[at]} of data.{split} is of class {classes[int(targets[at])]!r}, which no image of data.train "
                "has: add some there, or leave the class out"
            )
