import csv
import re
from pathlib import Path

import pytest

from imbalance_lab.app.compare import compare, compare_sweep
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.sweep import rank_runs, read_run
from imbalance_lab.report.comparison_files import latex_text, runs_csv, settings_csv, settings_latex, settings_markdown
from tests.helpers.sweeps import HOSTILE, made_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    sweep = tmp_path_factory.mktemp("sweep")
    for number, value in enumerate(HOSTILE):
        for seed in (0, 1):
            overrides = [f"loss.note={value}", f"seed={seed}"]
            made_run(sweep / f"{number}_{seed}", overrides, skill=0.5 + number / 5, seed=2 * number + seed)
    return sweep


@pytest.fixture(scope="module")
def data(folder):
    return compute_comparison_data(rank_runs([read_run(each) for each in sorted(folder.iterdir())]))


def test_csv_has_every_setting_with_all_digits_and_no_formula(data):
    rows = list(csv.DictReader(settings_csv(data).splitlines()))
    assert len(rows) == len(data.settings)
    for row, setting in zip(rows, data.settings, strict=True):
        assert float(row["test auroc"]) == setting.test.value
        assert float(row["test auroc low"]) == setting.test.interval[0]
        assert int(row["n"]) == 2
    assert rows[0]["difference"] == ""
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert len(list(csv.DictReader(runs_csv(data).splitlines()))) == len(data.runs)


def test_a_markdown_table_has_as_many_cells_in_every_line(data):
    table = settings_markdown(data).split("\n\n")[0].splitlines()
    assert len(table) == 2 + len(data.settings)
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert not re.search(r"(?<!\\)[<$`]", "".join(table))
    assert "**" in "".join(table)


def test_a_latex_table_has_as_many_cells_in_every_line_and_balanced_braces(data):
    text = settings_latex(data)
    text = text.replace("$-$", "−")
    body = re.search(r"\\toprule\n(.*)\\bottomrule", text, re.S)[1].replace("\\midrule\n", "").splitlines()
    assert len(body) == 1 + len(data.settings)
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in body}) == 1
    for line in body:
        bare = re.sub(r"\\[{}&%$#_]", "", line)
        assert bare.count("{") == bare.count("}")
        assert not re.search(r"(?<!\\)[%$#_^~]", line.replace("\\_", ""))
        assert line.endswith(" \\\\")
        assert not line.startswith("[")
    assert text.count("\\textbf{") >= 1


@pytest.mark.parametrize("text", ["a\\b{c}_d^e~f%g#h$i&j", "--x", "[a]", "'\"`<>|", "\n\x1b"])
def test_no_character_of_a_name_acts_in_latex(text):
    printed = latex_text(text)
    commands = re.sub(r"\\text[a-z]+\{\}|\\[{}&%$#_]|\{[\[*]\}|-\{\}", "", printed)
    assert not re.search(r"[\\{}_^~%#$&\n]", commands)


def test_a_sweep_leaves_its_tables_beside_the_page(folder, capsys):
    compare_sweep(folder)
    assert {each.name for each in folder.glob("comparison*")} == {
        "comparison.html",
        "comparison.csv",
        "comparison_runs.csv",
    }
    assert "warning" not in capsys.readouterr().err


def test_a_setting_can_be_the_baseline_and_any_score_ranks(folder, tmp_path, capsys):
    table = tmp_path / "table.md"
    compare([folder], "brier_score", "loss.note=$5$", tmp_path / "page.html", table)
    assert r"difference to loss.note=\$5\$" in table.read_text()
    assert "is better than loss.note=$5$" in (out := capsys.readouterr().out) or "not distinguishable" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "macro-f1"}, "--score macro-f1 is not a score of these runs: choose one such as macro_f1"),
        ({"baseline": "loss=x"}, "--baseline loss=x is not among the compared runs and settings: choose one of "),
        ({"table": "t.xlsx"}, "--table t.xlsx has no known format: name a file that ends in .csv, .md, .tex"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(folder, tmp_path, options, message):

    options = {key: Path(value) if key == "table" else value for key, value in options.items()}
    with pytest.raises(UsageError) as error:
        compare([folder], output=tmp_path / "page.html", **options)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
