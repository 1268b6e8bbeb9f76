import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.report.evaluation_table import LISTED, MAX_CLASSES, evaluation_table, prior_words, summary_lines
from imbalance_lab.report.terminal import WIDTH, console, interval, number

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
    evaluation = evaluated(["ant", "bee", "cat"], [1200, 15, 30], [100, 19, 30])
    _, bee, _ = evaluation.classes
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
    recall, auroc = evaluation.shot_group_recall(), evaluation.shot_group_means()["auroc"]
    assert auroc["many"] == pytest.approx(np.mean([each.auroc.value for each in evaluation.classes[:8]]), abs=1e-12)
    assert lines[2:4] == [
        f"many      9 classes  mean recall {recall['many']:.3f}  mean AUROC {auroc['many']:.3f}",
        f"few       1 class    mean recall {recall['few']:.3f}  mean AUROC {auroc['few']:.3f}",
    ]
    assert lines[4] == "* fewer than 20 positives in the split (1 of 10 classes): interpret with care"


def test_a_binary_task_has_the_row_of_its_positive_class_and_no_mean_over_classes():
    evaluation = evaluated(["legit", "fraud"], [900, 15], [100, 12])
    text = "\n".join(printed(evaluation_table(evaluation, "x", "tables/classes.csv")))
    assert "fraud" in text
    assert "legit" not in text
    assert "rarest" not in text
    assert summary_lines(evaluation) == [
        f"balanced accuracy  {interval(evaluation.balanced_accuracy)}",
        "* fewer than 20 positives in the split: interpret with care",
    ]


def test_of_many_classes_the_rarest_are_listed_those_first():
    counts = [7 + (37 * c) % 101 for c in range(MAX_CLASSES + 1)]
    evaluation = evaluated([f"c{c}" for c in range(len(counts))], counts, [25] * len(counts))
    lines = printed(evaluation_table(evaluation, "x", "tables/classes.csv"))
    shown = [int(line.split()[1]) for line in lines if re.match(r"c\d", line)]
    assert shown == sorted(counts)[:LISTED]
    assert lines[-1] == f"the {LISTED} rarest of {MAX_CLASSES + 1} classes; more in tables/classes.csv"
    fewer = evaluated([f"c{c}" for c in range(MAX_CLASSES)], counts[:MAX_CLASSES], [25] * MAX_CLASSES)
    lines = printed(evaluation_table(fewer, "x", "tables/classes.csv"))
    assert [line.split()[0] for line in lines if re.match(r"c\d", line)] == [f"c{c}" for c in range(MAX_CLASSES)]
    assert "rarest" not in lines[-1]


def test_priors_of_many_classes_are_said_by_their_range():
    assert prior_words([0.25, 0.75]) == "the class priors [0.25, 0.75]"
    assert prior_words([0.5, *[0.5 / 99] * 99]) == "class priors from 0.0051 to 0.5 (operating_point.json)"


def test_the_summary_omits_groups_and_warnings_that_do_not_apply():
    lines = summary_lines(evaluated(["a", "b", "c"], [500, 300, 200], [30, 30, 30]))
    assert len(lines) == 2
    assert all(len(line) <= WIDTH for line in lines)


@pytest.mark.parametrize("name", ["[red]", "[/b]", "gear [left]"])
def test_a_name_in_brackets_appears_literally(name, capsys):
    console().print(evaluation_table(evaluated([name, "other", "third"], [9, 9, 9], [30, 30, 30]), "x"))
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
        name = row.split("  ")[0].strip()
        assert len(name) >= 16  # its start and its end
        assert name.endswith("ame indeed")
