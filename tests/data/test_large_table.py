"""Tables in mapped files: the same as in memory where they are small; what changes above the limits, forced here."""

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from imbalance_lab.data import MappedRows, fit_large, large_splits, large_table, parquet_rows, table, table_store
from imbalance_lab.data.large_splits import distinct, split_large
from imbalance_lab.data.table_store import TableStore
from imbalance_lab.samplers import (
    ClassBalancedSampler,
    DistributedEpochBatchSampler,
    RandomSampler,
    SampledIndices,
    windows,
)
from imbalance_lab.testing import check_source

N = 1200


def frame(seed=0, n=N):
    draws = np.random.default_rng(seed)
    rows = pd.DataFrame({f"x{i}": draws.normal(size=n) * 10**i for i in range(3)})
    rows.loc[draws.random(n) < 0.1, "x1"] = np.nan
    rows["city"] = draws.choice(["a", "b", "c", None], n, p=[0.6, 0.3, 0.09, 0.01])
    rows["flag"] = draws.random(n) < 0.3
    rows["code"] = draws.integers(0, 30, n)
    rows["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(draws.integers(0, 300, n), "D")
    rows["label"] = np.where(draws.random(n) < 0.1, "yes", "no")
    rows["second"] = (draws.random(n) < 0.2).astype(int)
    rows["patient"] = draws.integers(0, 200, n)
    rows["part"] = draws.choice(["train", "val", "test"], n, p=[0.6, 0.2, 0.2])
    return rows


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder of two files with several row groups."""
    monkeypatch.setattr(parquet_rows, "PART_ROWS", 97)
    folder = tmp_path / "rows"
    folder.mkdir()
    rows = frame()
    rows[:700].to_parquet(folder / "a.parquet", index=False, row_group_size=150)
    rows[700:].to_parquet(folder / "b.parquet", index=False)
    return folder


def mapped(path, tmp_path, **options):
    return large_table(path=str(path), cache=str(tmp_path / "cache"), **{"target": "label", **options})


def assert_equal_splits(one, other):
    assert one.schema == other.schema
    assert one.fingerprint == other.fingerprint
    assert list(one.parts) == list(other.parts)
    for split in one.parts:
        everything = torch.arange(len(one.parts[split]))
        a, b = (each.parts[split].__getitems__(SampledIndices(everything, everything)) for each in (one, other))
        assert torch.equal(a.input.nan_to_num(7), b.input.nan_to_num(7))
        assert torch.equal(a.target, b.target)
        assert one.parts[split].names(everything[:9]) == other.parts[split].names(everything[:9])
        assert np.array_equal(one.parts[split].content_hashes(), other.parts[split].content_hashes())
    for name, value in one.prepare.state_dict().items():
        assert torch.equal(value, other.prepare.state_dict()[name]), name


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scaling": "quantile", "numerical": "plain", "val_fraction": 0.0, "drop": ["x0", "part"]},
        {"categorical": ["code", "flag"], "dates": ["day"], "split_seed": 3, "calibration_fraction": 0.1},
        {"target": ["label", "second"], "drop": ["part"]},
        {"split": "part"},
        {"group": "patient", "drop": ["part"]},
    ],
)
def test_what_is_mapped_equals_what_is_in_memory(files, tmp_path, options):
    if isinstance(options.get("target"), list):
        options = options | {"target": ["flag", "second"]}
    in_memory = table(path=str(files), **{"target": "label", **options})
    both = [mapped(files, tmp_path, **options) for _ in range(2)]  # made, and found
    for each in both:
        assert_equal_splits(in_memory, each)
        assert set(in_memory.notes) == set(each.notes)
        check_source(each)
    assert len(list((tmp_path / "cache").glob("*/table.json"))) == 1


def test_separate_files_are_splits(files, tmp_path):
    frame(1).to_parquet(tmp_path / "test.parquet", index=False)
    options = {"path": str(files), "test_path": str(tmp_path / "test.parquet"), "target": "label"}
    assert_equal_splits(table(**options), large_table(**options, cache=str(tmp_path / "cache")))


def test_a_trained_schema_reads_the_same_store_or_other_rows(files, tmp_path):
    trained = mapped(files, tmp_path)
    again = mapped(files, tmp_path, schema=trained.schema)
    assert again.train.store.folder == trained.train.store.folder
    other = tmp_path / "other.parquet"
    rows = frame(2)
    rows.loc[:9, "city"] = "new"
    rows["more"] = 1
    rows.to_parquet(other, index=False)
    options = {"path": str(other), "target": "label", "schema": trained.schema}
    in_memory, read = table(**options), large_table(**options, cache=str(tmp_path / "cache"))
    assert read.schema == trained.schema
    assert set(in_memory.notes) == set(read.notes)
    places = torch.arange(50)
    a, b = (each.test.__getitems__(SampledIndices(places, places)) for each in (in_memory, read))
    assert torch.equal(a.input.nan_to_num(7), b.input.nan_to_num(7))


def test_a_changed_file_is_mapped_anew_and_a_broken_store_too(files, tmp_path):
    first = mapped(files, tmp_path)
    status = (files / "b.parquet").stat()
    frame(5)[700:].to_parquet(files / "b.parquet", index=False)
    os.utime(files / "b.parquet", ns=(status.st_mtime_ns, status.st_mtime_ns))  # its statistics tell
    changed = mapped(files, tmp_path)
    assert changed.fingerprint != first.fingerprint
    folder = changed.train.store.folder
    (folder / "targets.npy").write_bytes((folder / "targets.npy").read_bytes()[:-1])
    assert TableStore.find(folder) is None
    assert mapped(files, tmp_path).fingerprint == changed.fingerprint
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_source_goes_to_workers_as_its_folder(files, tmp_path):
    source = mapped(files, tmp_path).train
    places = torch.arange(20)
    before = source.__getitems__(SampledIndices(places, places))
    source.store.release()
    content = pickle.dumps(source.store)
    assert len(content) < 20_000
    again = pickle.loads(pickle.dumps(source)).__getitems__(SampledIndices(places, places))
    assert torch.equal(before.input.nan_to_num(7), again.input.nan_to_num(7))


@pytest.mark.parametrize("is_told", [True, False])
def test_mapped_pages_are_given_back(files, tmp_path, monkeypatch, is_told):
    source = mapped(files, tmp_path).train
    places = torch.arange(len(source))
    before = source.__getitems__(SampledIndices(places, places))
    released = []
    store = type(source.store)
    release = store.release
    monkeypatch.setattr(store, "release", lambda self: released.append(release(self)))
    monkeypatch.setattr(table_store, "LOOK_AFTER", 1)
    monkeypatch.setattr(table_store, "RELEASE_AFTER", 2 * len(source))
    monkeypatch.setattr(table_store, "MAX_MAPPED", -1)
    if not is_told:
        monkeypatch.setattr(table_store, "_mapped_bytes", lambda: None)
    for _ in range(4):
        again = source.__getitems__(SampledIndices(places, places))
        assert torch.equal(before.input.nan_to_num(7), again.input.nan_to_num(7))
    assert len(released) == (4 if is_told else 2)


@pytest.fixture
def large(monkeypatch):
    """Everything is large: the splits, the orders, and the sample that columns are fitted on."""
    monkeypatch.setattr(windows, "LARGE", 0)
    monkeypatch.setattr(windows, "WINDOW", 128)
    monkeypatch.setattr(windows, "BLOCKS", 100)
    monkeypatch.setattr(fit_large, "MAX_ROWS", 300)
    monkeypatch.setattr(large_splits, "PART", 101)


def test_large_splits_have_every_row_once_and_exact_shares(files, tmp_path, large):
    splits = mapped(files, tmp_path, val_fraction=0.2, calibration_fraction=0.1, drop=["part"])
    check_source(splits)
    rows = frame()
    labels = (rows["label"] == "yes").to_numpy()
    index = torch.cat([source.index for source in splits.parts.values()])
    assert torch.equal(index.sort().values, torch.arange(N).int())
    for split, share in (("val", 0.2), ("test", 0.15), ("calibration", 0.1), ("train", 0.55)):
        source = splits.parts[split]
        assert isinstance(source, MappedRows)
        assert np.array_equal(source.targets.numpy(), labels[source.index.numpy()])
        assert (source.targets.diff() >= 0).all()  # class by class
        assert abs(int(source.targets.sum()) - share * labels.sum()) <= 1.5
    batch = splits.train.__getitems__(SampledIndices(torch.arange(9), torch.arange(9)))
    at = [column.name for column in splits.schema.columns].index("x0")
    assert torch.equal(batch.input[:, at], torch.tensor(rows["x0"][batch.index.tolist()].to_numpy(np.float32)))
    other = mapped(files, tmp_path, val_fraction=0.2, calibration_fraction=0.1, drop=["part"], split_seed=1)
    assert set(other.test.index.tolist()) != set(splits.test.index.tolist())


def test_large_tables_fit_numbers_on_a_sample_and_the_rest_on_all_training_rows(files, tmp_path, large):
    rows = frame()
    rows = rows.drop(columns="day")  # the first and last day are those of the sample
    rows.loc[1, "city"], rows.loc[2, "x2"] = "once", np.nan  # neither row is in the sample of each fourth
    rows["part"] = "train"
    rows.loc[800:, "part"] = np.where(np.arange(400) < 200, "val", "test")
    rows.loc[802, "city"] = "unknown"
    file = tmp_path / "one.parquet"
    rows.to_parquet(file, index=False)
    in_memory, read = (
        make(path=str(file), target="label", split="part", **options)
        for make, options in ((table, {}), (large_table, {"cache": str(tmp_path / "cache")}))
    )
    assert read.schema.columns == in_memory.schema.columns
    assert read.schema.gaps == in_memory.schema.gaps == ("x1", "x2")
    assert any("300 of the 1,200 rows" in guess for guess in read.guesses)
    assert any("'unknown' 1" in note for note in read.notes)
    every_fourth = rows[::4][:200]
    assert read.prepare.mean[0] == pytest.approx(every_fourth["x0"].mean(), rel=1e-5)
    assert read.prepared_shape == tuple(read.schema.prepared_shape)


def test_splits_that_are_evaluated_are_limited(files, tmp_path, large):
    drawn = mapped(files, tmp_path, max_evaluated=50, drop=["part"])
    assert {split: len(source) for split, source in drawn.parts.items()} == {"train": 1100, "val": 50, "test": 50}
    assert sum("data.max_evaluated" in note for note in drawn.notes) == 2
    given = mapped(files, tmp_path, max_evaluated=50, split="part")
    assert len(given.val) == len(given.test) == 50
    parts = frame()["part"].to_numpy()
    assert set(parts[given.test.index.numpy()]) == {"test"}
    assert len(given.train) == (parts == "train").sum()


def test_labels_of_large_tables(files, tmp_path, large):
    splits = mapped(files, tmp_path, target=["flag", "second"], drop=["label", "part"])
    check_source(splits)
    rows = frame()
    for source in splits.parts.values():
        expected = rows[["flag", "second"]].to_numpy().astype(int)[source.index.numpy()]
        assert np.array_equal(source.targets.numpy(), expected)
    again = mapped(files, tmp_path, target=["second", "flag"], drop=["label", "part"], schema=splits.schema)
    assert again.classes == ("flag", "second")
    assert again.class_counts.sum() == rows.loc[again.train.index.tolist(), ["flag", "second"]].to_numpy().sum()
    flags = rows["flag"].to_numpy()[again.train.index.numpy()]
    assert np.array_equal(again.train.targets[:, 0].numpy(), flags)


@pytest.mark.parametrize("make", [RandomSampler, ClassBalancedSampler])
def test_an_epoch_of_mapped_rows_resumes_on_other_processes(files, tmp_path, large, make):
    train = mapped(files, tmp_path).train

    def batches(rank, world_size):
        return DistributedEpochBatchSampler(
            make(targets=train.targets), len(train), 40, rank=rank, world_size=world_size
        )

    whole = [train.__getitems__(draws).index for draws in batches(0, 1)]
    shares = [batches(rank, 2) for rank in range(2)]
    for each in shares:
        each.resume(7)
    for index, parts in zip(whole[7:], zip(*shares, strict=True), strict=True):
        assert torch.equal(torch.cat([train.__getitems__(draws).index for draws in parts]), index)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": "labels"}, "data.target=labels is not a column .*; did you mean 'label'"),
        ({"target": "x0", "drop": ["label"]}, r"x0'.*different values in|x0'.*is not a class"),
        ({"target": "city"}, r"parquet, row \d+, column 'city' has no value"),
        ({"slices": ["city"]}, "report.slices=city needs data=table"),
        ({"max_evaluated": 0}, "max_evaluated"),
        ({"split": "city"}, r"parquet, row \d+, column 'city'.* (has no value|is not one of train)"),
    ],
)
@pytest.mark.parametrize("is_large", [False, True])
def test_what_cannot_be_mapped_is_named(files, tmp_path, request, is_large, options, says):
    if is_large:
        request.getfixturevalue("large")
    with pytest.raises(ValueError, match=says):
        mapped(files, tmp_path, **options)


def test_limits_of_large_tables_are_told(files, tmp_path, large):
    with pytest.raises(ValueError, match=r"data\.group=patient is for tables that fit into memory"):
        mapped(files, tmp_path, group="patient")


def test_text_and_a_full_disk_are_refused(files, tmp_path, monkeypatch):
    csv = tmp_path / "rows.csv"
    frame()[:50].to_csv(csv, index=False)
    with pytest.raises(ValueError, match=r"rows\.csv is a text file, and data=large_table maps Parquet files"):
        mapped(csv, tmp_path)
    monkeypatch.setattr("imbalance_lab.data.table_store.free_space", lambda _: 1000)
    with pytest.raises(OSError, match=r"1\.0 kB are free: free some space"):
        mapped(files, tmp_path)
    assert [each.suffix for each in Path(tmp_path / "cache").iterdir()] == [".lock"]


@pytest.mark.parametrize(("n", "k"), [(10, 10), (1000, 900), (100_000, 50), (50, 0)])
def test_distinct_numbers(n, k):
    drawn = distinct(n, k, seed=3)
    assert len(set(drawn.tolist())) == k
    assert k == 0 or (drawn.min() >= 0 and drawn.max() < n)
    assert np.array_equal(drawn, distinct(n, k, seed=3))


def test_split_large_is_stratified_and_keeps_what_is_given():
    draws = np.random.default_rng(0)
    strata = draws.choice(4, 20_000, p=[0.9, 0.09, 0.0099, 0.0001]).astype(np.uint8)
    given = np.where(np.arange(20_000) < 15_000, 0, 2).astype(np.uint8)
    fractions = {"val_fraction": 0.1, "test_fraction": 0.2, "calibration_fraction": 0.0}
    split, told = split_large(given.copy(), strata, fractions, seed=1, max_evaluated=None)
    assert not told
    assert np.array_equal(split == 2, given == 2)
    for c in range(4):
        n = (strata[:15_000] == c).sum()
        assert abs((strata[split == 1] == c).sum() - n * 0.1) <= 1
    assert not np.array_equal(split, split_large(given.copy(), strata, fractions, seed=2, max_evaluated=None)[0])


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_rare_class_keeps_a_row_for_training_first_then_gives_one_to_test_and_validation(n):
    strata = np.r_[np.zeros(500, np.uint8), np.ones(n, np.uint8)]
    fractions = {"val_fraction": 0.4, "test_fraction": 0.5, "calibration_fraction": 0.05}
    split, _ = split_large(np.zeros(500 + n, np.uint8), strata, fractions, seed=1, max_evaluated=None)
    there = set(split[strata == 1].tolist())
    assert there >= {0, *([2] if n > 1 else []), *([1] if n > 2 else [])}
    with pytest.raises(ValueError, match="leave nothing for training"):
        split_large(np.zeros(9, np.uint8), strata[:9], fractions | {"test_fraction": 0.6}, seed=1, max_evaluated=None)
