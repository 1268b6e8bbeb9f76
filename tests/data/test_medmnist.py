"""MedMNIST's files: the published sizes and classes, one channel or three, classes or labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.data import medmnist

INFO = pytest.importorskip("medmnist").INFO


def write(folder: Path, flag: str, size: int = 28, *, fewer: int = 0) -> Path:
    """A file of the set's format with random content."""
    info, rng = INFO[flag], np.random.default_rng(0)
    n_classes = len(info["label"])
    channels = () if info["n_channels"] == 1 else (3,)
    content: dict[str, Any] = {}
    for split, n in info["n_samples"].items():
        content[f"{split}_images"] = rng.integers(0, 256, (n - fewer, size, size, *channels), np.uint8)
        shape, high = ((n - fewer, n_classes), 2) if "multi-label" in info["task"] else ((n - fewer, 1), n_classes)
        content[f"{split}_labels"] = rng.integers(0, high, shape).astype(np.uint8)
    file = folder / f"{flag}{'' if size == 28 else f'_{size}'}.npz"
    np.savez(file, allow_pickle=False, **content)
    return file


def test_a_binary_gray_set(tmp_path: Path) -> None:
    with np.load(write(tmp_path, "breastmnist")) as content:
        expected = {name: content[name] for name in content}
    splits = medmnist(flag="breastmnist", root=str(tmp_path))
    assert splits.classes == ("malignant", "normal, benign")
    assert splits.task.kind == "binary"
    for split, source in splits.parts.items():
        assert np.array_equal(source.inputs.numpy()[:, 0], expected[f"{split}_images"])  # type: ignore[attr-defined]
        assert np.array_equal(source.targets.numpy(), expected[f"{split}_labels"][:, 0])
    assert [len(source) for source in splits.parts.values()] == [546, 78, 156]
    indices = np.concatenate([source.index.numpy() for source in splits.parts.values()])
    assert np.array_equal(indices, np.arange(546 + 78 + 156))


def test_a_color_set_has_its_channels_first(tmp_path: Path) -> None:
    with np.load(write(tmp_path, "retinamnist")) as content:
        first = content["train_images"][0]
    splits = medmnist(flag="retinamnist", root=str(tmp_path))
    assert splits.train.input_shape == (3, 28, 28)
    assert np.array_equal(splits.train.inputs[0].numpy(), first.transpose(2, 0, 1))  # type: ignore[attr-defined]


def test_a_set_of_labels_is_multilabel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INFO, "chestmnist", INFO["chestmnist"] | {"n_samples": {"train": 40, "val": 20, "test": 30}})
    write(tmp_path, "chestmnist")
    splits = medmnist(flag="chestmnist", root=str(tmp_path))
    assert splits.is_multilabel
    assert splits.train.targets.shape == (40, 14)


def test_what_is_not_the_published_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="flag must be one of pathmnist"):
        medmnist(flag="dermnist", root=str(tmp_path))
    with pytest.raises(ValueError, match="size must be one of 28, 64, 128, 224, got 32"):
        medmnist(flag="breastmnist", size=32, root=str(tmp_path))
    file = write(tmp_path, "breastmnist", fewer=1)
    with pytest.raises(ValueError, match=r"breastmnist\.npz has 545 examples in train, not 546: download it again"):
        medmnist(flag="breastmnist", root=str(tmp_path))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"breastmnist\.npz is broken .*: download it again"):
        medmnist(flag="breastmnist", root=str(tmp_path))
