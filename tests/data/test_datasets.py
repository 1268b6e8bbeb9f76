import gzip
import struct
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision
from sklearn.datasets import load_digits

from imbalance_lab.data import cifar10, cifar100, datasets, digits, fashion_mnist

IMAGES = np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)
LABELS = np.array([9, 0, 3, 3, 1], np.uint8)


def idx(values):
    """The bytes of an IDX file."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A tiny Fashion-MNIST, unpacked: 5 training images, of which the first 2 are the test set."""
    for split, size in (("train", 5), ("t10k", 2)):
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(idx(IMAGES[:size]))
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(idx(LABELS[:size]))
    return tmp_path


def test_digits_are_scikit_learns_split_once_and_for_all():
    classes, pool, test = digits()
    bunch = load_digits()
    assert classes == tuple("0123456789")
    assert sorted(pool.index.tolist() + test.index.tolist()) == list(range(1797))
    for arrays in (pool, test):
        assert arrays.inputs.dtype == torch.uint8
        assert arrays.inputs.shape[1:] == (1, 8, 8)
        assert arrays.targets.tolist() == bunch.target[arrays.index].tolist()
        wide = bunch.images[arrays.index] * 255 / 16
        np.testing.assert_allclose(arrays.inputs[:, 0].numpy(), wide, atol=0.5)
    members = np.bincount(bunch.target)
    assert test.targets.bincount().tolist() == (members // 4).tolist()
    torch.rand(3)
    assert torch.equal(digits().test.index, test.index)


@pytest.mark.skipif(
    not datasets.FASHION_MNIST_OF_DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed"
)
def test_fashion_mnist_is_read_from_debians_package():
    classes, pool, test = fashion_mnist()
    assert len(classes) == 10
    assert pool.inputs.shape == (60_000, 1, 28, 28)
    assert test.inputs.shape == (10_000, 1, 28, 28)
    assert pool.inputs.dtype == test.inputs.dtype == torch.uint8
    assert pool.targets.bincount().tolist() == [6000] * 10
    assert test.targets.bincount().tolist() == [1000] * 10
    assert [classes[label] for label in pool.targets[:3]] == ["Ankle boot", "T-shirt/top", "T-shirt/top"]
    assert classes[test.targets[0]] == "Ankle boot"
    assert pool.inputs.max() == 255
    assert test.index.tolist() == list(range(60_000, 70_000))


def test_fashion_mnist_reads_unpacked_files(folder):
    _, pool, test = fashion_mnist(str(folder))
    assert pool.inputs.tolist() == IMAGES[:, None].tolist()
    assert pool.targets.tolist() == LABELS.tolist()
    assert pool.targets.dtype == torch.int64
    assert pool.index.tolist() == [0, 1, 2, 3, 4]
    assert test.inputs.tolist() == IMAGES[:2, None].tolist()
    assert test.index.tolist() == [5, 6]


def test_fashion_mnist_prefers_packed_files(folder):
    with gzip.open(folder / "train-labels-idx1-ubyte.gz", "wb") as file:
        file.write(idx(LABELS[::-1]))
    assert fashion_mnist(str(folder)).pool.targets.tolist() == LABELS[::-1].tolist()


def test_a_missing_file_is_named(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no t10k-labels-idx1-ubyte\.gz"):
        fashion_mnist(str(folder))


@pytest.mark.parametrize("read", [fashion_mnist, cifar10, cifar100])
def test_a_root_that_is_not_a_directory_is_named(read, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data\.root=.*nowhere is not a directory"):
        read(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("read", "name", "needs"),
    [
        (fashion_mnist, "FashionMNIST", r"Fashion-MNIST .* put its four \*-ubyte\.gz files into .*FashionMNIST/raw/"),
        (cifar10, "CIFAR10", r"put cifar-10-python\.tar\.gz into .*datasets/"),
        (cifar100, "CIFAR100", r"put cifar-100-python\.tar\.gz into .*datasets/"),
    ],
)
def test_without_a_network_a_sentence_says_where_to_put_what(read, name, needs, monkeypatch, tmp_path):
    def unreachable(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "FASHION_MNIST_OF_DEBIAN", tmp_path / "absent")
    monkeypatch.setattr(torchvision.datasets, name, unreachable)
    with pytest.raises(FileNotFoundError, match=needs) as refusal:
        read()
    assert "no route to host" in str(refusal.value)
    assert "data.root=DIRECTORY" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("read", "name"), [(cifar10, "CIFAR10"), (cifar100, "CIFAR100")])
def test_cifar_becomes_channels_first_with_the_test_numbered_after_the_pool(read, name, monkeypatch, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), np.uint8)
    asked = []

    def stand_in(root, train, download):
        asked.append(root)
        part = slice(0, 4) if train else slice(4, 7)
        return SimpleNamespace(data=pictures[part], targets=[2, 0, 1, 2, 1, 1, 0][part], classes=["cat", "dog", "ox"])

    monkeypatch.setattr(torchvision.datasets, name, stand_in)
    classes, pool, test = read(str(tmp_path))
    assert classes == ("cat", "dog", "ox")
    assert pool.inputs.shape == (4, 3, 32, 32)
    assert pool.inputs[2, :, 5, 9].tolist() == pictures[2, 5, 9].tolist()
    assert pool.inputs.is_contiguous()
    assert (pool.targets.tolist(), pool.index.tolist()) == ([2, 0, 1, 2], [0, 1, 2, 3])
    assert (test.targets.tolist(), test.index.tolist()) == ([1, 1, 0], [4, 5, 6])
    assert set(asked) == {tmp_path}


def test_a_truncated_download_is_named(folder):
    packed = gzip.compress(idx(IMAGES))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises((OSError, ValueError), match="train-images-idx3-ubyte"):
        fashion_mnist(str(folder))


def test_a_truncated_unpacked_file_is_named(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(idx(IMAGES)[:-1])
    with pytest.raises((OSError, ValueError), match="train-images-idx3-ubyte"):
        fashion_mnist(str(folder))
