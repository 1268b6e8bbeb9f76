"""Every class in every split, no group in two splits, the same splits for the same seed."""

import numpy as np
import pytest
import torch

from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits, stratified_split

THIRDS = {"val_fraction": 0.2, "test_fraction": 0.2}


def _targets(counts: list[int], seed: int = 0) -> torch.Tensor:
    targets = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))]


def test_every_example_is_in_one_split() -> None:
    parts = stratified_split(_targets([50, 7, 3]), **THIRDS)
    assert torch.cat(parts).sort().values.tolist() == list(range(60))
    assert all(part.tolist() == sorted(part.tolist()) for part in parts)


def test_classes_have_their_shares() -> None:
    targets = _targets([1000, 100, 10])
    train, val, test, _ = (torch.bincount(targets[part]).tolist() for part in stratified_split(targets, **THIRDS))
    assert (train, val, test) == ([600, 60, 6], [200, 20, 2], [200, 20, 2])


def test_unequal_fractions_go_where_they_belong() -> None:
    parts = stratified_split(_targets([1000]), val_fraction=0.1, test_fraction=0.3)
    assert [len(part) for part in parts] == [600, 100, 300, 0]


@pytest.mark.parametrize(("count", "expected"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1))])
def test_few_examples_are_for_training_then_test_then_validation(count: int, expected: tuple[int, ...]) -> None:
    targets = _targets([500, count])
    assert tuple(int((targets[part] == 1).sum()) for part in stratified_split(targets, **THIRDS)[:3]) == expected


def test_no_test_split_when_none_is_asked_for() -> None:
    train, val, test, _ = stratified_split(_targets([40, 4]), val_fraction=0.25, test_fraction=0)
    assert (len(train), len(val), len(test)) == (33, 11, 0)


def test_groups_stay_whole() -> None:
    targets, random = _targets([900, 90, 9]), np.random.default_rng(0)
    patient = random.integers(0, 120, len(targets)).astype(str)
    parts = stratified_split(targets, groups=patient, calibration_fraction=0.1, **THIRDS)
    sides = [set(patient[part.numpy()]) for part in parts]
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert all(sides)


def test_groups_of_uneven_size_are_dealt_by_their_examples() -> None:
    sizes = np.r_[400, np.full(200, 3)]
    parts = stratified_split(torch.zeros(1000, dtype=torch.long), groups=np.repeat(np.arange(201), sizes), **THIRDS)
    assert [len(part) for part in parts] == pytest.approx([600, 200, 200, 0], abs=6)


def test_the_rarest_label_decides() -> None:
    targets = torch.zeros(600, 2, dtype=torch.long)
    targets[:300, 0] = 1
    targets[295:305, 1] = 1
    assert [int(targets[part, 1].sum()) for part in stratified_split(targets, **THIRDS)] == [6, 2, 2, 0]
    assert [int(targets[part, 0].sum()) for part in stratified_split(targets, **THIRDS)] == pytest.approx(
        [180, 60, 60, 0], abs=3
    )


def test_the_seed_decides() -> None:
    targets = _targets([100, 10])
    once, again, other = (stratified_split(targets, seed=seed, **THIRDS).test.tolist() for seed in (3, 3, 4))
    assert once == again != other


@pytest.mark.parametrize("grouped", [False, True])
def test_calibration_is_taken_from_training_and_changes_neither_validation_nor_test(grouped: bool) -> None:
    targets = _targets([1000, 100, 10])
    groups = np.random.default_rng(0).integers(0, 300, len(targets)) if grouped else None
    without = stratified_split(targets, groups=groups, **THIRDS)
    parts = stratified_split(targets, groups=groups, calibration_fraction=0.3, **THIRDS)
    assert torch.equal(parts.val, without.val)
    assert torch.equal(parts.test, without.test)
    assert torch.cat([parts.train, parts.calibration]).sort().values.equal(without.train)
    assert len(parts.calibration) == pytest.approx(333, abs=9)  # of all examples, not of those left
    if not grouped:
        assert torch.bincount(targets[parts.calibration]).tolist() == [300, 30, 3]
    assert torch.equal(
        stratified_split(targets, calibration_fraction=0.0, groups=groups, **THIRDS).train, without.train
    )


def test_a_calibration_fraction_without_an_example_is_refused() -> None:
    with pytest.raises(ValueError, match=r"calibration_fraction=0.001 of 4 examples is none"):
        stratified_split(_targets([2, 2]), calibration_fraction=0.001, **THIRDS)


def test_a_million_groups_take_seconds() -> None:
    targets = _targets([990_000, 10_000])
    assert sum(map(len, stratified_split(targets, groups=np.arange(1_000_000), **THIRDS))) == 1_000_000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"val_fraction": 0.6, "test_fraction": 0.4}, "leave nothing for training"),
        (
            {"val_fraction": 0.3, "test_fraction": 0.3, "calibration_fraction": 0.4},
            "fraction=0.4 leave nothing",
        ),
        ({"val_fraction": 0.1, "test_fraction": 0.1, "calibration_fraction": -1}, "calibration_fraction must be"),
        ({"val_fraction": -0.1, "test_fraction": 0.4}, "val_fraction must be"),
        ({"val_fraction": 0.1, "test_fraction": "x"}, "test_fraction must be"),
        ({"val_fraction": 0.1, "test_fraction": 0.1, "seed": 1.5}, "split_seed must be"),
    ],
)
def test_refuses(options: dict[str, object], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        stratified_split(torch.zeros(9, dtype=torch.long), **options)  # type: ignore[arg-type]


def test_only_missing_splits_are_split_off() -> None:
    targets, nothing = _targets([100, 20]), torch.empty(0, dtype=torch.long)
    given = SplitIndices(torch.arange(0, 100), nothing, torch.arange(100, 120))
    whole = fill_missing_splits(given, targets, val_fraction=0.2, test_fraction=0.2)
    assert torch.equal(whole.test, given.test)
    assert torch.cat([whole.train, whole.val]).sort().values.tolist() == list(range(100))
    assert len(whole.val) == pytest.approx(20, abs=1)
    assert fill_missing_splits(whole, targets, val_fraction=0.2, test_fraction=0.2) is whole
    four = fill_missing_splits(whole, targets, val_fraction=0.2, test_fraction=0.2, calibration_fraction=0.25)
    assert torch.equal(four.val, whole.val)
    assert torch.equal(four.test, whole.test)
    assert torch.cat([four.train, four.calibration]).sort().values.equal(whole.train)
    assert len(four.calibration) == pytest.approx(20, abs=1)
    options = {"val_fraction": 0.2, "test_fraction": 0.2, "calibration_fraction": 0.5}
    assert fill_missing_splits(four, targets, **options) is four


def test_splitting_off_keeps_groups_together() -> None:
    targets, groups = _targets([100, 20]), np.arange(120) // 5
    given = SplitIndices(torch.arange(20, 120), torch.arange(0, 20), torch.empty(0, dtype=torch.long))
    whole = fill_missing_splits(given, targets, val_fraction=0.2, test_fraction=0.2, groups=groups)
    assert not set(groups[whole.train.numpy()]) & set(groups[whole.test.numpy()])
