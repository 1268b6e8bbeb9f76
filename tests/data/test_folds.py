"""Every example is tested once, every class is shared out evenly, groups stay whole, time goes forward."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from imbalance_lab.data import Fold, digits, long_tailed, table
from imbalance_lab.data.folds import consecutive_parts, deal
from imbalance_lab.data.infer_columns import ColumnOptions
from imbalance_lab.data.splitting import NOTHING, SplitIndices, fill_missing_splits
from imbalance_lab.data.time_order import time_order

FRACTIONS = {"val_fraction": 0.2, "test_fraction": 0.3}


def targets_of(*counts, seed=0):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def splits_of(targets, folds, repeats=1, given=None, **options):
    whole = SplitIndices(torch.arange(len(targets)), NOTHING, NOTHING) if given is None else given
    return [
        fill_missing_splits(whole, torch.from_numpy(targets), **FRACTIONS, fold=Fold(k, folds, repeats), **options)
        for k in range(folds * repeats)
    ]


@pytest.mark.parametrize("repeats", [1, 3])
def test_every_example_is_tested_once_a_repeat_and_never_learned_from_then(repeats):
    found = splits_of(targets_of(100, 23, 7), 5, repeats)
    for repeat in range(repeats):
        tested = torch.cat([each.test for each in found[repeat * 5 : repeat * 5 + 5]])
        assert tested.sort().values.tolist() == list(range(130))
    for each in found:
        assert torch.cat(each).sort().values.tolist() == list(range(130))


def test_repeats_are_dealt_differently_and_the_same_for_the_same_seed():
    first, again, other = (splits_of(targets_of(60, 20), 4, 2, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].test, first[4].test)
    assert not torch.equal(first[0].test, other[0].test)


def test_folds_of_a_class_differ_by_one_example_and_so_do_the_folds():
    targets = targets_of(103, 51, 8, 5)
    counts = np.array([np.bincount(targets[deal(targets, 5, 0) == k], minlength=4) for k in range(5)])
    assert (np.ptp(counts, 0) <= 1).all()
    assert np.ptp(counts.sum(1)) <= 1


def test_the_inner_validation_has_its_share_of_every_class_and_is_taken_from_training():
    targets = targets_of(500, 50)
    for each in splits_of(targets, 5):
        assert np.bincount(targets[each.val]).tolist() == [80, 8]
        assert np.bincount(targets[each.train]).tolist() == [320, 32]


def test_groups_are_whole_on_one_side_and_large_ones_do_not_fill_a_fold():
    rng = np.random.default_rng(3)
    group = rng.integers(0, 60, 600)
    targets = (rng.random(60) < 0.4).astype(np.int64)[group]
    for each in splits_of(targets, 4, groups=group):
        sides = [set(group[part]) for part in each[:3]]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 60
        assert len(each.test) == pytest.approx(150, abs=25)
        assert targets[each.test].mean() == pytest.approx(targets.mean(), abs=0.06)


def test_a_class_with_fewer_examples_or_groups_than_folds_is_refused_by_name():
    with pytest.raises(ValueError, match=r"class 'b' has 3 examples, fewer than cv.folds=5: choose cv=3, or leave"):
        deal(targets_of(20, 3), 5, 0, classes=["a", "b"])
    targets = np.array([0] * 20 + [1] * 12)
    group = np.r_[np.arange(20), np.repeat([20, 21], 6)]
    with pytest.raises(ValueError, match=r"class '1' has 2 groups, fewer than cv.folds=3: choose cv=2"):
        deal(targets, 3, 0, group)
    labels = np.array([[1, 0]] * 9 + [[1, 1]])
    with pytest.raises(ValueError, match=r"class '1' has 1 example, fewer than cv.folds=2: leave the class out"):
        deal(labels, 2, 0)


def test_the_rarest_label_of_an_example_is_shared_out():
    labels = (np.random.default_rng(1).random((400, 3)) < [0.6, 0.3, 0.05]).astype(np.int64)
    part = deal(labels, 4, 0)
    assert np.ptp([labels[part == k, 2].sum() for k in range(4)]) <= 1


def test_a_given_test_split_stays_out_and_a_given_validation_split_is_that_of_every_fold():
    given = SplitIndices(torch.arange(60), torch.arange(60, 70), torch.arange(70, 90))
    found = splits_of(targets_of(45, 45), 3, given=given)
    assert sorted(torch.cat([each.test for each in found]).tolist()) == list(range(60))
    assert all(torch.equal(each.val, given.val) and len(each.train) == 40 for each in found)


def test_in_the_order_of_time_nothing_that_is_learned_from_is_later_than_what_is_tested():
    order = np.random.default_rng(0).integers(0, 80, 400)
    targets = targets_of(300, 100)
    found = splits_of(targets, 4, order=order)
    for each, following in zip(found, [*found[1:], None], strict=True):
        train, val, test = (order[part] for part in each[:3])
        assert train.max() < val.min() <= val.max() < test.min()
        assert following is None or test.max() < order[following.test].min()
        assert len(test) == pytest.approx(80, abs=8)


def test_consecutive_parts_are_even_and_refuse_too_few_times():
    assert consecutive_parts(np.arange(10), 5).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    with pytest.raises(ValueError, match="2 different values, too few or too unevenly used for 3 parts"):
        consecutive_parts(np.array([0, 0, 0, 1]), 3)


def test_time_goes_with_neither_groups_nor_repeats():
    targets, order = targets_of(30, 30), np.arange(60)
    with pytest.raises(ValueError, match=r"data.time and data.group cannot both decide the folds"):
        splits_of(targets, 3, order=order, groups=np.arange(60))
    with pytest.raises(ValueError, match=r"cv.repeats=2 would repeat the same folds"):
        splits_of(targets, 3, 2, order=order)


@pytest.mark.parametrize(
    ("number", "folds", "repeats", "message"),
    [(0, 1, 1, "cv.folds"), (5, 5, 1, "cv.fold"), (0, 5, 0, "cv.repeats"), (0, 2.5, 1, "cv.folds")],
)
def test_numbers_out_of_range_are_named(number, folds, repeats, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Fold(number, folds, repeats)


def test_time_is_read_as_dates_in_any_format_or_as_numbers():
    def order(*values):
        return time_order(pa.chunked_array([pa.array(values)]), "t", ColumnOptions(), [])

    assert order("31/12/2020", "01/02/2021", "13/01/2021").tolist() == [0, 2, 1]
    assert order(3.5, 1.0, 3.5).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match=r"data.time=t: the column holds neither dates nor numbers"):
        order("blue", "red", "green")


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    rng = np.random.default_rng(0)
    day = np.datetime64("2021-01-01") + rng.integers(0, 200, 300).astype("timedelta64[D]")
    rows = zip(rng.normal(size=300).tolist(), day.astype(str), rng.integers(0, 40, 300), range(300), strict=True)
    path = tmp_path_factory.mktemp("folds") / "t.csv"
    lines = (f"{x:.3f},{d},{p},{'yes' if n % 4 == 0 else 'no'}" for x, d, p, n in rows)
    path.write_text("x,day,patient,y\n" + "\n".join(lines))
    return str(path)


def test_a_table_is_split_by_time_with_and_without_folds(csv):
    day = np.array([line.split(",")[1] for line in Path(csv).read_text().splitlines()[1:]])
    for fold in (None, Fold(2, 3)):
        splits = table(path=csv, target="y", drop=["patient"], time="day", fold=fold)
        train, val, test = (day[each.index.numpy()] for each in (splits.train, splits.val, splits.test))
        assert max(train) < min(val) <= max(val) < min(test)


def test_the_folds_of_a_table_fit_their_preparation_on_their_own_training_rows(csv):
    splits = [table(path=csv, target="y", drop=["patient", "day"], fold=Fold(k, 3)) for k in range(3)]
    assert sorted(torch.cat([each.test.index for each in splits]).tolist()) == list(range(300))
    assert len({str(each.prepare.state_dict()) for each in splits}) == 3


def test_a_benchmark_is_cross_validated_over_its_pool():
    whole = digits()
    tested = []
    for k in range(3):
        splits = long_tailed(digits, factor=5, val_fraction=0.1, fold=Fold(k, 3))
        tested += splits.test.index.tolist()
        assert not set(splits.test.index.tolist()) & {*splits.train.index.tolist(), *splits.val.index.tolist()}
        assert "its own test set is left out" in splits.guesses[0]
    assert sorted(tested) == sorted(whole.pool.index.tolist())
