import numpy as np
import pandas as pd
import pytest
from measurements.split_rows import split_rows
from table_benchmark.sources import Source
from table_benchmark.splits import read_table, shortened, table_file, write_table

LABELS = np.array(["a"] * 170 + ["b"] * 30)


def source(frame, **options):
    return Source("t", "t", "held-out", lambda: frame, **options)


def frame(labels=LABELS):
    text = ["NA", "01", " ", ""] * (len(labels) // 4)
    return pd.DataFrame({"c1": np.arange(len(labels)) / 8, "c2": text, "class": labels})


def test_a_written_table_reads_back_as_it_was(tmp_path):
    path = write_table(source(frame()), 3, tmp_path)
    read = read_table(path)
    assert path == table_file(tmp_path, "t", 3)
    assert read["split"].tolist() == split_rows(LABELS, 3).tolist()
    assert read["c2"].fillna("gap").tolist() == ["NA", "01", " ", "gap"] * 50
    pd.testing.assert_frame_equal(read[["c1", "class"]], frame()[["c1", "class"]], check_dtype=False)


def test_a_table_that_is_there_is_not_read_again(tmp_path):
    path = write_table(source(frame()), 0, tmp_path)
    before = path.read_bytes()
    assert write_table(Source("t", "t", "held-out", lambda: 1 / 0), 0, tmp_path).read_bytes() == before


def test_classes_that_look_like_numbers_stay_text(tmp_path):
    path = write_table(source(frame(np.where(LABELS == "a", "01", "1"))), 0, tmp_path)
    assert set(read_table(path)["class"]) == {"01", "1"}


def test_a_class_too_rare_for_test_is_refused(tmp_path):
    labels = np.array(["a"] * 178 + ["b"] * 22)
    with pytest.raises(ValueError, match="t: 4 rows of the rarest class in test"):
        write_table(source(frame(labels)), 0, tmp_path)
    assert not table_file(tmp_path, "t", 0).exists()


def test_a_shortened_table_keeps_its_shares_and_its_order():
    short = shortened(frame(), 100)
    assert short["class"].value_counts().to_dict() == {"a": 85, "b": 15}
    assert short["c1"].is_monotonic_increasing
    assert shortened(frame(), 200).equals(frame())
