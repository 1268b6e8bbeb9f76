"""The data of a sweep are read once, read again when anything about them differs, and no run changes another's."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from imbalance_lab.app import split_cache
from imbalance_lab.app.split_cache import cached_splits
from imbalance_lab.app.splits import instantiate_splits
from imbalance_lab.data import Splits
from tests.conftest import composed
from tests.helpers.jobs import run_in
from tests.helpers.runs import assert_same_run


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Splits, bool]]:
    """Ask for the splits of a configuration; also returns whether they were read for that."""
    monkeypatch.setattr(split_cache, "_last", {})

    def ask(config: DictConfig, **options: Any) -> tuple[Splits, bool]:
        calls: list[object] = []

        def reads(*arguments: Any, **facts: Any) -> Splits:
            calls.append(facts)
            return instantiate_splits(*arguments, **facts)

        return cached_splits(reads, config, **options), bool(calls)

    return ask


def test_only_what_the_data_depend_on_lets_them_be_read_again(read: Callable[..., tuple[Splits, bool]]) -> None:
    first, was_read = read(composed())
    assert was_read
    again, was_read = read(composed("seed=3", "loss.gamma=5", "backbone=mlp"))
    assert not was_read
    assert again.train is first.train
    assert again.fingerprint == first.fingerprint
    for other in ("data.subset_seed=1", "data.factor=10", "data.many=50", "data=digits_binary"):
        assert read(composed(other))[1], other
        assert not read(composed(other))[1], other
    assert read(composed())[1], "only the last data are kept"
    schema = first.schema
    assert read(composed(), schema=schema)[1]
    assert read(composed(), slices=["a"])[1]
    assert len(split_cache._last) == 1


def test_a_changed_file_is_read_again(
    wine_labels: Path, tmp_path: Path, read: Callable[..., tuple[Splits, bool]]
) -> None:
    table = tmp_path / "a.csv"
    table.write_bytes(wine_labels.read_bytes())
    words = ["data=table", "data.target=[strong,dark]"]
    for path in (str(table), f"{tmp_path}/*.csv", str(tmp_path)):
        config = composed(*words, f'data.path="{path}"')
        state = table.stat()
        assert read(config)[1]
        assert not read(config)[1]
        table.write_bytes(table.read_bytes())
        os.utime(table, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
        assert read(config)[1], path


def test_a_run_cannot_change_what_another_gets(read: Callable[..., tuple[Splits, bool]]) -> None:
    first, _ = read(composed())
    with torch.no_grad():
        for value in first.prepare.state_dict().values():
            value.add_(1)
    again, was_read = read(composed())
    assert not was_read
    alone = instantiate_splits(composed()).prepare.state_dict()
    assert alone.keys() == again.prepare.state_dict().keys()
    for name, value in again.prepare.state_dict().items():
        torch.testing.assert_close(value, alone[name], rtol=0, atol=0)


def test_other_peoples_sources_are_read_by_every_run(read: Callable[..., tuple[Splits, bool]]) -> None:
    config = composed()
    config.data.dataset._target_ = "tests.mine"

    def reads(*arguments: Any, **facts: Any) -> Splits:
        return instantiate_splits(composed())

    assert cached_splits(reads, config).train is not cached_splits(reads, config).train


def test_a_run_after_another_is_the_run_alone_bit_for_bit(
    tmp_path: Path, purchases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split_cache, "_last", {})
    job = ["data=table", f"data.path='{purchases}'", "data.target=fraud", "data.group=customer", "max_epochs=2"]
    run_in(tmp_path / "0", *job, "seed=1")
    run_in(tmp_path / "1", *job)
    split_cache._last.clear()
    run_in(tmp_path / "2", *job)
    assert_same_run(tmp_path / "1", tmp_path / "2")
