import json
import re

import pytest
from scipy import stats

from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.sweep import read_run, read_sweep
from imbalance_lab.report.comparison_table import comparison_table, failure_lines, settings_table
from imbalance_lab.report.terminal import PlainConsole, console


def score(value):
    return {"value": value, "ci95": None if value is None else [value - 0.1, value + 0.05]}


def write_run(sweep, name, overrides, val=None, test=0.7, status=None, finished=True):
    folder = sweep / name / ".hydra"
    folder.mkdir(parents=True)
    (folder / "overrides.yaml").write_text("".join(f"- {each}\n" for each in overrides) or "[]\n")
    if finished:
        metrics = {"val": {"auroc": score(val)}, "test": {"auroc": score(test), "balanced_accuracy": score(0.6)}}
        (sweep / name / "metrics.json").write_text(json.dumps(metrics))
        status = {"state": "finished"}
    if status is not None:
        (sweep / name / "status.json").write_text(json.dumps(status))


def shown(sweep, capsys):
    """The heading and the rows of the table, cell by cell, as they stand on 100 columns."""
    console().print(comparison_table(read_sweep(sweep)))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip(" ─━╶╴╌┄")]
    cells = [re.split(r"\s{2,}", line) for line in lines]
    return cells[1], cells[2:]


def test_the_best_validation_auroc_comes_first(tmp_path, capsys):
    for name, val, test in (("0", 0.81, 0.9), ("1", 0.95, 0.7), ("2", 0.9, 0.8), ("10", 0.1, 0.95)):
        write_run(tmp_path, name, [f"seed={name}"], val, test)
    heading, rows = shown(tmp_path, capsys)
    assert heading == ["run", "seed", "val AUROC", "test AUROC [95 % CI]", "test bal. acc. [95 % CI]"]
    assert [row[:3] for row in rows] == [
        ["1", "1", "0.950"],
        ["2", "2", "0.900"],
        ["0", "0", "0.810"],
        ["10", "10", "0.100"],
    ]
    assert rows[0][3:] == ["0.700 [0.600, 0.750]", "0.600 [0.500, 0.650]"]


def test_only_overrides_that_vary_are_shown(tmp_path, capsys):
    write_run(tmp_path, "0", ["data=digits_lt", "loss=focal", "~scheduler", "+n=3"], 0.8)
    write_run(tmp_path, "1", ["data=digits_lt", "loss=ldam", "~scheduler"], 0.9)
    heading, rows = shown(tmp_path, capsys)
    assert heading[1:-3] == ["loss", "n"]
    assert rows[0][:3] == ["1", "ldam", "0.900"]
    assert rows[1][:4] == ["0", "focal", "3", "0.800"]


def test_a_value_may_contain_an_equals_sign(tmp_path):
    write_run(tmp_path, "0", ["'ckpt_path=a/epoch=3.ckpt'", "'loss.alpha=[0.25,0.75]'"], 0.5)
    assert read_run(tmp_path / "0").overrides == {"ckpt_path": "a/epoch=3.ckpt", "loss.alpha": "[0.25,0.75]"}


def test_a_failed_run_comes_last_with_its_reason(tmp_path, capsys):
    write_run(tmp_path, "0", ["seed=0"], finished=False, status={"state": "failed", "error": "the loss is nan"})
    write_run(tmp_path, "1", ["seed=1"], 0.2)
    write_run(tmp_path, "2", ["seed=2"], finished=False, status={"state": "running"})
    write_run(tmp_path, "3", ["seed=3"], finished=False)
    _, rows = shown(tmp_path, capsys)
    assert [row[0] for row in rows] == ["1", "0", "2", "3"]
    assert rows[1][2:] == ["–", "–", "–"]
    *unfinished, without_predictions = failure_lines(compute_comparison_data(read_sweep(tmp_path)))
    assert unfinished == [
        "run 0 has no scores: the loss is nan",
        "run 2 has no scores: running",
        "run 3 has no scores: not started",
    ]
    assert without_predictions.startswith("run 1 is not compared on test: ")


def test_an_undefined_test_score_is_a_dash(tmp_path, capsys):
    write_run(tmp_path, "0", ["seed=0"], 0.8, None)
    _, rows = shown(tmp_path, capsys)
    assert rows == [["0", "0.800", "–", "0.600 [0.500, 0.650]"]]


def test_a_folder_without_runs_is_an_empty_sweep(tmp_path):
    (tmp_path / "notes").mkdir()
    assert read_sweep(tmp_path) == []


