import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.task import Task

ODD_NAMES = ("T-shirt/top", 'said "no",\n\ttwice', "Größe 猫 🐈", "", "$x_1$ [red]")


def seeded(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return Predictions.of(
        classes=ODD_NAMES,
        index=rng.choice(10**12, n, replace=False),
        target=rng.integers(0, 5, n),
        logits=rng.normal(0, 1e3, (n, 5)).astype(np.float32),
    )


def assert_same(read, written):
    assert read.classes == written.classes
    assert (read.index.dtype, read.target.dtype, read.logits.dtype) == (np.int64, np.int64, np.float32)
    np.testing.assert_array_equal(read.index, written.index)
    np.testing.assert_array_equal(read.target, written.target)
    np.testing.assert_array_equal(read.logits.view(np.int32), np.ascontiguousarray(written.logits).view(np.int32))


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    written = seeded()
    extremes = np.finfo(np.float32)
    written.logits[0] = [-0.0, extremes.smallest_subnormal, extremes.max, extremes.min, 1 + extremes.eps]
    written.write(tmp_path / "new" / "folder" / "val.parquet")
    assert_same(Predictions.read(tmp_path / "new" / "folder" / "val.parquet"), written)


def test_logits_that_are_a_view_are_written_in_their_own_order(tmp_path):
    wide = seeded()
    view = Predictions.of(wide.classes, wide.index, wide.target, np.asfortranarray(wide.logits)[:, ::-1])
    view.write(tmp_path / "val.parquet")
    assert_same(Predictions.read(tmp_path / "val.parquet"), view)


def test_the_logits_that_are_read_can_be_changed(tmp_path):
    seeded().write(tmp_path / "val.parquet")
    read = Predictions.read(tmp_path / "val.parquet")
    read.logits[:] = 0
    assert read.logits.sum() == 0


def test_any_parquet_reader_opens_the_file(tmp_path):
    written = seeded()
    written.write(tmp_path / "val.parquet")
    table = pq.read_table(tmp_path / "val.parquet")
    assert table.schema.names == ["index", "target", "logits"]
    assert table.schema.types == [pa.int64(), pa.int64(), pa.list_(pa.float32(), 5)]
    assert Task.from_dict(json.loads(table.schema.metadata[b"task"])).classes == ODD_NAMES
    assert table["index"].to_pylist() == written.index.tolist()
    assert table["logits"].to_pylist() == written.logits.tolist()


def test_an_example_that_appears_twice_is_refused():
    with pytest.raises(ValueError, match="appears twice"):
        Predictions.of(("a", "b"), np.array([3, 7, 3]), np.zeros(3, np.int64), np.zeros((3, 2), np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_refused_by_index(value):
    logits = np.zeros((4, 2), np.float32)
    logits[[1, 3], [0, 1]] = value
    with pytest.raises(ValueError, match=r"logits of 2 examples are not finite, index \[20, 40\]"):
        Predictions.of(("a", "b"), np.array([10, 20, 30, 40]), np.zeros(4, np.int64), logits)


@pytest.mark.parametrize("earlier", [True, False])
def test_a_failure_midway_leaves_what_was_there(tmp_path, monkeypatch, earlier):
    path = tmp_path / "val.parquet"
    if earlier:
        seeded(seed=1).write(path)

    def full_disk(table, where, **options):
        where.write_bytes(b"PAR1 half of a file")
        raise OSError("no space left on device")

    monkeypatch.setattr(pq, "write_table", full_disk)
    with pytest.raises(OSError, match="no space left"):
        seeded(seed=2).write(path)
    assert path.exists() == earlier
    if earlier:
        assert_same(Predictions.read(path), seeded(seed=1))


def test_a_second_write_replaces_the_first(tmp_path):
    for seed in (1, 2):
        seeded(seed=seed).write(tmp_path / "val.parquet")
    assert_same(Predictions.read(tmp_path / "val.parquet"), seeded(seed=2))
    assert [file.name for file in tmp_path.iterdir()] == ["val.parquet"]


@pytest.mark.parametrize(
    ("names", "n_target", "width"), [(("a", "b"), 3, 3), (("a", "b", "c"), 3, 2), (("a", "b"), 2, 2)]
)
def test_names_targets_and_logits_that_do_not_match_are_refused(names, n_target, width):
    with pytest.raises(ValueError, match=r"class|name|target"):
        Predictions.of(names, np.arange(3), np.zeros(n_target, np.int64), np.zeros((3, width), np.float32))


def labelled(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return Predictions.of(
        classes=("torn", "late", "lost"),
        index=np.arange(n),
        target=rng.integers(0, 2, (n, 3)),
        logits=rng.normal(size=(n, 3)).astype(np.float32),
        activation="sigmoid",
    )


def test_labels_are_stored_in_a_byte_each_and_read_as_they_were(tmp_path):
    written = labelled()
    written.write(tmp_path / "val.parquet")
    read = Predictions.read(tmp_path / "val.parquet")
    assert_same(read, written)
    assert read.task.is_multilabel
    assert read.task.activation == "sigmoid"
    assert not seeded().task.is_multilabel
    table = pq.read_table(tmp_path / "val.parquet")
    assert table.schema.field("target").type == pa.list_(pa.int8(), 3)
    assert table["target"].to_pylist() == written.target.tolist()
    read.target[:] = 0


@pytest.mark.parametrize(
    ("target", "activation", "sentence"),
    [
        (np.zeros((4, 2), np.int64), "sigmoid", "the targets of a multilabel task must be"),
        (np.full((4, 3), 2), "sigmoid", "target must be 0 or 1, got 2 for example 0"),
        (np.zeros((4, 3), np.int64), "softmax", "a multilabel task needs activation=sigmoid, got softmax"),
    ],
)
def test_labels_that_do_not_fit_the_task_are_refused(target, activation, sentence):
    def predictions():
        task = Task("multilabel", ("a", "b", "c"), activation)
        return Predictions(task, np.arange(4), target, np.zeros((4, 3), np.float32))

    with pytest.raises(ValueError, match=sentence):
        predictions()


def test_files_of_the_previous_release_are_read(tmp_path):
    written = labelled()
    written.write(tmp_path / "new.parquet")
    table = pq.read_table(tmp_path / "new.parquet")
    old = {"classes": json.dumps(written.classes), "link": "sigmoid"}
    pq.write_table(table.replace_schema_metadata(old), tmp_path / "old.parquet")
    assert_same(Predictions.read(tmp_path / "old.parquet"), written)
