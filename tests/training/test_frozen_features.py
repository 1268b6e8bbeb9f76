"""Features of a frozen backbone: those that it computes, computed once, and never those of something else."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from imbalance_lab.data import Arrays, Normalize, Splits
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.training.frozen_features import Stored, with_features
from imbalance_lab.training.frozen_net import FrozenNet

CPU = torch.device("cpu")
IMAGES = torch.randint(0, 256, (90, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TARGET = torch.arange(90) % 3


class Net(nn.Module):
    """Linear; counts the examples, and has a factor that neither its state nor its repr shows."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.factor, self.seen = 1.0, 0
        self.weight = nn.Parameter(torch.randn(16, 5, generator=torch.Generator().manual_seed(seed)))

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return self.factor * images.flatten(1) @ self.weight


def splits_of(seed: int = 0, images: Tensor = IMAGES) -> Splits:
    order = torch.randperm(90, generator=torch.Generator().manual_seed(seed))
    whole = Arrays(images, TARGET, torch.arange(90) + 7)
    train, val, test = (whole.subset(part) for part in order.split([60, 15, 15]))
    return Splits(("a", "b", "c"), train, val, test, fitted=Normalize(torch.tensor(100.0), torch.tensor(50.0)))


def featured(splits: Splits, net: nn.Module, folder: Path | None, max_bytes: float = 1e9) -> Stored:
    frozen = FrozenNet(splits.prepare.eval(), net.eval(), {"_target_": "Net"}, CPU)
    return with_features(splits, frozen, folder, max_bytes, lambda done, total: None)


def assert_features(stored: Stored, net: Net, splits: Splits) -> None:
    assert stored.splits is not None
    for name, source in splits.parts.items():
        at = torch.arange(len(source)).flip(0)
        draws = SampledIndices(at, at * 3)
        plain, batch = source.__getitems__(draws), stored.splits.parts[name].__getitems__(draws)
        torch.testing.assert_close(batch.input, net(splits.prepare(plain.input)).detach())
        assert (batch.is_features, plain.is_features) == (True, False)
        for column in ("target", "index", "sample_seed"):
            assert torch.equal(getattr(batch, column), getattr(plain, column))
    assert stored.splits.fingerprint == splits.fingerprint
    assert stored.splits.schema == splits.schema


@pytest.mark.parametrize("on_disk", [True, False])
def test_they_are_what_the_backbone_computes(on_disk: bool, tmp_path: Path) -> None:
    net, splits = Net(), splits_of()
    assert_features(featured(splits, net, tmp_path if on_disk else None), net, splits)
    assert len(list(tmp_path.iterdir())) == on_disk


def test_other_splits_of_the_same_examples_share_a_file(tmp_path: Path) -> None:
    net = Net()
    featured(splits_of(0), net, tmp_path)
    assert net.seen == 90 + 1, "all once, and one for the shape"
    again = featured(splits_of(1), net, tmp_path)
    assert net.seen == 91 + 2, "the first, also for the shape, and the last are compared"
    assert_features(again, net, splits_of(1))


CHANGES: dict[str, Callable[[Net, Splits], tuple[nn.Module, Splits]]] = {
    "weights": lambda net, splits: (Net(seed=1), splits),
    "modules": lambda net, splits: (nn.Sequential(net), splits),
    "preparation": lambda net, splits: (net, replace(splits, fitted=Normalize(torch.tensor(99.0), torch.tensor(50.0)))),
    "one pixel": lambda net, splits: (net, splits_of(images=IMAGES.clone().index_fill_(2, torch.tensor([0]), 3))),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_them_makes_another_file(what: str, tmp_path: Path) -> None:
    net, splits = Net(), splits_of()
    featured(splits, net, tmp_path)
    changed, others = CHANGES[what](net, splits)
    stored = featured(others, changed, tmp_path)
    assert (len(list(tmp_path.iterdir())), stored.notes) == (2, [])
    assert_features(stored, changed, others)  # type: ignore[arg-type]


def test_other_code_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    net, splits = Net(), splits_of()
    featured(splits, net, tmp_path)
    net.factor = 1.1
    stored = featured(splits, net, tmp_path)
    assert "has other features than the backbone gives now: it was made again" in stored.notes[0]
    assert_features(stored, net, splits)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[:-1],
    "empty": lambda content: b"",
    "one bit": lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_made_again(kind: str, tmp_path: Path) -> None:
    net, splits = Net(), splits_of()
    featured(splits, net, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(DAMAGE[kind](whole))
    stored = featured(splits, net, tmp_path)
    assert stored.notes[0].endswith(": it was made again")
    assert file.read_bytes() == whole
    assert_features(stored, net, splits)


def test_where_nothing_can_be_written_they_are_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    net, splits = Net(), splits_of()
    stored = featured(splits, net, tmp_path / "file" / "features")
    assert "features are computed again in every run" in stored.notes[0]
    assert_features(stored, net, splits)


def test_the_files_used_longest_ago_make_room(tmp_path: Path) -> None:
    splits = splits_of()
    for seed in range(3):
        featured(splits, Net(seed), tmp_path)
    size = max(file.stat().st_size for file in tmp_path.iterdir())
    for at, file in enumerate(sorted(tmp_path.iterdir())):
        os.utime(file, (at, at))
    oldest, second, third = sorted(tmp_path.iterdir())
    featured(splits, Net(3), tmp_path, max_bytes=2.5 * size)
    assert [each.exists() for each in (oldest, second, third)] == [False, False, True]
    stored = featured(splits, Net(4), tmp_path, max_bytes=0.5 * size)
    assert "more than features.max_gb: they are not stored" in stored.notes[0]
    assert third.exists()


def test_a_file_that_is_removed_meanwhile_stays_readable(tmp_path: Path) -> None:
    net, splits = Net(), splits_of()
    stored = featured(splits, net, tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    assert_features(stored, net, splits)


def test_features_too_large_for_the_memory_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imbalance_lab.training.frozen_features.MEMORY_SHARE", 0.0)
    stored = featured(splits_of(), Net(), None)
    assert stored.splits is None
    assert "choose features.cache=DIRECTORY" in stored.notes[0]


def test_a_sorted_source_of_several_splits_is_read_in_its_order(tmp_path: Path) -> None:
    """Rows of the file are in the order of the index: whatever the split, the same row."""
    splits = splits_of(3)
    featured(splits, Net(), tmp_path)
    (file,) = tmp_path.iterdir()
    expected = Net()(splits.prepare(IMAGES)).detach().numpy()
    np.testing.assert_allclose(np.load(file), expected, rtol=1e-4, atol=1e-4)
