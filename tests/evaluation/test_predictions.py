import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from imbalance_lab.data import Arrays
from imbalance_lab.data.tables import Rows
from imbalance_lab.evaluation.predictions import Predictions, describe_examples
from imbalance_lab.posthoc import PostProcessor
from imbalance_lab.posthoc.calibration import Calibration
from imbalance_lab.task import Task
from tests.test_class_names import HOSTILE

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


def test_pandas_shows_names_not_numbers(tmp_path):
    written = replace(labelled_by_one(), source=pa.array(["a.csv, line 2", "a.csv, line 3", "a.csv, line 4"]))
    written = replace(written, group=pa.array([7, 7, None]))
    written.write(tmp_path / "val.parquet", halved(written.classes))
    frame = pd.read_parquet(tmp_path / "val.parquet")
    assert frame.columns.tolist() == [
        *("index", "source", "group", "target", "predicted"),
        *("p_yes", "p_no", "p_", "logit_yes", "logit_no", "logit_"),
    ]
    assert frame["target"].tolist() == ["no", "", "yes"]
    assert frame["target"].cat.categories.tolist() == ["yes", "no", ""]
    assert frame["predicted"].tolist() == ["yes", "", "yes"]
    assert frame["source"][1] == "a.csv, line 3"
    assert frame["group"][0] == 7
    assert (frame.dtypes["logit_yes"], frame.dtypes["p_yes"]) == (np.float32, np.float64)
    z = written.logits.astype(np.float64) / 2
    expected = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(frame[["p_yes", "p_no", "p_"]], expected, rtol=1e-12)


def labelled_by_one():
    logits = np.array([[2, 1, 0], [0, 1, 4], [1, 0, 1]], np.float32)
    return Predictions.of(("yes", "no", ""), np.array([5, 6, 9]), np.array([1, 2, 0]), logits)


def halved(classes, activation="softmax"):
    """A post-processing of temperature 2, without thresholds."""
    calibration = Calibration(activation, 2.0, (0.0,) * len(classes), None)
    return PostProcessor(classes, calibration, None, ["none was asked for"] * len(classes))


def test_probabilities_are_absent_until_the_post_processing_is_known(tmp_path):
    labelled_by_one().write(tmp_path / "val.parquet")
    names = pq.read_schema(tmp_path / "val.parquet").names
    assert names == ["index", "target", "logit_yes", "logit_no", "logit_"]


def test_source_and_group_are_read_as_they_were(tmp_path):
    names = pa.array(["ä/1.png", "", None])
    for group in (pa.array(["p1", None, "p1"]), pa.array([1.5, -0.0, None]), pa.array([1, 2**62, 3])):
        written = replace(labelled_by_one(), source=names, group=group)
        written.write(tmp_path / "val.parquet", halved(written.classes))
        read = Predictions.read(tmp_path / "val.parquet")
        assert_same(read, written)
        assert read.source.equals(names)
        assert read.group.equals(group)
        read.write(tmp_path / "again.parquet", halved(written.classes))
        assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "val.parquet").read_bytes()


NESTED = ("a", "a.b", "a.b.c", ".", "target", "logit_a", "p_", "list.element", "a=b", "'", "`", "\\", "null", "\0")


@pytest.mark.parametrize("multilabel", [False, True])
def test_any_class_names_are_read_back(tmp_path, multilabel):
    names, rng = tuple(dict.fromkeys((*NESTED, *HOSTILE))), np.random.default_rng(0)
    C = len(names)
    target = rng.integers(0, 2, (50, C)) if multilabel else rng.integers(0, C, 50)
    activation = "sigmoid" if multilabel else "softmax"
    written = Predictions.of(names, np.arange(50), target, rng.normal(size=(50, C)).astype(np.float32), activation)
    written.write(tmp_path / "val.parquet", halved(names, activation))
    assert_same(Predictions.read(tmp_path / "val.parquet"), written)
    table = pq.read_table(tmp_path / "val.parquet")
    assert {f"p_{name}" for name in names} <= set(table.column_names)


def test_two_classes_of_one_name_are_refused(tmp_path):
    same = Predictions.of(("a", "b", "a"), np.arange(3), np.array([0, 1, 2]), np.zeros((3, 3), np.float32))
    with pytest.raises(ValueError, match="two classes are called 'a'"):
        same.write(tmp_path / "val.parquet")


