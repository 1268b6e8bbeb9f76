import csv

import numpy as np
import pytest
from matplotlib.cbook import is_math_text
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from imbalance_lab.metrics import rank_one_vs_rest
from imbalance_lab.report.curves import MAX_CURVES, draw_both, draw_pr, draw_roc, pr_points, roc_points, write_curves

both = pytest.mark.parametrize("draw", [draw_roc, draw_pr])


def seeded(classes=4, n=300, absent=(), seed=0):
    rng = np.random.default_rng(seed)
    present = [c for c in range(classes) if c not in absent]
    target = rng.choice(present, n)
    scores = (rng.normal(size=(n, classes)) + np.eye(classes)[target]).round(1)
    return scores, target, rank_one_vs_rest(scores, target)


def names(classes):
    return [f"class {number}" for number in range(classes)]


def curves_of(figure):
    """The curves, without what is only a guide to the eye."""
    (axes,) = figure.axes
    return [line for line in axes.lines if not line.get_label().startswith("_child")]


def legend_of(figure):
    """The entries of the legend, as they are seen."""
    legend = figure.axes[0].get_legend()
    raw = [(text.get_text(), text.get_parse_math()) for text in legend.get_texts()]
    assert not any(parse and is_math_text(text) for text, parse in raw)
    return [text.replace(r"\$", "$") if parse else text for text, parse in raw]


def test_points_are_scikit_learns():
    scores, target, rankings = seeded()
    for c, ranking in enumerate(rankings):
        fpr, tpr, _ = roc_curve(target == c, scores[:, c], drop_intermediate=False)
        assert set(zip(*roc_points(ranking), strict=True)) <= set(zip(fpr, tpr, strict=True))
        precision, recall, _ = precision_recall_curve(target == c, scores[:, c])
        assert set(zip(*pr_points(ranking), strict=True)) <= set(zip(recall, precision, strict=True))


def test_the_areas_can_be_computed_from_the_table(tmp_path):
    scores, target, rankings = seeded(classes=5, absent=(3,))
    odd = ["a", 'b, "quoted"', "c\nd", "absent", "Größe"]
    write_curves(tmp_path / "curves.csv", odd, rankings)
    with (tmp_path / "curves.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["class"] for row in rows)) == [name for name in odd if name != "absent"]
    for c, name in enumerate(odd):
        if name == "absent":
            continue
        own = [row for row in rows if row["class"] == name]
        fpr, tpr, tp, fp = ([float(row[key]) for row in own] for key in ("fpr", "tpr", "tp", "fp"))
        assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(target == c, scores[:, c]))
        assert (tp[-1], tp[-1] + fp[-1]) == ((target == c).sum(), 300)
        precision = [float(row["precision"] or "nan") for row in own]
        assert np.isnan(precision[0])
        steps = np.diff(tpr, prepend=0) > 0
        area = (np.diff(tpr, prepend=0) * precision)[steps].sum()
        assert area == pytest.approx(average_precision_score(target == c, scores[:, c]))
        for row in own[2:-1:2]:  # after each distinct score of a positive
            flagged = scores[:, c] >= float(row["threshold"])
            assert int(row["tp"]) == (flagged & (target == c)).sum()
            assert int(row["fp"]) == (flagged & (target != c)).sum()


@both
def test_there_is_one_curve_for_each_defined_class(draw):
    _, _, rankings = seeded(classes=5, absent=(1, 4))
    figure = draw(names(5), rankings, [50, 40, 30, 20, 10])
    found = curves_of(figure)
    points = roc_points if draw is draw_roc else pr_points
    assert len(found) == 3
    for line, c in zip(found, (0, 2, 3), strict=True):
        across, up = points(rankings[c])
        np.testing.assert_array_equal(line.get_xdata(), across)
        np.testing.assert_array_equal(line.get_ydata(), up)
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == ["class 0", "class 2", "class 3"]


def test_the_legend_has_training_count_and_area():
    _, _, rankings = seeded()
    entries = legend_of(draw_roc(names(4), rankings, [12345, 400, 30, 2]))
    assert entries[0] == f"class 0 · n=12,345 · {rankings[0].auroc:.3f}"
    entries = legend_of(draw_pr(names(4), rankings, [12345, 400, 30, 2]))
    assert entries[3] == f"class 3 · n=2 · {rankings[3].average_precision:.3f}"


@both
def test_of_many_classes_the_rarest_are_drawn_and_the_rarer_the_darker(draw):
    classes = MAX_CURVES + 8
    _, _, rankings = seeded(classes=classes, n=600, absent=(0,))
    counts = [1 + 7 * c % classes for c in range(classes)]  # not in class order
    figure = draw(names(classes), rankings, counts)
    rarest = sorted(range(1, classes), key=lambda c: counts[c])[:MAX_CURVES]
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == [f"class {c}" for c in sorted(rarest)]
    lightness = {c: sum(line.get_color()[:3]) for c, line in zip(sorted(rarest), curves_of(figure), strict=True)}
    assert sorted(rarest, key=lightness.get) == rarest


@both
def test_without_a_defined_class_there_is_an_empty_figure(draw, tmp_path):
    rankings = rank_one_vs_rest(np.zeros((3, 2)), np.zeros(3, np.int64))
    figure = draw(["a", "b"], rankings, [3, 1])
    assert curves_of(figure) == []
    figure.savefig(tmp_path / "empty.png")


@both
def test_a_name_with_dollars_appears_literally(draw, tmp_path):
    _, _, rankings = seeded(classes=3)
    figure = draw(["$x_1$", "5$", "plain"], rankings, [3, 2, 1])
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == ["$x_1$", "5$", "plain"]
    figure.savefig(tmp_path / "drawn.png", dpi=30)


@both
def test_a_long_name_is_shortened(draw):
    _, _, rankings = seeded(classes=2)
    first, second = (entry.split(" · ")[0] for entry in legend_of(draw(["a" * 60 + "z", "b" * 20], rankings, [3, 2])))
    assert first == "a" * 12 + "…" + "a" * 10 + "z"  # names often differ at the end
    assert second == "b" * 20


@both
def test_a_name_that_begins_with_an_underscore_appears_literally(draw):
    _, _, rankings = seeded(classes=2)
    figure = draw(["_hidden", "__init__"], rankings, [3, 2])
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == ["_hidden", "__init__"]


def test_both_panels_show_the_curves_of_every_class():
    _, _, rankings = seeded(classes=4)
    roc, pr = draw_both(names(4), rankings, [40, 30, 20, 10]).axes
    for c, ranking in enumerate(rankings):
        assert np.array_equal(roc.lines[c + 1].get_xydata(), np.transpose(roc_points(ranking)))  # after the diagonal
        assert np.array_equal(pr.lines[c].get_xydata(), np.transpose(pr_points(ranking)))
