import numpy as np
import pytest
from matplotlib.cbook import is_math_text
from sklearn.metrics import precision_recall_curve, roc_curve

from imbalance_lab.class_counts import shot_group
from imbalance_lab.evaluation.curve_bands import curve_bands
from imbalance_lab.metrics import rank_one_vs_rest
from imbalance_lab.posthoc import Threshold
from imbalance_lab.report.curves import (
    FEW_CURVES,
    MAX_CURVES,
    Curves,
    draw_both,
    draw_pr,
    draw_roc,
    pr_points,
    roc_points,
)
from imbalance_lab.report.palette import LIGHT
from tests.helpers.rankings import seeded_rankings

both = pytest.mark.parametrize("draw", [draw_roc, draw_pr])


def names(classes):
    return [f"class {number}" for number in range(classes)]


def curves_of(axes):
    """The curves from the lowest to the highest, without what is only a guide to the eye, and without the ring."""
    lines = [line for line in axes.lines if line.get_label() != "_chance" and line.get_marker() in ("None", None, "")]
    return sorted(lines, key=lambda line: line.zorder)


def legend_of(figure):
    """The entries of the legend, as they are seen."""
    (legend,) = figure.legends
    raw = [(text.get_text(), text.get_parse_math()) for text in legend.get_texts()]
    assert not any(parse and is_math_text(text) for text, parse in raw)
    return [text.replace(r"\$", "$") if parse else text for text, parse in raw]


def test_points_are_scikit_learns():
    scores, target, rankings = seeded_rankings()
    for c, ranking in enumerate(rankings):
        fpr, tpr, _ = roc_curve(target == c, scores[:, c], drop_intermediate=False)
        assert set(zip(*roc_points(ranking), strict=True)) <= set(zip(fpr, tpr, strict=True))
        precision, recall, _ = precision_recall_curve(target == c, scores[:, c])
        assert set(zip(*pr_points(ranking), strict=True)) <= set(zip(recall, precision, strict=True))


@both
def test_there_is_one_curve_for_each_defined_class_and_the_rarest_is_on_top_and_strongest(draw):
    _, _, rankings = seeded_rankings(classes=5, absent=(1, 4))
    figure = draw(Curves(names(5), rankings, [20, 40, 10, 30, 50]))
    found = curves_of(figure.axes[0])
    points = roc_points if draw is draw_roc else pr_points
    for line, c in zip(found, (3, 0, 2), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.transpose(points(rankings[c])))
    assert found[-1].get_linewidth() > max(line.get_linewidth() for line in found[:-1])
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == ["class 2", "class 0", "class 3"]
    assert [line.get_color() for line in found] == [LIGHT.cycle[2], LIGHT.cycle[1], LIGHT.cycle[0]]


@both
def test_classes_that_are_not_reported_are_not_drawn(draw):
    _, _, rankings = seeded_rankings(classes=2)
    figure = draw(Curves(names(2), rankings, [5, 40], classes=[1]))
    (line,) = curves_of(figure.axes[0])
    np.testing.assert_array_equal(line.get_xdata()[-1], 1)
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == ["class 1"]


def test_the_legend_has_training_count_and_area():
    _, _, rankings = seeded_rankings()
    entries = legend_of(draw_roc(Curves(names(4), rankings, [12345, 400, 30, 2])))
    assert entries[-1] == f"class 0 · n=12,345 · {rankings[0].auroc:.3f}"
    entries = legend_of(draw_pr(Curves(names(4), rankings, [12345, 400, 30, 2])))
    assert entries[0] == f"class 3 · n=2 · {rankings[3].average_precision:.3f}"


