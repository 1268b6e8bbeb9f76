"""Balanced benchmark datasets as arrays: a pool to train from and an untouched test set."""

import gzip
import math
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from imbalance_lab.data.arrays import Arrays

T = TypeVar("T")

FASHION_MNIST_OF_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
DOWNLOADS = Path("datasets")
"""Where downloads go, relative to the working directory."""


class Benchmark(NamedTuple):
    """A dataset before it is subsampled and split."""

    classes: tuple[str, ...]
    pool: Arrays
    test: Arrays


def digits() -> Benchmark:
    """Handwritten digits, 8×8 grayscale, 1797 examples: they ship with scikit-learn, so they need no download.

    The set has no test split of its own; a quarter of each class, always the same, is held out as one.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images * (255 / 16)).round().to(torch.uint8).unsqueeze(1)
    everything = _indexed(images, torch.from_numpy(bunch.target).long())
    generator = torch.Generator().manual_seed(0)
    in_test = torch.zeros(len(everything), dtype=torch.bool)
    for number in range(10):
        members = (everything.targets == number).nonzero().flatten()
        shuffled = members[torch.randperm(len(members), generator=generator)]
        in_test[shuffled[: len(members) // 4]] = True
    return Benchmark(
        classes=tuple(str(number) for number in range(10)),
        pool=everything.subset((~in_test).nonzero().flatten()),
        test=everything.subset(in_test.nonzero().flatten()),
    )


def fashion_mnist(root: str | None = None) -> Benchmark:
    """Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747): 28×28 grayscale, 60,000 + 10,000 examples.

    Read from ``root`` if given (the four ``*-ubyte.gz`` files, or the same unpacked), else from where Debian's package
    dataset-fashion-mnist puts them, else downloaded by torchvision.
    """
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    if root is not None:
        folder = _existing(root, "the four Fashion-MNIST files (train-images-idx3-ubyte.gz …)")
    elif FASHION_MNIST_OF_DEBIAN.is_dir():
        folder = FASHION_MNIST_OF_DEBIAN
    else:
        folder = _downloaded_fashion_mnist()
    train = _indexed(_read_idx(folder, "train-images-idx3-ubyte"), _read_idx(folder, "train-labels-idx1-ubyte").long())
    test = _indexed(_read_idx(folder, "t10k-images-idx3-ubyte"), _read_idx(folder, "t10k-labels-idx1-ubyte").long())
    return Benchmark(names, train, _after(train, test))


def cifar10(root: str | None = None) -> Benchmark:
    """CIFAR-10: 32×32 color, 50,000 + 10,000 examples, read or downloaded by torchvision."""
    return _cifar("CIFAR10", root)


def cifar100(root: str | None = None) -> Benchmark:
    """CIFAR-100: as CIFAR-10 with 100 classes."""
    return _cifar("CIFAR100", root)


def _cifar(name: str, root: str | None) -> Benchmark:
    from torchvision import datasets

    folder = DOWNLOADS if root is None else _existing(root, f"what torchvision.datasets.{name} reads")
    archive = {"CIFAR10": "cifar-10-python.tar.gz", "CIFAR100": "cifar-100-python.tar.gz"}[name]

    def read(train: bool) -> tuple[tuple[str, ...], Arrays]:
        data = _downloaded(lambda: getattr(datasets, name)(folder, train=train, download=True), name, archive, folder)
        images = torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous()
        return tuple(data.classes), _indexed(images, torch.tensor(data.targets))

    classes, pool = read(train=True)
    _, test = read(train=False)
    return Benchmark(classes, pool, _after(pool, test))


def _downloaded_fashion_mnist() -> Path:
    from torchvision.datasets import FashionMNIST

    folder = DOWNLOADS / "FashionMNIST" / "raw"
    _downloaded(lambda: FashionMNIST(DOWNLOADS, download=True), "Fashion-MNIST", "its four *-ubyte.gz files", folder)
    return folder  # torchvision fetches training and test files together


def _downloaded(download: Callable[[], T], name: str, what: str, folder: Path) -> T:
    try:
        return download()
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"{name} is not on this machine and cannot be downloaded ({error}): "
            f"put {what} into {folder.resolve()}{os.sep}, or name its directory with data.root=DIRECTORY"
        ) from error


def _existing(root: str, what: str) -> Path:
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"data.root={root} is not a directory: name the one with {what}")
    return folder


def _read_idx(folder: Path, name: str) -> Tensor:
    """Read one file of the IDX format, packed or not: images as (N, 1, H, W) uint8, labels as (N,) uint8."""
    packed, plain = folder / f"{name}.gz", folder / name
    if packed.is_file():
        try:
            content = gzip.decompress(packed.read_bytes())
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{packed} is broken ({error}): download it again") from error
    elif plain.is_file():
        content = plain.read_bytes()
    else:
        raise FileNotFoundError(f"{folder} has no {name}.gz: put the four Fashion-MNIST files there")
    # Header: two zero bytes, the element type (8: uint8), the number of dimensions, each size as a big-endian int32.
    rank = content[3]
    shape = np.frombuffer(content, ">i4", count=rank, offset=4).tolist()
    if len(content) != 4 + 4 * rank + math.prod(shape):
        raise ValueError(f"{folder / name} is broken (its length does not fit its header): download it again")
    values = torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())
    return values.unsqueeze(1) if rank == 3 else values


def _indexed(images: Tensor, labels: Tensor) -> Arrays:
    return Arrays(images, labels, torch.arange(len(labels)))


def _after(pool: Arrays, test: Arrays) -> Arrays:
    """Number the test examples after the pool's, so that an index means one example in the whole source."""
    return Arrays(test.inputs, test.targets, test.index + len(pool))
