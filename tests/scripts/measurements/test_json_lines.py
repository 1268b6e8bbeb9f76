import json
from dataclasses import asdict, replace

import pytest
from measurements.json_lines import append_line, read_lines
from table_benchmark.results import Result

from imbalance_lab.errors import UsageError

RESULT = Result("t", 0, 1, "m", "v1", 0.9, 0.5, 0.3, 0.2, 0.1, 0.1, 2.5)


def test_what_is_appended_is_read(tmp_path):
    path = tmp_path / "new" / "r.jsonl"
    others = [replace(RESULT, seed=2), replace(RESULT, version="v2")]
    for result in [RESULT, *others]:
        append_line(path, result)
    assert read_lines([path, tmp_path / "absent"], Result) == [RESULT, *others]


def test_a_line_that_was_cut_off_is_left_out_and_replaced(tmp_path):
    path = tmp_path / "r.jsonl"
    append_line(path, RESULT)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    assert read_lines([path], Result) == [RESULT]
    append_line(path, replace(RESULT, split=5))
    assert [result.split for result in read_lines([path], Result)] == [0, 5]


def test_the_later_of_two_measurements_counts(tmp_path):
    path = tmp_path / "r.jsonl"
    append_line(path, RESULT)
    append_line(path, replace(RESULT, auroc=0.7))
    assert [result.auroc for result in read_lines([path], Result)] == [0.7]


@pytest.mark.parametrize("line", ["{", "[]", json.dumps(asdict(RESULT) | {"more": 1}), "{}"])
def test_a_damaged_line_is_named(line, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(asdict(RESULT)) + "\n" + line + "\n")
    with pytest.raises(UsageError, match="line 2 is no result"):
        read_lines([path], Result)