@pytest.mark.parametrize("overrides", [[], ["seed=1"]])
def test_a_single_run_has_no_column_of_overrides(tmp_path, capsys, overrides):
    write_run(tmp_path, "0", overrides, 0.8)
    heading, rows = shown(tmp_path, capsys)
    assert heading[:2] == ["run", "val AUROC"]
    assert len(rows) == 1


def test_an_undefined_validation_score_is_a_dash_and_comes_last(tmp_path, capsys):
    write_run(tmp_path, "0", ["seed=0"], None)
    write_run(tmp_path, "1", ["seed=1"], 0.2)
    _, rows = shown(tmp_path, capsys)
    assert [row[0] for row in rows] == ["1", "0"]
    assert rows[1][2] == "–"


def test_four_varied_overrides_do_not_truncate_the_scores(tmp_path, capsys):
    for number, loss in enumerate(("cross_entropy", "focal")):
        varied = [f"loss={loss}", f"optimizer.lr=0.00{number}1", f"sampler=class_balanced_{number}", f"seed={number}"]
        write_run(tmp_path, str(number), varied, 0.8)
    console().print(comparison_table(read_sweep(tmp_path)))
    out = capsys.readouterr().out
    assert out.count("0.700 [0.600, 0.750]") == out.count("0.600 [0.500, 0.650]") == 2
    assert "test bal. acc. [95 % CI]" in out


def test_an_override_in_brackets_appears_literally(tmp_path, capsys):
    for number, classes in enumerate(("[cat,dog]", "[ant,bee]")):
        write_run(tmp_path, str(number), [f"'data.classes={classes}'"], 0.8 - number / 10)
    _, rows = shown(tmp_path, capsys)
    assert [row[1] for row in rows] == ["[cat,dog]", "[ant,bee]"]


def printed(table, capsys, width=100):
    """The lines of a table in a terminal of this width."""
    PlainConsole(width).print(table)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def settings_of(tmp_path, values=(0.7, 0.72, 0.9, 0.93), keys=("loss.gamma", "seed")):
    for number, value in enumerate(values):
        overrides = [f"{keys[0]}={number // 2}", f"{keys[1]}={number % 2}"]
        write_run(tmp_path, str(number), overrides, value - 0.1, value)
    return compute_comparison_data(read_sweep(tmp_path))


@pytest.mark.parametrize("second", ["seed", "data.subset_seed"])
def test_settings_are_averaged_over_seeds_and_subsets(tmp_path, capsys, second):
    data = settings_of(tmp_path, keys=("loss.gamma", second))
    lines = printed(settings_table(data), capsys)
    assert lines[0] == "2 settings, best validation AUROC first"
    assert [re.split(r"\s{2,}", line)[:3] for line in lines[3:5]] == [["1", "2", "0.815"], ["0", "2", "0.610"]]
    half = stats.t.ppf(0.975, 1) * 0.015
    assert f"0.915 [{0.915 - half:.3f}, 1.000]" in lines[3]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_columns_are_left_out_and_digits_never(tmp_path, capsys, width):
    lines = printed(settings_table(settings_of(tmp_path)), capsys, width)
    assert max(map(len, lines)) <= width
    assert "0.915 [" in lines[3]
    assert not re.search(r"\d…|…\d", "\n".join(lines))


def test_at_most_fifteen_rows_and_where_the_others_are(tmp_path, capsys):
    for number in range(20):
        write_run(tmp_path, str(number), [f"loss.gamma={number}", "seed=0"], 0.5 + number / 100)
    data = compute_comparison_data(read_sweep(tmp_path))
    for table, file in ((comparison_table(data.runs), "comparison_runs.csv"), (settings_table(data), "comparison.csv")):
        text = " ".join(printed(table, capsys))
        assert "5 more" in text
        assert f"more in {file}" in text
        assert len(table.rows) == 15


def test_files_keep_their_names_whole(tmp_path, capsys):
    names = ["payments_2023_q1_without_chargebacks.csv", "payments_2023_q2_without_chargebacks.csv"]
    for number, name in enumerate(names):
        write_run(tmp_path, str(number), [f"\"data.path='/srv/hospital data/exports/{name}'\""], 0.8)
    data = compute_comparison_data(read_sweep(tmp_path))
    assert {each.name for each in data.settings} == {f"data.path={name}" for name in names}
    assert "/srv" not in "".join(printed(settings_table(data), capsys)).replace(" ", "")