@both
def test_of_many_classes_the_shot_groups_are_named_and_the_rarest_class_stands_out(draw):
    classes = MAX_CURVES + 8
    _, _, rankings = seeded_rankings(classes=classes, n=3000, absent=(0,))
    counts = [1 + 7 * c % classes for c in range(classes)]  # not in class order
    figure = draw(Curves(names(classes), rankings, counts))
    rarest = sorted(range(1, classes), key=lambda c: counts[c])[:MAX_CURVES]
    found = curves_of(figure.axes[0])
    assert len(found) == MAX_CURVES > FEW_CURVES
    assert found[-1].get_color() == LIGHT.chosen
    groups = {"many": LIGHT.rarity[0], "medium": LIGHT.rarity[1], "few": LIGHT.rarity[2]}
    expected = [groups[shot_group(counts[c])] for c in reversed(rarest[1:])]
    assert [line.get_color() for line in found[:-1]] == expected
    few = [c for c in rarest if counts[c] < 20]
    area = (lambda r: r.auroc) if draw is draw_roc else (lambda r: r.average_precision)
    mean = np.mean([area(rankings[c]) for c in few])
    entries = legend_of(figure)
    assert entries[0].startswith(f"class {rarest[0]} · n=")
    assert entries[-1] == f"few ({len(few)} classes) · mean {mean:.3f}"


def test_the_ring_the_band_and_the_line_of_chance_are_where_they_belong():
    _, target, rankings = seeded_rankings(classes=2, n=400)
    at = Threshold("by hand", 0.0, tp=30, fp=20, n_positive=rankings[1].n_positive, n_negative=rankings[1].n_negative)
    (band,) = bands = curve_bands(rankings, [1])
    curves = Curves(names(2), rankings, [300, 100], [1], bands, ["none", at])
    for draw, place, ends in (
        (draw_roc, (20 / at.n_negative, 30 / at.n_positive), (band.recall_low, band.recall_high)),
        (draw_pr, (30 / at.n_positive, 0.6), (band.precision_low, band.precision_high)),
    ):
        (axes,) = draw(curves).axes
        (ring,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx(place)
        assert ring.zorder > curves_of(axes)[-1].zorder
        (filled,) = axes.collections
        heights = filled.get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == pytest.approx((ends[0].min(), ends[1].max()))
    chance = next(line for line in axes.lines if line.get_label() == "_chance")
    assert chance.get_ydata()[0] == pytest.approx((target == 1).mean())


def test_the_plots_have_the_same_size_and_place():
    _, _, rankings = seeded_rankings()
    curves = Curves(names(4), rankings, [4, 3, 2, 1])
    roc, pr = (draw(curves).axes[0].get_position().bounds for draw in (draw_roc, draw_pr))
    assert roc == pr
    left, right = (axes.get_position() for axes in draw_both(curves).axes)
    assert (left.y0, left.width, left.height) == pytest.approx((right.y0, right.width, right.height))


@both
def test_without_a_defined_class_there_is_an_empty_figure(draw, tmp_path):
    rankings = rank_one_vs_rest(np.zeros((3, 2)), np.zeros(3, np.int64))
    figure = draw(Curves(["a", "b"], rankings, [3, 1]))
    assert curves_of(figure.axes[0]) == []
    figure.savefig(tmp_path / "empty.png")


@both
@pytest.mark.parametrize("odd", [("$x_1$", "5$", "plain"), ("_hidden", "__init__", "")])
def test_odd_names_appear_literally(draw, odd, tmp_path):
    _, _, rankings = seeded_rankings(classes=3)
    figure = draw(Curves(odd, rankings, [1, 2, 3]))
    assert [entry.split(" · ")[0] for entry in legend_of(figure)] == list(odd)
    figure.savefig(tmp_path / "drawn.png", dpi=30)


def test_a_long_name_is_shortened_in_the_middle():
    _, _, rankings = seeded_rankings(classes=2)
    entry = legend_of(draw_roc(Curves(["a" * 60 + "z", "b" * 20], rankings, [1, 2])))[0].split(" · ")[0]
    assert entry.startswith("aaa")
    assert entry.endswith("az")  # names often differ at the end
    assert len(entry) == 20


def test_both_panels_show_the_curves_of_every_class():
    _, _, rankings = seeded_rankings(classes=4)
    roc, pr = draw_both(Curves(names(4), rankings, [40, 30, 20, 10])).axes
    for at, ranking in enumerate(rankings):
        assert np.array_equal(curves_of(roc)[at].get_xydata(), np.transpose(roc_points(ranking)))
        assert np.array_equal(curves_of(pr)[at].get_xydata(), np.transpose(pr_points(ranking)))
