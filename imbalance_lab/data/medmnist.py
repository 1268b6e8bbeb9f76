"""MedMNIST (Yang et al. 2023, arXiv 2110.14795): small medical images, imbalanced by nature, with published splits."""

import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab.data.arrays import Arrays, Splits, check_array_schema
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.validation import check_choice

SIZES = (28, 64, 128, 224)
"""Pixels of the sides."""

DEFAULT_ROOT = Path("~/.medmnist")
"""Where the package ``medmnist`` puts its files."""


def medmnist(*, flag: str, size: int = 28, root: str | None = None, schema: InputSchema | None = None) -> Splits:
    """One of the 2-D sets, with its own training, validation and test split.

    The classes and the number of examples are those that the package ``medmnist`` lists; its ``.npz`` files are read
    from ``root``, and downloaded by it where they are not there.

    Args:
        flag: the set, as dermamnist, bloodmnist or, multilabel, chestmnist.
        size: 28, 64, 128 or 224 pixels.
        root: the directory of the files; the package's own, ``~/.medmnist``, if None.
        schema: of a trained model: other classes or inputs are refused.

    Raises:
        ValueError, FileNotFoundError: naming the file, and the remedy.
    """
    known = _known_sets()
    check_choice("flag", flag, known)
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}, got {size!r}")
    info = known[flag]
    folder = (DEFAULT_ROOT if root is None else Path(root)).expanduser()
    file = folder / f"{flag}{'' if size == 28 else f'_{size}'}.npz"
    if not file.is_file():
        _download(info["python_class"], folder, size, file)
    classes = tuple(info["label"][str(c)] for c in range(len(info["label"])))
    sizes = {split: int(info["n_samples"][split]) for split in ("train", "val", "test")}
    starts = {"train": 0, "val": sizes["train"], "test": sizes["train"] + sizes["val"]}
    train, val, test = (_arrays(*_read(file, split, n), starts[split]) for split, n in sizes.items())
    if schema is not None:
        check_array_schema(schema, classes, train)
    return Splits(classes, train, val, test)


def _known_sets() -> dict[str, Mapping[str, Any]]:
    """What the package lists of each 2-D set."""
    try:
        listed = import_module("medmnist").INFO
    except ModuleNotFoundError as error:
        raise ValueError("data=medmnist needs another package: pip install medmnist") from error
    return {flag: info for flag, info in listed.items() if not flag.endswith("3d")}


def _download(name: str, folder: Path, size: int, file: Path) -> None:
    """Have the package download the file, and check its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        getattr(import_module("medmnist"), name)(split="train", download=True, root=str(folder), size=size)
    except Exception as error:  # whatever the package makes of a failed download
        raise FileNotFoundError(
            f"{file.name} is not in {folder} and cannot be downloaded ({type(error).__name__}): put it there, or name "
            "its directory with data.root=DIRECTORY"
        ) from error


def _read(file: Path, split: str, n: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, H, W) or (N, H, W, 3), and labels (N, 1) or (N, C), of a split with ``n`` examples."""
    try:
        with file.open("rb") as opened, np.load(opened) as content:  # np.load leaves a broken file open
            images, labels = content[f"{split}_images"], content[f"{split}_labels"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is broken ({type(error).__name__}: {error}): download it again") from error
    if len(images) != n or len(labels) != n:
        raise ValueError(f"{file} has {len(images):,} examples in {split}, not {n:,}: download it again")
    return images, labels.astype(np.int64)


def _arrays(images: NDArray[np.uint8], labels: NDArray[np.int64], start: int) -> Arrays:
    """Inputs (N, 1 or 3, H, W), and targets (N,) or 0/1 (N, C)."""
    inputs = torch.from_numpy(images)
    inputs = inputs.unsqueeze(1) if inputs.ndim == 3 else inputs.permute(0, 3, 1, 2).contiguous()
    targets = torch.from_numpy(labels)
    return Arrays(inputs, targets.squeeze(1) if targets.shape[1] == 1 else targets, start + torch.arange(len(targets)))