def test_another_layout_of_the_same_rows_is_the_same(tmp_path):
    written = replace(seeded(), source=pa.array([f"{n % 7}.png" for n in range(40)]))
    written.write(tmp_path / "val.parquet", halved(ODD_NAMES))
    table = pq.read_table(tmp_path / "val.parquet")
    pq.write_table(table.select(sorted(table.column_names)), tmp_path / "other.parquet", row_group_size=7)
    read = Predictions.read(tmp_path / "other.parquet")
    assert_same(read, written)
    assert read.source.equals(written.source)


@pytest.mark.parametrize("column", ["index", "source", "group", "target", "logit_no"])
def test_the_digest_covers_all_that_is_read_back(tmp_path, column):
    written = replace(labelled_by_one(), source=pa.array(["a", "b", "c"]), group=pa.array([1, 2, 2]))
    written.write(tmp_path / "val.parquet")
    table = pq.read_table(tmp_path / "val.parquet")
    values = table[column].to_pylist()
    swapped = pa.array([values[2], values[1], values[0]], table.schema.field(column).type)
    for other in (table.set_column(table.column_names.index(column), column, swapped), table.drop_columns(column)):
        pq.write_table(other.replace_schema_metadata(table.schema.metadata), tmp_path / "val.parquet")
        with pytest.raises((ValueError, KeyError), match=f"digest differs|{column}"):
            Predictions.read(tmp_path / "val.parquet")


def test_lengths_of_names_are_part_of_the_digest():
    one, other = (replace(labelled_by_one(), source=pa.array(names)) for names in (["ab", "c", ""], ["a", "bc", None]))
    assert one._digest(b"") != other._digest(b"")


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
    frame = pd.read_parquet(tmp_path / "val.parquet")
    assert frame.dtypes["target_torn"] == np.int8
    assert frame[["target_torn", "target_late", "target_lost"]].values.tolist() == written.target.tolist()
    written.write(tmp_path / "val.parquet", halved(written.classes, "sigmoid"))
    frame = pd.read_parquet(tmp_path / "val.parquet")
    np.testing.assert_allclose(frame["p_late"], 1 / (1 + np.exp(-written.logits[:, 1].astype(float) / 2)), rtol=1e-12)
    assert "predicted" not in frame, "each label is predicted on its own"
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


@pytest.mark.parametrize("written", [labelled(), seeded()], ids=["labels", "classes"])
@pytest.mark.parametrize("sealed", [True, False])
def test_files_of_earlier_releases_are_read(tmp_path, written, sealed):
    target = written.target.astype(np.int8) if written.task.is_multilabel else written.target
    columns = {"index": written.index, "target": as_lists(target), "logits": as_lists(written.logits)}
    task = json.dumps(written.task.as_dict())
    digest = hashlib.sha256(task.encode())  # as that release computed it
    for array in (written.index, written.target, written.logits):
        digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    oldest = {"classes": json.dumps(written.classes), "link": written.task.activation}
    about = {"task": task, "sha256": digest.hexdigest()} if sealed else oldest
    pq.write_table(pa.table(columns).replace_schema_metadata(about), tmp_path / "old.parquet")
    read = Predictions.read(tmp_path / "old.parquet")
    assert_same(read, written)
    assert (read.source, read.group) == (None, None)
    read.write(tmp_path / "new.parquet", halved(written.classes, written.task.activation))
    assert_same(Predictions.read(tmp_path / "new.parquet"), written)
    if sealed:
        columns["index"] = written.index[::-1]
        pq.write_table(pa.table(columns).replace_schema_metadata(about), tmp_path / "old.parquet")
        with pytest.raises(ValueError, match="the digest differs"):
            Predictions.read(tmp_path / "old.parquet")


def as_lists(values):
    flat = pa.array(np.ascontiguousarray(values).ravel())
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def test_examples_are_described_by_index_whatever_the_order():
    rows = Rows(torch.zeros(4, 1), torch.zeros(4).long(), torch.tensor([8, 2, 5, 3]), (), pa.array(list("abcd")))
    source, group = describe_examples(rows, np.array([3, 8, 5]))
    assert source.to_pylist() == ["row 4", "row 9", "row 6"]
    assert group.to_pylist() == ["d", "a", "c"]
    source, group = describe_examples(Arrays(rows.inputs, rows.targets, rows.index), np.array([5]))
    assert source.to_pylist() == ["example 5"]
    assert group is None
    gone = replace(rows, files=[(Path("/nowhere/a.csv"), 0)])
    assert describe_examples(gone, np.array([5]))[0] is None
