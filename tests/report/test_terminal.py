import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from imbalance_lab.evaluation.evaluation import Evaluation, Score
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.report.terminal import WIDTH, console, evaluation_table, interval, number, summary_lines

INTERVAL = r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]"


def evaluated(names, counts, n_test, seed=0):
    """An evaluation with ``n_test`` examples of each class."""
    rng = np.random.default_rng(seed)
    target = np.repeat(np.arange(len(names)), n_test)
    logits = (rng.normal(size=(len(target), len(names))) + 1.5 * np.eye(len(names))[target]).astype(np.float32)
    return Evaluation(Predictions.of(tuple(names), np.arange(len(target)), target, logits), counts)


def printed(table):
    out = StringIO()
    Console(width=WIDTH, file=out).print(table)
    return out.getvalue().rstrip("\n").split("\n")


def test_a_row_has_the_scores_of_its_class():
    evaluation = evaluated(["ant", "bee"], [1200, 15], [100, 19])
    _, bee = evaluation.classes
    (row,) = (line for line in printed(evaluation_table(evaluation, "x")) if line.strip().startswith("bee"))
    cells = re.split(r"\s{2,}", row.strip())
    assert cells == [
        "bee", "15", "few", "19*", interval(bee.auroc), interval(bee.average_precision), number(bee.recall.value)
    ]  # fmt: skip


def test_a_class_without_an_example_has_dashes():
    evaluation = evaluated(["ant", "bee", "cat"], [9, 9, 9], [30, 30, 0])
    (row,) = (line for line in printed(evaluation_table(evaluation, "x")) if line.strip().startswith("cat"))
    assert re.split(r"\s{2,}", row.strip())[3:] == ["0", "–", "–", "–"]


def test_the_summary_says_over_how_many_classes_and_warns_of_few_positives():
    evaluation = evaluated([f"c{number}" for number in range(10)], [500] * 9 + [7], [40] * 8 + [0, 6])
    lines = summary_lines(evaluation)
    assert lines[0] == f"macro AUROC        {interval(evaluation.macro_auroc)}  over 9 of 10 classes"
    assert lines[1] == f"balanced accuracy  {interval(evaluation.balanced_accuracy)}"
    groups = evaluation.shot_group_recall()
    assert lines[2] == f"recall by group    many {groups['many']:.3f}  few {groups['few']:.3f}"
    assert lines[3] == "* fewer than 20 positives in the split (1 of 10 classes): interpret with care"


def test_the_summary_omits_groups_and_warnings_that_do_not_apply():
    lines = summary_lines(evaluated(["a", "b"], [500, 300], [30, 30]))
    assert len(lines) == 2
    assert all(len(line) <= WIDTH for line in lines)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.12349, (0.1, 0.98765)), "0.123 [0.100, 0.988]"),
        (Score(1.0, (0.5, 1.0)), "1.000 [0.500, 1.000]"),
        (Score(0.5), "0.500"),
        (Score(float("nan")), "–"),
    ],
)
def test_a_score_is_three_digits_with_its_interval_and_a_dash_where_undefined(score, text):
    assert interval(score) == text


def test_outside_a_terminal_the_console_is_a_hundred_wide_and_plain(capsys):
    console().print("[0.1,0.9]," * 20, style="red")
    assert capsys.readouterr().out.splitlines() == ["[0.1,0.9]," * 10] * 2


@pytest.mark.parametrize("name", ["[red]", "[/b]", "gear [left]"])
def test_a_name_in_brackets_appears_literally(name, capsys):
    console().print(evaluation_table(evaluated([name, "other"], [9, 9], [30, 30]), "x"))
    assert name in capsys.readouterr().out


def test_ten_long_names_fit_into_a_hundred_columns():
    names = [f"{number} is a class with a long name indeed" for number in range(10)]
    counts = [54_000, 6_000, 5_000, 1_000, 500, 120, 80, 40, 10, 1]
    lines = printed(evaluation_table(evaluated(names, counts, [2000] * 2 + [150] * 6 + [5] * 2), "Test scores"))
    assert max(map(len, lines)) <= 100
    (heading,) = (line for line in lines if "AUROC" in line)
    assert re.split(r"\s{2,}", heading.strip()) == [
        "class",
        "train n",
        "group",
        "test n",
        "AUROC [95 % CI]",
        "AP [95 % CI]",
        "recall",
    ]
    rows = [line for line in lines if " is a class" in line]
    assert len(rows) == 10
    for row, count in zip(rows, counts, strict=True):
        assert len(re.findall(INTERVAL, row)) == 2
        assert f" {count:,} " in row
        assert re.search(r"\] +\d\.\d{3}$", row.rstrip())
        assert row.count("…") == 1  # only the name is shortened
        assert len(row[: row.index("…")].strip()) >= 15
